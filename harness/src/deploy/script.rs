//! The scripts that run on the host, for a POSIX shell, GNU coreutils, findutils and sed, systemd and Nix, which every NixOS machine has.

use crate::shell::quoted;
use crate::vocabulary::StorePath;

/// The unit in which nixos-rebuild switches: of one name, so that of two switches at a time systemd refuses the second.
const UNIT: &str = "nixos-rebuild-switch-to-configuration";
/// What the switch prints and how it ended. It is a file and no pipe to ssh: a switch may cut the connection, and a
/// `switch-to-configuration` that cannot write dies half-way.
const LOG: &str = "/run/bootproof-switch.log";
/// How long a switch whose connection broke is waited for, in seconds.
const PATIENCE: u32 = 900;
/// Larger than what any switch prints.
const LOG_LIMIT: u32 = 4 << 20;

/// `each` tells a file line by line, and ends a last line that has no end itself.
///
/// Read as a whole before any of it runs, and without the script itself as the standard input of what it runs. A login shell that is not
/// interactive may lack the system's `PATH`.
fn script(body: &str) -> String {
    format!(
        "export LC_ALL=C PATH=\"$PATH:/run/current-system/sw/bin:/nix/var/nix/profiles/default/bin\"
say() {{ printf 'bootproof %s %s\\n' \"$1\" \"$2\"; }}
each() {{ sed \"s/^/bootproof $1 /\"; echo; }}
main() {{
{body}}}
main </dev/null
say end
"
    )
}

/// Who we are there, what the host runs, and what it was started with.
pub fn look() -> String {
    script(&format!("say user \"$(id -u)\"\n{}", systems()))
}

fn systems() -> &'static str {
    "say current \"$(readlink -f /run/current-system)\"
say booted \"$(readlink -f /run/booted-system)\"
say profile \"$(readlink -f /nix/var/nix/profiles/system)\"
"
}

/// What the host's store has of a closure, as `nix-store --dump-db` writes it; nothing where the path is not valid there.
pub fn record(toplevel: &StorePath) -> String {
    let toplevel = quoted(toplevel.as_str());
    script(&format!(
        "if nix-store --check-validity {toplevel} 2>/dev/null; then
nix-store --query --requisites {toplevel} | xargs nix-store --dump-db | each record
fi
"
    ))
}

/// Compares the files of a closure with the hashes that the host's store has of them.
pub fn verify(toplevel: &StorePath) -> String {
    let toplevel = quoted(toplevel.as_str());
    script(&format!(
        "nix-store --query --requisites {toplevel} | xargs nix-store --verify-path 2>&1 && say whole yes\n"
    ))
}

/// Sets the profile and switches, as nixos-rebuild does, if the host still runs `baseline`. What was copied is flushed first: the switch
/// writes the boot entry before it flushes the store, and a power cut between would leave an entry that starts empty files.
pub fn activate(toplevel: &StorePath, baseline: &StorePath) -> String {
    let (name, current) = (
        quoted(toplevel.as_str()),
        "$(readlink -f /run/current-system)",
    );
    let baseline = quoted(baseline.as_str());
    let switch = format!("{name}/bin/switch-to-configuration");
    // LOCALE_ARCHIVE is the caller's, which the new system's has to replace; the bootloader is installed only where it was before.
    let run = "systemd-run -E LOCALE_ARCHIVE -E NIXOS_INSTALL_BOOTLOADER= --collect --no-ask-password --quiet \
               --service-type=exec --wait";
    script(&format!(
        "current=\"{current}\"
if [ \"$current\" != {baseline} ]; then say moved \"$current\"; return; fi
if ! nix-store --check-validity {name}; then say invalid; return; fi
if systemctl --quiet is-active {UNIT}.service; then say busy; return; fi
sync -f /nix/store
direct=
if ! {run} true; then direct=yes; fi
nix-env --profile /nix/var/nix/profiles/system --set {name} || {{ say unset $?; return; }}
if [ -n \"$direct\" ]; then
echo 'systemd-run does not work here: switching without it'
nohup env -i LOCALE_ARCHIVE=\"${{LOCALE_ARCHIVE:-}}\" NIXOS_INSTALL_BOOTLOADER= {switch} switch 2>&1
say switched $?
return
fi
rm -f {LOG}
{run} --unit={UNIT} --property=StandardOutput=append:{LOG} --property=StandardError=append:{LOG} {switch} switch &
switching=$!
tail -n +1 -s 0.2 -F --pid=$switching {LOG} 2>/dev/null &
wait $switching
code=$?
wait
say switched $code
"
    ))
}

/// What the host runs now. Where the connection broke during a switch, its end is waited for.
pub fn prove(after_lost_connection: bool) -> String {
    let wait = match after_lost_connection {
        true => format!(
            "n=0
while systemctl --quiet is-active {UNIT}.service && [ $n -lt {PATIENCE} ]; do sleep 1; n=$((n+1)); done
head -c {LOG_LIMIT} {LOG} 2>/dev/null
echo
"
        ),
        false => String::new(),
    };
    script(&format!("{wait}{}", systems()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::{Answers, CutShort};
    use crate::shell::{Destination, run};

    fn path(name: &str) -> StorePath {
        StorePath::parse(&format!("/nix/store/{}-{name}", "0".repeat(32))).unwrap()
    }

    #[test]
    fn every_script_is_a_script() {
        let new = path("new");
        for text in [
            look(),
            record(&new),
            verify(&new),
            activate(&new, &path("old")),
            prove(true),
        ] {
            let checked = format!("set -n\n{text}");
            let output = run(&Destination::Local, &checked).unwrap();
            assert_eq!(
                (output.code, output.stderr.as_str()),
                (Some(0), ""),
                "{text}"
            );
        }
    }

    /// This machine runs no toplevel called `old`.
    #[test]
    fn nothing_is_set_where_the_host_runs_another_system() {
        let output = run(&Destination::Local, &activate(&path("new"), &path("old"))).unwrap();
        let answers = Answers::parse(&output.stdout).unwrap();
        assert!(answers.text("moved").is_some() && answers.text("switched").is_none());
    }

    #[test]
    fn what_was_copied_is_flushed_before_anything_leads_to_it() {
        let text = activate(&path("new"), &path("old"));
        let at = |command: &str| text.find(command).unwrap();
        assert!(at("sync -f /nix/store") < at("nix-env --profile"));
        assert!(at("nix-env --profile") < at("switch-to-configuration switch"));
    }

    #[test]
    fn a_script_that_is_cut_does_nothing() {
        let text = activate(&path("new"), &path("old"));
        let cut = text.rfind("main </dev/null").unwrap();
        let output = run(&Destination::Local, &text[..cut]).unwrap();
        assert_eq!(output.stdout, "");
        assert_eq!(Answers::parse(&output.stdout), Err(CutShort));
    }
}
