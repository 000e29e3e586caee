//! A deploy in its parts, one script each, so that the power can be cut between and within them: the copy of the closure, the switch of the
//! profile, the boot entry, the activation. Together they are what `nixos-rebuild switch` does.
//!
//! The disk has both closures already. So what only the candidate has is taken out of the store first, and what counts begins with its copy:
//! by the guest's own Nix where there is one, as any deploy tool copies, and with whatever its settings say of flushing.

use crate::image::Moments;
use crate::vocabulary::STORE_DIR;

/// A part, and what the guest does in it.
pub(super) struct DeployPart {
    /// As it is spoken after `cut`.
    pub(super) name: &'static str,
    pub(super) at: Moments,
    /// For progress: "to …".
    pub(super) what: &'static str,
    pub(super) script: String,
    /// Whether the closure does it: what it does not finish is its own fault, which the switch tells.
    pub(super) by_closure: bool,
}

/// Where the candidate's own paths wait for their copy.
const ASIDE: &str = "/nix/.bootproof-copy";

/// A file system writes its journal out every few seconds, whatever it has of the contents by then (ext4(5), `commit=` and `auto_da_alloc`):
/// the flush of another file has it do so now, which is the worst moment that there is.
const COMMIT: &str = "committed=/nix/.bootproof-commit
: >$committed && sync $committed; rm -f $committed
true";

/// What copies the closure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CopiedBy {
    /// The guest's own, which registers what it copies.
    Nix,
    /// cp(1), where the guest has no Nix.
    Tools,
}

/// Whether the guest has Nix.
pub(super) const WHICH_COPY: &str = "[ -x /run/current-system/sw/bin/nix-store ] && echo nix; true";

const NIX: &str = "NIX_REMOTE= /run/current-system/sw/bin/nix-store";

/// The store is read-only to everyone but Nix, which has it writable in a mount namespace of its own (Nix's `local-store.cc`). The script is read
/// and no argument: the names of all paths of a large closure are longer than the kernel lets one be (execve(2), 128 KiB).
fn in_a_writable_store(script: &str) -> String {
    format!(
        "unshare -m sh -s <<'END_OF_SCRIPT' || exit $?
mount -o remount,bind,rw {STORE_DIR} 2>/dev/null
cd {STORE_DIR} || exit 91
{script}
END_OF_SCRIPT
"
    )
}

/// Takes `paths` (`<hash>-<name>`) out of the guest's store, to be copied back by [`copy`].
pub(super) fn take_out(paths: &[String], by: CopiedBy) -> String {
    let names = paths.join(" ");
    match by {
        CopiedBy::Nix => {
            let paths: Vec<String> = paths.iter().map(|p| format!("{STORE_DIR}/{p}")).collect();
            let paths = paths.join(" ");
            format!(
                "{NIX} --export {paths} >{ASIDE} && {NIX} --delete --ignore-liveness {paths} && sync"
            )
        }
        CopiedBy::Tools => {
            let moved = in_a_writable_store(&format!("mkdir {ASIDE} && mv {names} {ASIDE}/"));
            format!("{moved}sync")
        }
    }
}

fn copy(paths: &[String], by: CopiedBy) -> String {
    match by {
        CopiedBy::Nix => format!("{NIX} --import <{ASIDE}"),
        CopiedBy::Tools => {
            let names = paths.join(" ");
            let each = format!(
                "for path in {names}; do cp -a {ASIDE}/$path . && rm -rf {ASIDE}/$path || exit 92; done"
            );
            format!("{}{COMMIT}", in_a_writable_store(&each))
        }
    }
}

/// The parts of the deploy of `toplevel`, which needs `paths` copied. `set_profile` and `before_install` are scripts of the switch's.
pub(super) fn parts(
    toplevel: &str,
    paths: &[String],
    by: CopiedBy,
    set_profile: &str,
    before_install: &str,
) -> Vec<DeployPart> {
    let own = format!("{toplevel}/bin/switch-to-configuration");
    let mut parts = Vec::new();
    if !paths.is_empty() {
        parts.push(DeployPart {
            name: "while the closure is copied",
            at: Moments::Within { flushes: 1 },
            what: "copy the candidate",
            script: copy(paths, by),
            by_closure: false,
        });
    }
    parts.push(DeployPart {
        name: "between the profile switch and the boot entry",
        at: Moments::AtItsEnd,
        what: "switch its profile",
        script: format!("{set_profile}{COMMIT}"),
        by_closure: false,
    });
    parts.push(DeployPart {
        name: "in the bootloader install",
        at: Moments::Within { flushes: 6 },
        what: "make the candidate the boot default",
        script: format!("{before_install}{own} boot"),
        by_closure: true,
    });
    parts.push(DeployPart {
        name: "in the activation",
        at: Moments::Within { flushes: 1 },
        what: "activate the candidate",
        script: format!("{own} test"),
        by_closure: true,
    });
    parts
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn paths() -> Vec<String> {
        ["1-a", "2-b"].map(str::to_owned).to_vec()
    }

    #[test]
    fn the_parts_are_those_of_a_switch_in_their_order() {
        let parts = parts(
            "/nix/store/0-new",
            &paths(),
            CopiedBy::Tools,
            "profile\n",
            "link\n",
        );
        let scripts: Vec<&str> = parts.iter().map(|part| part.script.as_str()).collect();
        assert!(scripts[0].contains("for path in 1-a 2-b;"));
        assert!(scripts[1].starts_with("profile\n") && scripts[1].contains("sync $committed"));
        assert_eq!(
            scripts[2],
            "link\n/nix/store/0-new/bin/switch-to-configuration boot"
        );
        assert_eq!(
            scripts[3],
            "/nix/store/0-new/bin/switch-to-configuration test"
        );
    }

    #[test]
    fn where_nothing_is_new_there_is_nothing_to_copy() {
        let parts = parts("/nix/store/0-same", &[], CopiedBy::Nix, "", "");
        assert_eq!(
            parts[0].name,
            "between the profile switch and the boot entry"
        );
    }

    /// Runs a script in a directory that stands for `/nix`, without the namespace, which only root has.
    fn run(script: &str, nix: &std::path::Path) {
        let script = script
            .replace("/nix", nix.to_str().unwrap())
            .replace("unshare -m", "");
        let mut shell = std::process::Command::new("sh");
        shell.arg("-s").stdin(std::process::Stdio::piped());
        let mut shell = shell.spawn().unwrap();
        shell
            .stdin
            .take()
            .unwrap()
            .write_all(script.as_bytes())
            .unwrap();
        assert!(shell.wait().unwrap().success());
    }

    #[test]
    fn a_closure_of_which_all_is_new_is_not_too_long_for_a_script() {
        let nix = tempfile::tempdir().unwrap();
        let name = |n: u32| format!("{n:032}-a-name-as-long-as-those-of-nixpkgs-are");
        let names: Vec<String> = (0..2500).map(name).collect();
        std::fs::create_dir(nix.path().join("store")).unwrap();
        for name in &names {
            std::fs::write(nix.path().join("store").join(name), "").unwrap();
        }
        let script = take_out(&names, CopiedBy::Tools);
        assert!(script.len() > 128 << 10);
        run(&script, nix.path());
        assert_eq!(
            std::fs::read_dir(nix.path().join("store")).unwrap().count(),
            0
        );
    }

    #[test]
    fn what_was_taken_out_is_copied_back() {
        let nix = tempfile::tempdir().unwrap();
        let place = |name: &str| nix.path().join(name);
        std::fs::create_dir_all(place("store/1-a/deep")).unwrap();
        std::fs::write(place("store/1-a/deep/file"), "content").unwrap();
        std::fs::write(place("store/2-b"), "alone").unwrap();
        let run = |script: &str| run(script, nix.path());
        run(&take_out(&paths(), CopiedBy::Tools));
        assert!(!place("store/1-a").exists() && !place("store/2-b").exists());
        run(&copy(&paths(), CopiedBy::Tools));
        let copied = std::fs::read_to_string(place("store/1-a/deep/file")).unwrap();
        assert_eq!(copied, "content");
        assert!(place("store/2-b").exists());
        assert!(!place(".bootproof-commit").exists());
    }
}
