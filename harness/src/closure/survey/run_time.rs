use std::collections::BTreeMap;

use crate::closure::files::ClosureFiles;

/// Directories that hold on a NixOS machine nothing but what activation links into them.
const EMPTY: &[&str] = &["/bin/", "/sbin/", "/usr/", "/lib/", "/lib32/", "/lib64/"];
/// Directories of state: filled at activation, at run time or by people.
const STATE: &[&str] = &[
    "/run/",
    "/var/",
    "/etc/",
    "/home/",
    "/root/",
    "/tmp/",
    "/srv/",
    "/opt/",
    "/mnt/",
    "/media/",
    "/proc/",
    "/sys/",
    "/dev/",
    "/boot/",
    "/nix/var/",
];
const MADE_BY_ACTIVATION: &[&str] = &["/bin/sh", "/usr/bin/env"];
const TMPFILES: &str = "/etc/tmpfiles.d";
/// A desktop's files of systemd-tmpfiles have some 100 kB together.
const MAX_TEXT: usize = 32 << 20;

/// Where a path that is not in the closure comes from on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Nowhere.
    None,
    /// Something of the closure makes it, or it is state.
    RunTime,
    /// The closure says nothing of it; people may have put it there.
    Unknown,
}

/// What the closure makes outside the store: links of activation and of systemd-tmpfiles, mounts, and security wrappers.
pub(super) struct RunTime {
    /// Texts that make files, in which a path that is made is named.
    makers: Vec<String>,
    /// There are more of them than are kept.
    is_cut: bool,
    mount_points: Vec<String>,
    /// `/run/wrappers/bin/NAME`, and the programs behind it: the wrapper and what it wraps.
    pub(super) wrappers: BTreeMap<String, Vec<String>>,
}

impl RunTime {
    pub(super) fn read(files: ClosureFiles) -> Self {
        let text = |path: &str| files.text(path).ok();
        let tmpfiles = files.list(TMPFILES).unwrap_or_default();
        let mut left = MAX_TEXT;
        let makers = text(&files.in_toplevel("activate"))
            .into_iter()
            .chain(
                tmpfiles
                    .iter()
                    .filter_map(|name| text(&format!("{TMPFILES}/{name}"))),
            )
            .take_while(|text| {
                left = left.saturating_sub(text.len());
                left > 0
            })
            .collect();
        let is_cut = left == 0;
        let fstab = text("/etc/fstab").unwrap_or_default();
        let mount_points = fstab
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_whitespace().nth(1))
            .map(|point| format!("{}/", point.trim_end_matches('/')))
            .filter(|point| point != "/")
            .collect();
        Self {
            makers,
            is_cut,
            mount_points,
            wrappers: super::wrappers::programs(files),
        }
    }

    /// What becomes of a path outside the closure.
    pub(super) fn origin(&self, path: &str) -> Origin {
        let below = |dirs: &[&str]| dirs.iter().any(|dir| path.starts_with(dir));
        let in_closure = ["/run/current-system/", "/nix/store/"];
        if !path.starts_with('/') || below(&in_closure) {
            return Origin::None;
        }
        if below(STATE) || MADE_BY_ACTIVATION.contains(&path) || self.is_made(path) {
            return Origin::RunTime;
        }
        if below(EMPTY) {
            Origin::None
        } else {
            Origin::Unknown
        }
    }

    /// envfs mounts `/usr/bin` and `/bin`, and an administrator's rule may link a program of the store there.
    fn is_made(&self, path: &str) -> bool {
        self.is_cut
            || self
                .mount_points
                .iter()
                .any(|point| path.starts_with(point))
            || self.makers.iter().any(|text| text.contains(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::FakeClosure;

    #[test]
    fn only_a_directory_that_nothing_fills_is_known_to_be_empty() {
        let fake = FakeClosure::new();
        let rule = "L+ /bin/bash - - - - /nix/store/x/bin/bash\n";
        fake.file("etc/tmpfiles.d/00-nixos.conf", rule);
        fake.file("etc/fstab", "none /usr/bin fuse.envfs defaults 0 0\n");
        let closure = fake.closure();
        let origin = |path: &str| RunTime::read(ClosureFiles::new(&closure)).origin(path);
        for path in ["/run/x", "/bin/sh", "/bin/bash", "/usr/bin/python3"] {
            assert_eq!(origin(path), Origin::RunTime, "{path}");
        }
        for path in [
            "/bin/zsh",
            "/usr/sbin/x",
            "/run/current-system/sw/bin/x",
            "x",
        ] {
            assert_eq!(origin(path), Origin::None, "{path}");
        }
        assert_eq!(origin("/data/app/server"), Origin::Unknown);
    }
}
