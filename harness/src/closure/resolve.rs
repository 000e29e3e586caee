use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::initrd::KnownInitrd;
use super::listing::Listing;
use super::path_walk::KnownDirectories;
use super::source::store_dir;
use super::{ClosureError, Source, locate, references};
use crate::vocabulary::{STORE_DIR, StorePath};

/// A toplevel and everything that it refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closure {
    pub source: Source,
    pub toplevel: StorePath,
    /// Every path of the closure, sorted; closed under references.
    pub paths: Vec<StorePath>,
    /// A file on this host that `nix-store --load-db` reads, where the source has one.
    pub registration: Option<PathBuf>,
    pub references: ReferencesBy,
    pub(super) known: KnownDirectories,
    pub(super) initrd: KnownInitrd,
}

/// How the references between store paths were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferencesBy {
    /// `nix-store -qR`.
    Nix,
    /// The store's hashes were looked for in the files, because Nix could not be asked.
    Scan,
    /// The closure directory's `registration`.
    Registration,
    /// The closure directory's `store-paths`, taken whole.
    StorePaths,
}

impl ReferencesBy {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nix => "nix-store",
            Self::Scan => "a scan of the files",
            Self::Registration => "registration",
            Self::StorePaths => "store-paths",
        }
    }
}

impl Closure {
    /// Where a store path of this closure is on the host.
    pub fn host_path(&self, path: &StorePath) -> PathBuf {
        self.source.host_path(path)
    }

    pub fn contains(&self, path: &StorePath) -> bool {
        self.paths.binary_search(path).is_ok()
    }

    /// What the paths take on a disk, in bytes: every file rounded up to blocks of 4 KiB. Looks at every file.
    ///
    /// # Errors
    /// When a directory of the closure cannot be read.
    pub fn disk_bytes(&self) -> Result<u64, ClosureError> {
        let mut bytes: u64 = 0;
        for path in &self.paths {
            bytes = bytes.saturating_add(disk_usage(&self.host_path(path))?);
        }
        Ok(bytes)
    }
}

/// Finds the toplevel that a user named, and its closure.
///
/// `toplevel` is a logical store path, a path under the store's root, or a link to one (`./result`,
/// `/nix/var/nix/profiles/system`).
///
/// # Errors
/// When the toplevel is not there, is none, or is outside the store; when the closure is not whole.
pub fn resolve(source: &Source, toplevel: &str) -> Result<Closure, ClosureError> {
    match source {
        Source::Store { root } => resolve_in_store(root, toplevel),
        Source::Directory { dir } => {
            let toplevel = locate::in_directory(toplevel)?;
            let listing = Listing::read(dir)?;
            if !listing.lists(&toplevel) {
                return Err(ClosureError::NotListed(toplevel, listing.file()));
            }
            listed(source.clone(), listing, toplevel)
        }
    }
}

/// Finds the only toplevel of a closure directory, and its closure.
///
/// # Errors
/// As [`resolve`], and when there is no toplevel or several.
pub fn resolve_directory(dir: &Path) -> Result<Closure, ClosureError> {
    let source = Source::Directory {
        dir: dir.to_owned(),
    };
    let listing = Listing::read(dir)?;
    let mut candidates: Vec<StorePath> = listing
        .roots()
        .into_iter()
        .filter(|path| missing_of_toplevel(&source.host_path(path)).is_none())
        .collect();
    match candidates.len() {
        0 => Err(ClosureError::NoToplevel(dir.to_owned())),
        1 => listed(source, listing, candidates.remove(0)),
        _ => Err(ClosureError::SeveralToplevels {
            dir: dir.to_owned(),
            candidates,
        }),
    }
}

/// Finds the only toplevel of a chroot store that is not another one's, such as a specialisation's.
///
/// # Errors
/// As [`resolve`], and when there is no toplevel or several.
pub fn only_toplevel(root: &Path) -> Result<StorePath, ClosureError> {
    let source = Source::Store {
        root: root.to_owned(),
    };
    let store = store_dir(root);
    let mut candidates = Vec::new();
    for entry in fs::read_dir(&store).map_err(ClosureError::io(&store))? {
        let name = entry.map_err(ClosureError::io(&store))?.file_name();
        let path = StorePath::parse(&format!("{STORE_DIR}/{}", name.to_string_lossy()));
        candidates.extend(path);
    }
    candidates.retain(|path| missing_of_toplevel(&source.host_path(path)).is_none());
    if candidates.len() > 1 {
        let mut referred = BTreeSet::new();
        for candidate in &candidates {
            let closure = resolve_in_store(root, candidate.as_str())?;
            referred.extend(closure.paths.into_iter().filter(|path| path != candidate));
        }
        candidates.retain(|path| !referred.contains(path));
    }
    candidates.sort();
    match candidates.len() {
        0 => Err(ClosureError::NoToplevel(root.to_owned())),
        1 => Ok(candidates.remove(0)),
        _ => Err(ClosureError::SeveralToplevels {
            dir: root.to_owned(),
            candidates,
        }),
    }
}

fn resolve_in_store(root: &Path, toplevel: &str) -> Result<Closure, ClosureError> {
    // Relative roots would mean something else to a child process in another directory.
    let root = root.canonicalize().map_err(ClosureError::io(root))?;
    let toplevel = locate::in_store(&root, toplevel)?;
    let source = Source::Store { root: root.clone() };
    require_toplevel(&source, &toplevel)?;
    let (paths, references) = match references::by_nix(&root, &toplevel)? {
        Some(paths) => (paths, ReferencesBy::Nix),
        None => (references::by_scan(&root, &toplevel)?, ReferencesBy::Scan),
    };
    finish(source, toplevel, paths, None, references)
}

fn listed(source: Source, listing: Listing, toplevel: StorePath) -> Result<Closure, ClosureError> {
    require_toplevel(&source, &toplevel)?;
    let paths = listing.closure_of(&toplevel)?;
    let (registration, references) = match listing {
        Listing::Registration { file, .. } => (Some(file), ReferencesBy::Registration),
        Listing::StorePaths { .. } => (None, ReferencesBy::StorePaths),
    };
    finish(source, toplevel, paths, registration, references)
}

fn require_toplevel(source: &Source, toplevel: &StorePath) -> Result<(), ClosureError> {
    let host_path = source.host_path(toplevel);
    if host_path.symlink_metadata().is_err() {
        return Err(ClosureError::NotFound(toplevel.to_string()));
    }
    match missing_of_toplevel(&host_path) {
        None => Ok(()),
        Some(missing) => Err(ClosureError::NotAToplevel {
            path: toplevel.clone(),
            missing: missing.to_owned(),
        }),
    }
}

/// The first thing that every bootable toplevel has, and this path has not.
///
/// From nixpkgs' `top-level.nix`: these five are there since the beginning, whatever stage 1 and bootloader are; a container's
/// toplevel has no kernel.
fn missing_of_toplevel(host_path: &Path) -> Option<&'static str> {
    ["init", "kernel", "initrd", "etc", "system"]
        .into_iter()
        .find(|name| host_path.join(name).symlink_metadata().is_err())
}

fn finish(
    source: Source,
    toplevel: StorePath,
    paths: BTreeSet<StorePath>,
    registration: Option<PathBuf>,
    references: ReferencesBy,
) -> Result<Closure, ClosureError> {
    for path in &paths {
        let host_path = source.host_path(path);
        if host_path.symlink_metadata().is_err() {
            return Err(ClosureError::Incomplete {
                path: path.clone(),
                host_path,
            });
        }
    }
    Ok(Closure {
        source,
        toplevel,
        paths: paths.into_iter().collect(),
        registration,
        references,
        known: KnownDirectories::default(),
        initrd: KnownInitrd::default(),
    })
}

fn disk_usage(top: &Path) -> Result<u64, ClosureError> {
    const BLOCK: u64 = 4096;
    let mut bytes: u64 = 0;
    let mut pending = vec![top.to_owned()];
    while let Some(path) = pending.pop() {
        let metadata = path.symlink_metadata().map_err(ClosureError::io(&path))?;
        if metadata.is_dir() {
            bytes = bytes.saturating_add(BLOCK);
            for entry in fs::read_dir(&path).map_err(ClosureError::io(&path))? {
                pending.push(entry.map_err(ClosureError::io(&path))?.path());
            }
        } else {
            let blocks = metadata.len().div_ceil(BLOCK);
            bytes = bytes.saturating_add(blocks.saturating_mul(BLOCK));
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
