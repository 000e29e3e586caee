//! The first rung of the access ladder: a root shell that the closure's own systemd starts from mutable state.
//!
//! Two units, one a port, in directories that systemd searches and no NixOS activation touches. The closure is not
//! changed, and what is added here is left out of everything that is reported about it.

use crate::image::RootFile;
use crate::vm::{GREETING, SHELL_PORT_NAME};

/// What reports call this rung.
pub const RUNG: &str = "a unit in mutable state";

/// Units whose name begins so are bootproof's own.
pub const UNIT_PREFIX: &str = "bootproof-shell-";

/// Where the units go. The second serves where `/etc` is immutable (`system.etc.overlay`): systemd's search path on
/// NixOS has the default profile, which a fresh disk does not have.
const DIRECTORIES: &[&str] = &[
    "/etc/systemd/system.attached",
    "/nix/var/nix/profiles/default/lib/systemd/system",
];

/// The files to add to the disk before its first boot.
pub fn shell_files() -> Vec<RootFile> {
    let units = [("virtio", virtio_unit()), ("serial", serial_unit())];
    let mut files = Vec::new();
    for directory in DIRECTORIES {
        for (port, content) in &units {
            let name = format!("{UNIT_PREFIX}{port}.service");
            files.push(RootFile::Link {
                path: format!("{directory}/sysinit.target.wants/{name}"),
                target: format!("../{name}"),
            });
            files.push(RootFile::Regular {
                path: format!("{directory}/{name}"),
                content: content.clone(),
            });
        }
    }
    files
}

fn virtio_unit() -> String {
    let device = format!("dev-virtio\\x2dports-{SHELL_PORT_NAME}.device");
    unit(
        "virtio-serial",
        &format!("BindsTo={device}\nAfter={device}\n"),
        &format!("exec 3<>/dev/virtio-ports/{SHELL_PORT_NAME} && exec <&3 >&3 2>&3"),
    )
}

fn serial_unit() -> String {
    unit(
        "serial",
        "ConditionPathExists=/dev/ttyS1\n",
        "exec 3<>/dev/ttyS1 && exec <&3 >&3 2>&3 && stty raw -echo clocal",
    )
}

/// `$$` is systemd's way to write a `$` (systemd.service(5), "Command lines").
fn unit(port: &str, dependencies: &str, open: &str) -> String {
    format!(
        "[Unit]
Description=Root shell of bootproof ({port})
DefaultDependencies=no
Conflicts=shutdown.target
Before=shutdown.target
StartLimitIntervalSec=0
{dependencies}
[Service]
Environment=PATH=/run/current-system/sw/bin:/run/booted-system/sw/bin:/bin
Environment=HOME=/root LC_ALL=C TERM=dumb SYSTEMD_COLORS=0 SYSTEMD_PAGER=
ExecStart=/bin/sh -c '{open} && read id </proc/sys/kernel/random/boot_id && echo \"{GREETING} $$id\" && exec /bin/sh'
Restart=always
RestartSec=1
KillSignal=SIGKILL
OOMScoreAdjust=-1000
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directories_have_both_units_and_their_links() {
        let files = shell_files();
        assert_eq!(files.len(), 8);
        assert!(files.contains(&RootFile::Link {
            path: "/etc/systemd/system.attached/sysinit.target.wants/bootproof-shell-virtio.service".to_owned(),
            target: "../bootproof-shell-virtio.service".to_owned(),
        }));
    }

    #[test]
    fn the_shell_greets_with_the_boot_id() {
        let unit = virtio_unit();
        assert!(unit.contains("echo \"BOOTPROOF HELLO $$id\""), "{unit}");
        assert!(
            unit.contains(r"BindsTo=dev-virtio\x2dports-org.bootproof.shell.device"),
            "{unit}"
        );
    }
}
