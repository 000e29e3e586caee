use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::ClosureError;
use super::registration::Registration;
use crate::vocabulary::StorePath;

/// A large desktop's `registration` has some 10 MB.
const LIMIT: u64 = 256 << 20;

/// What a closure directory says that it holds.
pub(super) enum Listing {
    Registration {
        file: PathBuf,
        parsed: Registration,
    },
    StorePaths {
        file: PathBuf,
        paths: BTreeSet<StorePath>,
    },
}

impl Listing {
    /// Reads `registration`, or else `store-paths`, as nixpkgs' `closureInfo` writes them.
    pub(super) fn read(dir: &Path) -> Result<Self, ClosureError> {
        let file = dir.join("registration");
        if let Some(text) = read_if_there(&file)? {
            let parsed = Registration::parse(&file, &text)?;
            return Ok(Self::Registration { file, parsed });
        }
        let file = dir.join("store-paths");
        let Some(text) = read_if_there(&file)? else {
            return Err(ClosureError::NoClosureFiles(dir.to_owned()));
        };
        let mut paths = BTreeSet::new();
        for (index, line) in text.lines().enumerate() {
            let path = StorePath::parse(line).map_err(|_| ClosureError::Registration {
                file: file.clone(),
                line: index + 1,
                reason: "a store path was expected",
            })?;
            paths.insert(path);
        }
        Ok(Self::StorePaths { file, paths })
    }

    /// The file that was read.
    pub(super) fn file(&self) -> PathBuf {
        match self {
            Self::Registration { file, .. } | Self::StorePaths { file, .. } => file.clone(),
        }
    }

    pub(super) fn lists(&self, path: &StorePath) -> bool {
        match self {
            Self::Registration { parsed, .. } => parsed.references.contains_key(path),
            Self::StorePaths { paths, .. } => paths.contains(path),
        }
    }

    /// The paths that may be the toplevel: those that nothing refers to, where references are known.
    pub(super) fn roots(&self) -> Vec<StorePath> {
        match self {
            Self::Registration { parsed, .. } => parsed.roots(),
            Self::StorePaths { paths, .. } => paths.iter().cloned().collect(),
        }
    }

    /// The paths that `toplevel` needs; all that are listed, where references are not known.
    ///
    /// # Errors
    /// When a reference is not listed itself.
    pub(super) fn closure_of(
        &self,
        toplevel: &StorePath,
    ) -> Result<BTreeSet<StorePath>, ClosureError> {
        match self {
            Self::Registration { file, parsed } => parsed
                .reachable(toplevel)
                .map_err(|missing| ClosureError::NotListed(missing, file.clone())),
            Self::StorePaths { paths, .. } => Ok(paths.clone()),
        }
    }
}

fn read_if_there(file: &Path) -> Result<Option<String>, ClosureError> {
    let read = || {
        // Asked before it is opened: to open a FIFO would wait for a writer.
        if !fs::metadata(file)?.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        let mut text = String::new();
        let length = File::open(file)?.take(LIMIT).read_to_string(&mut text)?;
        if length as u64 == LIMIT {
            return Err(io::Error::other(
                "it is larger than the list of any closure",
            ));
        }
        Ok(text)
    };
    match read() {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ClosureError::io(file)(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_list_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(
            Listing::read(dir.path()),
            Err(ClosureError::NoClosureFiles(_))
        ));
        let file = dir.path().join("store-paths");
        for target in ["/dev/zero", "/"] {
            std::os::unix::fs::symlink(target, &file).unwrap();
            assert!(matches!(
                Listing::read(dir.path()),
                Err(ClosureError::Io { .. })
            ));
            fs::remove_file(&file).unwrap();
        }
        File::create(&file).unwrap().set_len(LIMIT + 1).unwrap();
        assert!(matches!(
            Listing::read(dir.path()),
            Err(ClosureError::Io { .. })
        ));
    }
}
