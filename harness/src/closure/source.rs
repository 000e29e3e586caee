use std::path::{Path, PathBuf};

use crate::vocabulary::{STORE_DIR, StorePath};

/// Where the files of a closure are on this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A Nix store: `/`, or the root of a chroot store (what `nix-store --store ROOT` takes).
    Store { root: PathBuf },
    /// A directory with the files of nixpkgs' `closureInfo` and, unless they are in the host's store, the paths themselves.
    Directory { dir: PathBuf },
}

impl Source {
    /// Where a store path is on this host; the path need not exist.
    ///
    /// A closure directory is searched for `nix/store/BASE`, `store/BASE` and `BASE`, then the host's own store is
    /// meant: inside a Nix build sandbox the closure's paths are there.
    pub fn host_path(&self, path: &StorePath) -> PathBuf {
        match self {
            Self::Store { root } => store_dir(root).join(path.base_name()),
            Self::Directory { dir } => ["nix/store", "store", "."]
                .iter()
                .map(|below| match *below {
                    "." => dir.join(path.base_name()),
                    below => dir.join(below).join(path.base_name()),
                })
                .find(|candidate| candidate.symlink_metadata().is_ok())
                .unwrap_or_else(|| Path::new(STORE_DIR).join(path.base_name())),
        }
    }
}

/// The store's directory under its root.
pub(super) fn store_dir(root: &Path) -> PathBuf {
    root.join(STORE_DIR.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const BASE: &str = "0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-hello";

    fn path() -> StorePath {
        StorePath::parse(&format!("/nix/store/{BASE}")).unwrap()
    }

    #[test]
    fn a_chroot_store_has_its_paths_under_its_root() {
        let source = Source::Store {
            root: "/srv/lab".into(),
        };
        assert_eq!(
            source.host_path(&path()),
            Path::new("/srv/lab/nix/store").join(BASE)
        );
        let source = Source::Store { root: "/".into() };
        assert_eq!(source.host_path(&path()), Path::new(path().as_str()));
    }

    #[test]
    fn a_closure_directory_is_searched_before_the_hosts_store() {
        let temporary = tempfile::tempdir().unwrap();
        let dir = temporary.path().to_owned();
        let source = Source::Directory { dir: dir.clone() };
        assert_eq!(source.host_path(&path()), Path::new(path().as_str()));
        for below in [".", "store", "nix/store"] {
            fs::create_dir_all(dir.join(below).join(BASE)).unwrap();
        }
        assert_eq!(source.host_path(&path()), dir.join("nix/store").join(BASE));
        fs::remove_dir(dir.join("nix/store").join(BASE)).unwrap();
        assert_eq!(source.host_path(&path()), dir.join("store").join(BASE));
        fs::remove_dir(dir.join("store").join(BASE)).unwrap();
        assert_eq!(source.host_path(&path()), dir.join(BASE));
    }
}
