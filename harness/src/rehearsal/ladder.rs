//! The first rung of the access ladder: a root shell that the closure's own systemd starts from mutable state.
//!
//! A service for each port, in directories that systemd searches and no NixOS activation touches. The virtio port appears
//! when udev has loaded its driver, which may never happen: a path unit waits for it, since a dependency on the device
//! would hold up the closure's own start. The closure is not changed, and what is added here is left out of everything
//! that is reported about it.

use crate::image::RootFile;
use crate::vm::{GREETING, SHELL_PORT_NAME};

/// Units whose name begins so are bootproof's own.
const UNIT_PREFIX: &str = "bootproof-shell-";

/// Where the units go. `switch-to-configuration` stops or restarts only what has a file of the same name in
/// `/etc/systemd/system`, and stage 1's systemd has its own `/etc`, so that neither touches them. The second serves where `/etc` is immutable (`system.etc.overlay`): systemd's search path on
/// NixOS has the default profile, which a fresh disk does not have.
const DIRECTORIES: &[&str] = &[
    "/etc/systemd/system.attached",
    "/nix/var/nix/profiles/default/lib/systemd/system",
];

/// The files to add to the disk before its first boot.
pub fn shell_files() -> Vec<RootFile> {
    let units = [
        ("virtio.service", virtio_service()),
        ("virtio.path", virtio_path()),
        ("serial.service", serial_service()),
    ];
    let started = ["virtio.path", "serial.service"];
    let mut files = Vec::new();
    for directory in DIRECTORIES {
        for (suffix, content) in &units {
            files.push(RootFile::Regular {
                path: format!("{directory}/{UNIT_PREFIX}{suffix}"),
                content: content.clone(),
            });
        }
        for suffix in started {
            files.push(RootFile::Link {
                path: format!("{directory}/sysinit.target.wants/{UNIT_PREFIX}{suffix}"),
                target: format!("../{UNIT_PREFIX}{suffix}"),
            });
        }
    }
    files
}

fn virtio_path() -> String {
    format!(
        "[Unit]
Description=Port of bootproof's root shell
DefaultDependencies=no
Conflicts=shutdown.target
Before=shutdown.target

[Path]
PathExists={VIRTIO_DEVICE_DIRECTORY}/{SHELL_PORT_NAME}
"
    )
}

const VIRTIO_DEVICE_DIRECTORY: &str = "/dev/virtio-ports";

fn virtio_service() -> String {
    service(
        "virtio-serial",
        "",
        &format!("exec 3<>{VIRTIO_DEVICE_DIRECTORY}/{SHELL_PORT_NAME} && exec <&3 >&3"),
    )
}

fn serial_service() -> String {
    service(
        "serial",
        "ConditionPathExists=/dev/ttyS1\n",
        // A shell that echoes serves too; one that ends would be restarted for ever, and `switch-to-configuration` counts
        // a unit that waits for its restart after an error as failed, whosever it is.
        "exec 3<>/dev/ttyS1 && exec <&3 >&3 && { stty raw -echo clocal || :; }",
    )
}

/// `$$` is systemd's way to write a `$` (systemd.service(5), "Command lines"). A shell whose errors go to a terminal would
/// take itself for an interactive one, and prompt.
fn service(port: &str, condition: &str, open: &str) -> String {
    format!(
        "[Unit]
Description=Root shell of bootproof ({port})
DefaultDependencies=no
Conflicts=shutdown.target
Before=shutdown.target
StartLimitIntervalSec=0
{condition}
[Service]
Environment=PATH=/run/current-system/sw/bin:/run/booted-system/sw/bin:/bin
Environment=HOME=/root LC_ALL=C TERM=dumb SYSTEMD_COLORS=0 SYSTEMD_PAGER=
ExecStart=/bin/sh -c '{open} && read id </proc/sys/kernel/random/boot_id && echo \"{GREETING} $$id\" && exec /bin/sh 2>/dev/null'
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
        assert_eq!(files.len(), 10);
        assert!(
            files.contains(&RootFile::Link {
                path:
                    "/etc/systemd/system.attached/sysinit.target.wants/bootproof-shell-virtio.path"
                        .to_owned(),
                target: "../bootproof-shell-virtio.path".to_owned(),
            })
        );
    }

    #[test]
    fn the_shell_greets_with_the_boot_id_and_never_prompts() {
        for unit in [virtio_service(), serial_service()] {
            assert!(
                unit.contains("echo \"BOOTPROOF HELLO $$id\" && exec /bin/sh 2>/dev/null"),
                "{unit}"
            );
        }
    }

    #[test]
    fn a_system_without_stty_still_gets_its_shell() {
        let start = "stty() { return 127; }; { stty raw -echo clocal || :; } && echo greeted";
        assert!(serial_service().contains("{ stty raw -echo clocal || :; } && read id"));
        let output = std::process::Command::new("sh")
            .args(["-c", start])
            .output()
            .unwrap();
        assert_eq!(output.stdout, b"greeted\n");
    }

    #[test]
    fn no_unit_holds_up_the_start_for_a_device_that_may_never_come() {
        for file in shell_files() {
            if let RootFile::Regular { content, .. } = file {
                assert!(!content.contains(".device"), "{content}");
            }
        }
    }
}
