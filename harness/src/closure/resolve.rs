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
mod tests {
    use super::*;
    use crate::closure::testing::FakeClosure;

    fn in_store(fake: &FakeClosure, toplevel: &str) -> Result<Closure, ClosureError> {
        let root = fake.root().to_owned();
        resolve(&Source::Store { root }, toplevel)
    }

    /// Turns the fake's chroot store into a closure directory.
    fn record(fake: &FakeClosure, name: &str, references: &[&str]) -> String {
        let references: Vec<_> = references.iter().map(|r| fake.store_path(r)).collect();
        let lines = references.iter().map(|r| format!("{r}\n"));
        format!(
            "{}\nsha256:0\n1\n\n{}\n{}",
            fake.store_path(name),
            references.len(),
            lines.collect::<String>()
        )
    }

    #[test]
    fn a_store_without_a_database_is_scanned() {
        let fake = FakeClosure::new();
        let kernel = fake.store_file("linux", "bzImage", "kernel");
        fake.store_file("unrelated", "file", "");
        fake.link("toplevel", "linked-kernel", &kernel);
        let toplevel = fake.store_path("toplevel");
        let closure = in_store(&fake, toplevel.as_str()).unwrap();
        assert_eq!(closure.references, ReferencesBy::Scan);
        assert_eq!(closure.paths.len(), 2);
        assert!(closure.contains(&fake.store_path("linux")));
        assert!(!closure.contains(&fake.store_path("unrelated")));
        assert!(closure.disk_bytes().unwrap() >= 2 * 4096);
    }

    #[test]
    fn a_path_without_a_kernel_is_no_toplevel() {
        let fake = FakeClosure::new();
        fake.store_file("container", "init", "");
        let error = in_store(&fake, fake.store_path("container").as_str()).unwrap_err();
        let ClosureError::NotAToplevel { missing, .. } = error else {
            panic!("{error}");
        };
        assert_eq!(missing, "kernel");
    }

    #[test]
    fn the_only_root_of_a_closure_directory_is_its_toplevel() {
        let fake = FakeClosure::new();
        fake.store_file("linux", "bzImage", "kernel");
        fake.store_file("stray", "file", "");
        let records = record(&fake, "toplevel", &["linux"])
            + &record(&fake, "linux", &[])
            + &record(&fake, "stray", &[]);
        fs::write(fake.root().join("registration"), records).unwrap();
        let closure = resolve_directory(fake.root()).unwrap();
        assert_eq!(closure.toplevel, fake.store_path("toplevel"));
        assert_eq!(closure.paths.len(), 2);
        assert_eq!(closure.references, ReferencesBy::Registration);
        assert!(closure.registration.is_some());
    }

    #[test]
    fn several_toplevels_are_listed_and_one_can_be_named() {
        let fake = FakeClosure::new();
        for name in ["init", "kernel", "initrd", "etc", "system"] {
            fake.store_file("other", name, "");
        }
        let records = record(&fake, "toplevel", &[]) + &record(&fake, "other", &[]);
        fs::write(fake.root().join("registration"), records).unwrap();
        let error = resolve_directory(fake.root()).unwrap_err();
        assert!(error.to_string().contains("-other"), "{error}");
        assert!(matches!(error, ClosureError::SeveralToplevels { .. }));
        let dir = fake.root().to_owned();
        let named = resolve(
            &Source::Directory { dir },
            fake.store_path("other").base_name(),
        );
        assert_eq!(named.unwrap().toplevel, fake.store_path("other"));
    }

    #[test]
    fn a_toplevel_that_another_one_refers_to_is_not_the_one() {
        let fake = FakeClosure::new();
        assert_eq!(
            only_toplevel(fake.root()).unwrap(),
            fake.store_path("toplevel")
        );
        for name in ["init", "kernel", "initrd", "etc", "system"] {
            fake.store_file("special", name, "");
        }
        let error = only_toplevel(fake.root()).unwrap_err();
        assert!(
            matches!(error, ClosureError::SeveralToplevels { .. }),
            "{error}"
        );
        fake.link(
            "toplevel",
            "specialisation",
            &fake.store_path("special").to_string(),
        );
        assert_eq!(
            only_toplevel(fake.root()).unwrap(),
            fake.store_path("toplevel")
        );
    }

    #[test]
    fn store_paths_alone_are_taken_whole() {
        let fake = FakeClosure::new();
        fake.store_file("linux", "bzImage", "kernel");
        let listing = ["toplevel", "linux"].map(|name| format!("{}\n", fake.store_path(name)));
        fs::write(fake.root().join("store-paths"), listing.concat()).unwrap();
        let closure = resolve_directory(fake.root()).unwrap();
        assert_eq!(closure.references, ReferencesBy::StorePaths);
        assert_eq!(closure.paths.len(), 2);
    }

    #[test]
    fn a_closure_directory_that_lacks_something_is_an_error_that_names_it() {
        let fake = FakeClosure::new();
        let dir = fake.root();
        let error = resolve_directory(dir).unwrap_err();
        assert!(matches!(error, ClosureError::NoClosureFiles(_)), "{error}");

        fs::write(dir.join("store-paths"), "").unwrap();
        let error = resolve_directory(dir).unwrap_err();
        assert!(matches!(error, ClosureError::NoToplevel(_)), "{error}");

        let source = Source::Directory {
            dir: dir.to_owned(),
        };
        let error = resolve(&source, fake.store_path("toplevel").as_str()).unwrap_err();
        assert!(matches!(error, ClosureError::NotListed(..)), "{error}");

        let records = record(&fake, "toplevel", &["gone"]) + &record(&fake, "gone", &[]);
        fs::write(dir.join("registration"), records).unwrap();
        let error = resolve_directory(dir).unwrap_err();
        assert!(matches!(error, ClosureError::Incomplete { .. }), "{error}");

        fs::write(dir.join("registration"), record(&fake, "toplevel", &["x"])).unwrap();
        let error = resolve_directory(dir).unwrap_err();
        assert!(matches!(error, ClosureError::NotListed(..)), "{error}");

        fs::write(dir.join("registration"), "not a path\n").unwrap();
        let error = resolve_directory(dir).unwrap_err();
        assert!(
            matches!(error, ClosureError::Registration { line: 1, .. }),
            "{error}"
        );
    }
}
