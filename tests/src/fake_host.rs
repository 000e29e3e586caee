//! A NixOS host behind a fake `ssh`: what bootproof's scripts call there is one shell script under many names, and what it has is files.

use std::fs;
use std::path::{Path, PathBuf};

use crate::executable::write_executable;

/// The host's directory, and the programs that lead to it.
#[derive(Debug)]
pub struct FakeHost {
    directory: PathBuf,
}

/// Programs of the operator's machine.
const HERE: &[&str] = &["ssh", "nix-copy-closure", "nix-store"];
/// Programs of the host.
const THERE: &[&str] = &[
    "head",
    "id",
    "nix-env",
    "nix-store",
    "nohup",
    "readlink",
    "rm",
    "systemctl",
    "systemd-run",
    "tail",
];

/// What each does, by its name. `$host` is the host's directory. A file there is what the host has of that name, or a fault that it shows.
const PROGRAMS: &str = r##"
# What stands behind this program is the real one.
case ${0#"$host"/} in there/*) PATH=${PATH#*:};; esac
has() { [ -e "$host/$1" ]; }
for last; do :; done
log() { echo "${0##*/} $*" >>"$host/log"; }
switch() {
    toplevel=${1%/bin/switch-to-configuration}
    echo "activating the configuration..." >>"$host/switch.log"
    if has switch-fails; then code=$(cat "$host/switch-fails"); else code=0; fi
    case $code in 0|4) echo "$toplevel" >"$host/current";; esac
    has keeps-boot-entry || printf 'menuentry "NixOS" {\nlinux /k init=%s/init\n}\n' "$toplevel" >"$host/files/boot/grub/grub.cfg"
    exit $code
}
case ${0#"$host"/} in
here/ssh)
    log "$@"
    if has unreachable; then printf "\033[31mssh: connect to host web port 22: Connection refused\n" >&2; exit 255; fi
    echo "Welcome to web!"
    cat >"$host/script"
    export PATH="$host/there:$PATH" BOOTPROOF_ROOT="$host/files"
    if has cut && grep -q nix-env "$host/script"; then sh -s <"$host/script" >"$host/unheard"; exit 255; fi
    exec sh -s <"$host/script";;
here/nix-copy-closure)
    log "$@"
    if has copy-fails; then echo "error: No space left on device" >&2; exit 1; fi
    if has on-copy; then . "$host/on-copy"; fi
    cp "$store/store-paths" "$store/registration" "$host";;
here/nix-store)
    case $3 in
    -qR) cat "$store/store-paths";;
    --dump-db) cat "$store/registration";;
    *) exit 1;;
    esac;;
there/id) if has user; then cat "$host/user"; else echo 0; fi;;
there/readlink) cat "$host/$(basename "$2" | sed s/-system// )";;
there/nix-store)
    case $1 in
    --check-validity) has registration;;
    --query) cat "$host/store-paths";;
    --dump-db) cat "$host/registration";;
    --verify-path) ! has rotten || { echo "path '/nix/store/x' was modified!" >&2; exit 1; };;
    esac;;
there/nix-env)
    log "$@"
    if has profile-fails; then exit 1; fi
    echo "$last" >"$host/system";;
there/systemctl) has busy;;
there/systemd-run)
    log "$@"
    if has no-systemd-run; then exit 1; fi
    case $last in true) exit 0;; esac
    eval toplevel=\${$(($# - 1))}
    switch "$toplevel";;
there/nohup) log "$@"; switch "$5";;
there/head) case $3 in /run/*) cat "$host/switch.log";; *) exec head "$@";; esac;;
there/rm) ;;
there/tail) shift 5; while kill -0 "${1#--pid=}" 2>/dev/null; do :; done; cat "$host/switch.log";;
esac
"##;

impl FakeHost {
    /// Makes a host that runs and boots `toplevel`, and puts the way to it into `programs`. `store` is the operator's.
    pub fn make(directory: PathBuf, programs: &Path, store: &Path, toplevel: &str) -> Self {
        for name in ["here", "there", "files/boot/grub"] {
            fs::create_dir_all(directory.join(name)).unwrap();
        }
        let script = format!(
            "#!/bin/sh\nhost='{}'\nstore='{}'\n{PROGRAMS}",
            directory.display(),
            store.display()
        );
        let install = |name: &str| {
            let place = directory.join(name);
            write_executable(&place, &script);
            place
        };
        for name in THERE {
            install(&format!("there/{name}"));
        }
        for name in HERE {
            let place = install(&format!("here/{name}"));
            // By its own path, so that it knows which it is.
            let call = format!("#!/bin/sh\nexec '{}' \"$@\"\n", place.display());
            write_executable(&programs.join(name), &call);
        }
        let host = Self { directory };
        for name in ["current", "booted", "system"] {
            host.has(name, toplevel);
        }
        host.has(
            "files/boot/grub/grub.cfg",
            &format!("menuentry \"NixOS\" {{\nlinux /k init={toplevel}/init\n}}\n"),
        );
        host
    }

    /// From now on the host has this: what it runs (`current`), what its profile is (`system`), or a fault.
    pub fn has(&self, name: &str, text: &str) {
        fs::write(self.directory.join(name), text).unwrap();
    }

    /// What it has under a name; nothing where there is none.
    pub fn told(&self, name: &str) -> String {
        let text = fs::read_to_string(self.directory.join(name)).unwrap_or_default();
        text.trim().to_owned()
    }

    /// Where it is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// What was done to it: every command line but those that only read.
    pub fn log(&self) -> Vec<String> {
        let log = self.told("log");
        let lines = log.lines().map(|line| {
            let (program, arguments) = line.split_once(' ').unwrap_or((line, ""));
            let program = program.rsplit('/').next().unwrap_or(program);
            format!("{program} {arguments}")
        });
        lines.collect()
    }
}
