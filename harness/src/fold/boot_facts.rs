//! Reads what a boot came to, beside its units and sockets: kernel, accounts, modules and mounts.
//!
//! Called by `dump`; the parts are documented at [`Dump::Fingerprint`](crate::vocabulary::Dump). What differs between two equal boots is left
//! out here: numbers of mounts and devices, and the order in which modules were loaded.

use std::collections::BTreeSet;

use super::sanitise;

/// More lines of one part than any machine has; the rest is not read.
const LIMIT: usize = 20_000;

/// What one boot came to. A part that was not dumped is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BootFacts {
    /// `uname -srvm`.
    pub kernel: String,
    pub machine_id: String,
    /// `name:uid:gid:home:shell`.
    pub users: BTreeSet<String>,
    /// `name:gid:members`.
    pub groups: BTreeSet<String>,
    /// Names.
    pub modules: BTreeSet<String>,
    /// `PLACE TYPE OPTIONS`, with `ROOT` before the type where it is not `/`.
    pub mounts: BTreeSet<String>,
}

impl BootFacts {
    pub(super) fn parse(output: &str) -> Self {
        let mut facts = Self::default();
        let mut part = "";
        for line in output.lines().take(LIMIT) {
            if let Some(name) = line.strip_prefix("== ") {
                part = name.trim();
                continue;
            }
            let text = sanitise::line(line);
            if text.is_empty() {
                continue;
            }
            match part {
                "kernel" => facts.kernel = text,
                "machine-id" => facts.machine_id = text,
                "users" => {
                    facts.users.insert(text);
                }
                "groups" => {
                    facts.groups.insert(text);
                }
                "modules" => {
                    facts.modules.insert(text);
                }
                "mounts" => facts.mounts.extend(mount(line)),
                _ => {}
            }
        }
        facts
    }
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue` (proc(5)); `None` for what comes and goes with
/// services and sessions.
fn mount(line: &str) -> Option<String> {
    let (before, after) = line.split_once(" - ")?;
    let mut fields = before.split(' ').skip(3);
    let (root, place, options) = (fields.next()?, fields.next()?, fields.next()?);
    let mut fields = after.split(' ');
    let (kind, source, of_file_system) = (fields.next()?, fields.next()?, fields.next()?);
    let passes = ["/run/credentials/", "/run/user/"];
    if passes.iter().any(|prefix| place.starts_with(prefix)) {
        return None;
    }
    let root = match (kind, root) {
        // The kernel's own objects have numbers for roots.
        (_, "/") | ("nsfs" | "proc", _) => String::new(),
        (_, root) => format!("{root} "),
    };
    // A disk's name is the order in which its driver found it.
    let source = match source.strip_prefix("/dev/") {
        Some(_) => "a device",
        None => source,
    };
    let mut options: Vec<&str> = options
        .split(',')
        .chain(of_file_system.split(','))
        .filter(|option| !is_of_this_boot(option))
        .collect();
    options.sort_unstable();
    options.dedup();
    Some(sanitise::line(&format!(
        "{place} {root}{kind} {source} {}",
        options.join(",")
    )))
}

/// Options that number what the kernel made (`autofs`), or that follow from the size of the machine's memory (`devtmpfs`).
fn is_of_this_boot(option: &str) -> bool {
    const KEYS: &[&str] = &[
        "fd=",
        "pgrp=",
        "pipe_ino=",
        "size=",
        "nr_inodes=",
        "nr_blocks=",
    ];
    KEYS.iter().any(|key| option.starts_with(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUMP: &str = "\
== kernel
Linux 6.1.0 #1 SMP x86_64
== machine-id
0123456789abcdef0123456789abcdef
== users
root:0:0:/root:/bin/sh
== groups
root:0:
== modules
virtio_blk
ext4
== mounts
22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
23 22 254:1 /nix/store /nix/store ro,relatime shared:2 - ext4 /dev/vda1 rw
24 22 0:21 / /proc/sys/fs/binfmt_misc rw,relatime shared:13 - autofs systemd-1 rw,fd=29,pgrp=1,timeout=0,minproto=5,maxproto=5,direct,pipe_ino=1234
25 22 0:40 / /run/credentials/x.service ro shared:9 - ramfs none rw
";

    #[test]
    fn equal_boots_have_equal_facts() {
        let facts = BootFacts::parse(DUMP);
        let again = DUMP
            .replace("fd=29", "fd=31")
            .replace("pipe_ino=1234", "pipe_ino=99")
            .replace("virtio_blk\next4", "ext4\nvirtio_blk")
            .replace("22 1 254:1", "29 1 253:1")
            .replace("/dev/vda1", "/dev/vdb1");
        assert_eq!(facts, BootFacts::parse(&again));
        assert!(
            facts
                .mounts
                .contains("/nix/store /nix/store ext4 a device relatime,ro,rw")
        );
        assert_eq!(facts.mounts.len(), 3);
        assert_ne!(
            facts,
            BootFacts::parse(&DUMP.replace("ro,relatime", "rw,relatime"))
        );
    }

    #[test]
    fn nonsense_is_passed_over() {
        for text in [
            "",
            "==",
            "== mounts\n1 2 3",
            "x\n== kernel",
            "== users\n\u{1b}",
        ] {
            let facts = BootFacts::parse(text);
            assert_eq!((facts.mounts.len(), facts.users.len()), (0, 0), "{text}");
        }
    }
}
