//! The root directory of the test machine before its first boot, laid out in a directory of the host.
//!
//! A NixOS root needs only the store, the system profile and an empty `/etc/NIXOS`; activation makes the rest.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use super::seeds::Seed;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};

/// What goes on the disk.
#[derive(Debug, Clone)]
pub struct RootTree {
    /// The store paths, by their place on the host and their name in the guest's store.
    pub store_paths: Vec<(PathBuf, String)>,
    /// The toplevel that generation 1 of the system profile points to.
    pub toplevel: String,
    /// Files beside the store, by their path in the guest.
    pub files: Vec<RootFile>,
    /// Those of the user.
    pub seeds: Vec<Seed>,
}

/// A file that bootproof adds to mutable state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootFile {
    Regular { path: String, content: String },
    Link { path: String, target: String },
}

#[derive(Debug, thiserror::Error)]
#[error("failed to lay out {path}: {source}")]
pub struct TreeError {
    path: PathBuf,
    source: io::Error,
}

/// How much there is to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extent {
    /// Bytes, each file rounded up to whole blocks of 4 KiB.
    pub bytes: u64,
    /// Files, directories and links.
    pub inodes: u64,
}

impl Extent {
    pub(super) fn add(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.inodes += other.inodes;
    }
}

impl RootTree {
    /// How much there is to write, before anything is.
    ///
    /// # Errors
    /// When a store path cannot be read, with its path.
    pub fn measure(&self) -> Result<Extent, TreeError> {
        let mut extent = Extent {
            bytes: 0,
            inodes: FEW_MORE_INODES,
        };
        let mut pending: Vec<PathBuf> = self
            .store_paths
            .iter()
            .map(|(source, _)| source.clone())
            .collect();
        while let Some(path) = pending.pop() {
            let metadata = at(&path, fs::symlink_metadata(&path))?;
            extent.inodes += 1;
            extent.bytes += metadata.len().next_multiple_of(4096);
            if metadata.is_dir() {
                for entry in at(&path, fs::read_dir(&path))? {
                    pending.push(at(&path, entry)?.path());
                }
            }
        }
        Ok(extent)
    }

    /// Lays the tree out below `root`, which must not exist yet; files of the store are hard links where that is possible.
    ///
    /// # Errors
    /// When something cannot be read or written, with its path.
    pub fn lay_out(&self, root: &Path) -> Result<(), TreeError> {
        let store = root.join("nix/store");
        let profiles = root.join("nix/var/nix/profiles");
        for directory in [&store, &profiles, &root.join("etc"), &root.join("boot")] {
            at(directory, fs::create_dir_all(directory))?;
        }
        for (source, name) in &self.store_paths {
            copy(source, &store.join(name))?;
        }
        let files = [
            RootFile::Regular {
                path: "/etc/NIXOS".to_owned(),
                content: String::new(),
            },
            RootFile::Link {
                path: "/nix/var/nix/profiles/system-1-link".to_owned(),
                target: self.toplevel.clone(),
            },
            RootFile::Link {
                path: "/nix/var/nix/profiles/system".to_owned(),
                target: "system-1-link".to_owned(),
            },
        ];
        for file in files.iter().chain(&self.files) {
            write(root, file)?;
        }
        Ok(())
    }
}

/// For what is on the disk beside the store.
const FEW_MORE_INODES: u64 = 64;

fn at<T>(path: &Path, result: io::Result<T>) -> Result<T, TreeError> {
    result.map_err(|source| TreeError {
        path: path.to_owned(),
        source,
    })
}

fn write(root: &Path, file: &RootFile) -> Result<(), TreeError> {
    let (RootFile::Regular { path, .. } | RootFile::Link { path, .. }) = file;
    let place = root.join(path.trim_start_matches('/'));
    if let Some(parent) = place.parent() {
        at(parent, fs::create_dir_all(parent))?;
    }
    match file {
        RootFile::Regular { content, .. } => at(&place, fs::write(&place, content)),
        RootFile::Link { target, .. } => at(&place, symlink(target, &place)),
    }
}

/// Copies one store path, without recursion, so that no depth of directories can exhaust the stack.
fn copy(source: &Path, target: &Path) -> Result<(), TreeError> {
    let mut pending = vec![(source.to_owned(), target.to_owned())];
    let mut directories = Vec::new();
    while let Some((source, target)) = pending.pop() {
        let metadata = at(&source, fs::symlink_metadata(&source))?;
        if metadata.is_dir() {
            at(&target, fs::create_dir(&target))?;
            for entry in at(&source, fs::read_dir(&source))? {
                let entry = at(&source, entry)?;
                pending.push((entry.path(), target.join(entry.file_name())));
            }
            directories.push((target, metadata));
        } else if metadata.is_symlink() {
            let link = at(&source, fs::read_link(&source))?;
            at(&target, symlink(link, &target))?;
            at(&target, set_mtime(&target, &metadata))?;
        } else if fs::hard_link(&source, &target).is_err() {
            at(&source, fs::copy(&source, &target))?;
            at(&target, set_mtime(&target, &metadata))?;
        }
    }
    // Only now: a directory of the store is read-only, and each entry made in it changes its time.
    for (directory, metadata) in directories {
        let mode = fs::Permissions::from_mode(metadata.mode() & 0o7777);
        at(&directory, fs::set_permissions(&directory, mode))?;
        at(&directory, set_mtime(&directory, &metadata))?;
    }
    Ok(())
}

fn set_mtime(path: &Path, metadata: &fs::Metadata) -> io::Result<()> {
    let time = Timespec {
        tv_sec: metadata.mtime(),
        tv_nsec: 0,
    };
    let times = Timestamps {
        last_access: time,
        last_modification: time,
    };
    Ok(utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?)
}

/// Removes a tree whose directories may be read-only, as those of the store are.
pub(super) fn remove(root: &Path) {
    let mut pending = vec![root.to_owned()];
    while let Some(directory) = pending.pop() {
        let _ = fs::set_permissions(&directory, fs::Permissions::from_mode(0o700));
        let Ok(entries) = fs::read_dir(&directory) else {
            continue;
        };
        for entry in entries.flatten() {
            if entry.file_type().is_ok_and(|t| t.is_dir()) {
                pending.push(entry.path());
            }
        }
    }
    let _ = fs::remove_dir_all(root);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_has_store_profile_and_what_was_added() {
        let host = tempfile::tempdir().unwrap();
        let path = host.path().join("abc-tool");
        fs::create_dir_all(path.join("bin")).unwrap();
        fs::write(path.join("bin/run"), "x").unwrap();
        symlink("/nix/store/abc-tool/bin/run", path.join("link")).unwrap();
        fs::set_permissions(path.join("bin/run"), fs::Permissions::from_mode(0o555)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o555)).unwrap();

        let root = host.path().join("root");
        let tree = RootTree {
            store_paths: vec![(path, "abc-tool".to_owned())],
            toplevel: "/nix/store/abc-tool".to_owned(),
            files: vec![RootFile::Regular {
                path: "/etc/systemd/system.attached/x.service".to_owned(),
                content: "[Unit]\n".to_owned(),
            }],
            seeds: Vec::new(),
        };
        let extent = tree.measure().unwrap();
        tree.lay_out(&root).unwrap();

        assert!(extent.bytes >= 4096 && extent.inodes >= 4);
        let store = root.join("nix/store/abc-tool");
        assert_eq!(fs::read_to_string(store.join("bin/run")).unwrap(), "x");
        assert_eq!(fs::metadata(&store).unwrap().mode() & 0o777, 0o555);
        assert!(
            fs::symlink_metadata(store.join("link"))
                .unwrap()
                .is_symlink()
        );
        assert_eq!(
            fs::read_link(root.join("nix/var/nix/profiles/system-1-link")).unwrap(),
            Path::new("/nix/store/abc-tool")
        );
        assert!(root.join("etc/NIXOS").exists());
        assert!(root.join("etc/systemd/system.attached/x.service").exists());
        remove(&root);
        assert!(!root.exists());
    }

    #[test]
    fn a_store_path_that_is_gone_is_named() {
        let host = tempfile::tempdir().unwrap();
        let error = RootTree {
            store_paths: vec![(host.path().join("gone"), "gone".to_owned())],
            toplevel: String::new(),
            files: Vec::new(),
            seeds: Vec::new(),
        }
        .lay_out(&host.path().join("root"))
        .unwrap_err();
        assert!(error.to_string().contains("gone"), "{error}");
    }
}
