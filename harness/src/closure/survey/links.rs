use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::closure::files::{ClosureFiles, FileError};

/// Directories and entries that are looked at: the `sw` of a desktop has some 100,000.
const MAX_ENTRIES: usize = 400_000;
/// Links that are told; a tree with more is broken as a whole.
const MAX_DANGLING: usize = 1_000;
/// Trees of the toplevel whose links a running system follows.
const TREES: &[&str] = &["etc", "sw", "systemd/lib/systemd", "systemd/example"];

/// A symbolic link into the store that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DanglingLink {
    /// Below the toplevel: `etc/systemd/system/a.service`.
    pub place: String,
    pub target: String,
    /// It leads to itself, at once or by way of others.
    pub is_loop: bool,
    /// For a unit: those whose `.wants` and the like list it.
    pub pulled_in_by: Vec<String>,
}

/// Directories in which systemd reads names only: NixOS links `getty.target.wants/autovt@tty1.service` to a file that nobody makes.
const NAME_LISTS: &[&str] = &[".wants", ".requires", ".upholds"];

/// Walks the trees of the toplevel; a link to a directory is walked once, by the name under which it is met first.
pub(super) fn read(files: ClosureFiles) -> Vec<DanglingLink> {
    let mut walk = Walk {
        files,
        entries: 0,
        walked: BTreeSet::new(),
        pulls: BTreeMap::new(),
        dangling: Vec::new(),
    };
    for tree in TREES {
        walk.tree(tree);
    }
    let mut dangling = walk.dangling;
    for link in &mut dangling {
        let unit = link.place.strip_prefix("etc/systemd/system/");
        let pulls = unit.and_then(|unit| walk.pulls.get(unit));
        link.pulled_in_by
            .extend(pulls.into_iter().flatten().cloned());
    }
    dangling.sort();
    dangling
}

struct Walk<'a> {
    files: ClosureFiles<'a>,
    entries: usize,
    walked: BTreeSet<String>,
    /// By the name of a unit, the units that list it.
    pulls: BTreeMap<String, Vec<String>>,
    dangling: Vec<DanglingLink>,
}

impl Walk<'_> {
    fn tree(&mut self, tree: &str) {
        let Ok(top) = self.files.resolve(&self.files.in_toplevel(tree)) else {
            return;
        };
        // The unit directory is a link of its own in `etc`, and is one of the trees that matter most.
        let mut pending = vec![(tree.to_owned(), top.logical)];
        if tree == "etc"
            && let Ok(units) = self.files.resolve("/etc/systemd/system")
        {
            pending.push(("etc/systemd/system".to_owned(), units.logical));
        }
        while let Some((place, logical)) = pending.pop() {
            if !self.walked.insert(logical.clone()) {
                continue;
            }
            let Ok(host) = self.files.resolve(&logical) else {
                continue;
            };
            let Ok(entries) = fs::read_dir(&host.host) else {
                continue;
            };
            for entry in entries.flatten() {
                self.entries += 1;
                if self.entries > MAX_ENTRIES || self.dangling.len() >= MAX_DANGLING {
                    return;
                }
                let (Ok(kind), Ok(name)) = (entry.file_type(), entry.file_name().into_string())
                else {
                    continue;
                };
                if let Some(unit) = lister(&place) {
                    self.pulls.entry(name).or_default().push(unit.to_owned());
                    continue;
                }
                let inner = (format!("{place}/{name}"), format!("{logical}/{name}"));
                if kind.is_dir() {
                    pending.push(inner);
                } else if kind.is_symlink() {
                    self.link(inner.0, &inner.1);
                }
            }
        }
    }

    /// Notes a link that leads to nothing in the store; one that leaves the store leads to state of the machine.
    fn link(&mut self, place: String, logical: &str) {
        let error = match self.files.resolve(logical) {
            Ok(_) => return,
            Err(error) => error,
        };
        let Some(target) = self.target(logical) else {
            return;
        };
        let in_store = target.starts_with("/nix/store/") || !target.starts_with('/');
        let nowhere = matches!(error, FileError::Missing(_) | FileError::LinkLoop(_))
            || (matches!(error, FileError::Outside(_)) && target.starts_with("/nix/store/"));
        if in_store && nowhere && !self.leaves_the_store(logical) {
            self.dangling.push(DanglingLink {
                place,
                target,
                is_loop: matches!(error, FileError::LinkLoop(_)),
                pulled_in_by: Vec::new(),
            });
        }
    }

    fn target(&self, logical: &str) -> Option<String> {
        let (dir, name) = logical.rsplit_once('/')?;
        if name == ".." {
            return None;
        }
        let host = self.files.resolve(dir).ok()?.host.join(name);
        Some(fs::read_link(host).ok()?.to_str()?.to_owned())
    }

    /// Whether a chain of links that begins in the store goes on to `/etc`, `/run` or the like.
    fn leaves_the_store(&self, logical: &str) -> bool {
        let mut at = logical.to_owned();
        for _ in 0..8 {
            let Some(target) = self.target(&at) else {
                return false;
            };
            if !target.starts_with('/') {
                let Some((dir, _)) = at.rsplit_once('/') else {
                    return false;
                };
                at = format!("{dir}/{target}");
            } else if target.starts_with("/nix/store/") {
                at = target;
            } else {
                return true;
            }
        }
        false
    }
}

/// `multi-user.target`, for a directory that lists what it wants.
fn lister(place: &str) -> Option<&str> {
    let name = place.rsplit('/').next()?;
    NAME_LISTS.iter().find_map(|kind| name.strip_suffix(kind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::FakeClosure;

    fn dangling(fake: &FakeClosure) -> Vec<DanglingLink> {
        let closure = fake.closure();
        read(ClosureFiles::new(&closure))
    }

    #[test]
    fn links_to_nothing_in_the_store_dangle() {
        let fake = FakeClosure::new();
        let gone = "/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-gone/x";
        fake.link("toplevel", "etc/a", gone);
        fake.link("toplevel", "etc/deep/b", "../nowhere");
        fake.link("toplevel", "sw/bin/loop", "loop");
        let places: Vec<_> = dangling(&fake).into_iter().map(|l| l.place).collect();
        assert_eq!(places, ["etc/a", "etc/deep/b", "sw/bin/loop"]);
    }

    #[test]
    fn links_to_state_and_to_files_do_not() {
        let fake = FakeClosure::new();
        let file = fake.store_file("file", "x", "");
        fake.link("toplevel", "etc/a", &file);
        fake.link("toplevel", "etc/mtab", "/proc/mounts");
        fake.link("toplevel", "etc/resolv.conf", "/run/resolv.conf");
        fake.link("file", "y", "/var/lib/y");
        fake.link("toplevel", "etc/b", &fake.path_of("file", "y"));
        assert!(dangling(&fake).is_empty(), "{:?}", dangling(&fake));
    }

    #[test]
    fn lists_of_names_do_not_dangle_and_tell_who_pulls_a_unit_in() {
        let fake = FakeClosure::new();
        let units = "etc/systemd/system";
        let getty = format!("{units}/getty.target.wants/autovt@tty1.service");
        fake.link("toplevel", &getty, "../autovt@tty1.service");
        let wants = format!("{units}/multi-user.target.wants/a.service");
        fake.link("toplevel", &wants, "../a.service");
        let gone = "/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-unit/a.service";
        fake.link("toplevel", &format!("{units}/a.service"), gone);
        let found = dangling(&fake);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].pulled_in_by, ["multi-user.target"]);
    }
}
