use std::fs::{self, File};
use std::io::{self, Read};
use std::path::PathBuf;

use super::{Closure, path_walk};

/// More entries than any directory of units, modules or nginx files has.
const MAX_ENTRIES: usize = 50_000;
/// Configuration text; the largest in practice, nginx's with thousands of hosts, stays well below.
pub(super) const TEXT_LIMIT: u64 = 8 << 20;

/// Why a file of the closure could not be read; text for the facts' `unreadable`.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    #[error("`{0}` does not exist in the closure")]
    Missing(String),
    #[error("`{0}` is outside the closure")]
    Outside(String),
    /// What a masked unit links to.
    #[error("it is a link to /dev/null")]
    NullDevice,
    #[error("`{0}` leads through too many symbolic links")]
    LinkLoop(String),
    #[error("`{0}` is no regular file")]
    NotAFile(String),
    #[error("`{path}` is larger than {limit} bytes")]
    TooLarge { path: String, limit: u64 },
    #[error("`{path}` has more than {limit} entries")]
    TooMany { path: String, limit: usize },
    #[error("`{0}` is not UTF-8 text")]
    NotText(String),
    #[error("`{path}` is not understood: {reason}")]
    Format { path: String, reason: String },
    #[error("cannot read `{path}`: {reason}")]
    Io { path: String, reason: io::Error },
}

/// Reads files of the closure by the paths that they have on the machine that runs it.
///
/// `/nix/store/…` must be a path of the closure; `/etc/…` and `/etc/static/…` are the toplevel's `etc`, as activation links it;
/// `/run/current-system/…` is the toplevel. Everything else is outside. Links are followed by the same rules, never by the host's.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClosureFiles<'a> {
    closure: &'a Closure,
}

/// A path without links, in both worlds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resolved {
    pub(super) logical: String,
    pub(super) host: PathBuf,
}

impl<'a> ClosureFiles<'a> {
    pub(super) fn new(closure: &'a Closure) -> Self {
        Self { closure }
    }

    pub(super) fn closure(&self) -> &'a Closure {
        self.closure
    }

    /// The logical path of something in the toplevel.
    pub(super) fn in_toplevel(&self, below: &str) -> String {
        format!("{}/{below}", self.closure.toplevel)
    }

    /// Follows all links of a logical path.
    pub(super) fn resolve(&self, path: &str) -> Result<Resolved, FileError> {
        path_walk::walk(self.closure, path).map(|(resolved, _)| resolved)
    }

    /// Opens a regular file.
    pub(super) fn open(&self, path: &str) -> Result<File, FileError> {
        self.open_with_length(path).map(|(file, _)| file)
    }

    fn open_with_length(&self, path: &str) -> Result<(File, u64), FileError> {
        let (Resolved { host, .. }, metadata) = path_walk::walk(self.closure, path)?;
        // Asked before it is opened: to open a FIFO would wait for a writer.
        if !metadata.is_file() {
            return Err(FileError::NotAFile(path.to_owned()));
        }
        let file = File::open(host).map_err(|reason| FileError::Io {
            path: path.to_owned(),
            reason,
        })?;
        Ok((file, metadata.len()))
    }

    /// Reads a whole file of at most `limit` bytes.
    pub(super) fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, FileError> {
        let bytes = self.header(path, limit.saturating_add(1))?;
        if bytes.len() as u64 > limit {
            return Err(FileError::TooLarge {
                path: path.to_owned(),
                limit,
            });
        }
        Ok(bytes)
    }

    /// Reads at most the first `length` bytes of a file.
    pub(super) fn header(&self, path: &str, length: u64) -> Result<Vec<u8>, FileError> {
        let (file, size) = self.open_with_length(path)?;
        // One more than there is, so that the end is seen without growing.
        let expected = length.min(size.saturating_add(1)).min(TEXT_LIMIT);
        let mut bytes = Vec::with_capacity(expected as usize);
        file.take(length)
            .read_to_end(&mut bytes)
            .map_err(|reason| FileError::Io {
                path: path.to_owned(),
                reason,
            })?;
        Ok(bytes)
    }

    /// Reads a whole text file of at most [`TEXT_LIMIT`].
    pub(super) fn text(&self, path: &str) -> Result<String, FileError> {
        String::from_utf8(self.read(path, TEXT_LIMIT)?)
            .map_err(|_| FileError::NotText(path.to_owned()))
    }

    /// The names in a directory, sorted; what is not UTF-8 is left out.
    ///
    /// A directory with more than [`MAX_ENTRIES`] is refused: which of them come first is the file system's business, and what
    /// is not among them would seem to be missing.
    pub(super) fn list(&self, path: &str) -> Result<Vec<String>, FileError> {
        self.list_at_most(path, MAX_ENTRIES)
    }

    fn list_at_most(&self, path: &str, limit: usize) -> Result<Vec<String>, FileError> {
        let io = |reason| FileError::Io {
            path: path.to_owned(),
            reason,
        };
        let entries = fs::read_dir(self.resolve(path)?.host).map_err(io)?;
        let mut names = Vec::new();
        for (count, entry) in entries.enumerate() {
            if count == limit {
                return Err(FileError::TooMany {
                    path: path.to_owned(),
                    limit,
                });
            }
            if let Ok(name) = entry.map_err(io)?.file_name().into_string() {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Whether the toplevel has an entry of this name, be it a link that leads nowhere.
    pub(super) fn has_entry(&self, name: &str) -> bool {
        let host = self.closure.host_path(&self.closure.toplevel).join(name);
        host.symlink_metadata().is_ok()
    }

    pub(super) fn is_there(&self, path: &str) -> bool {
        self.resolve(path).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::FakeClosure;

    #[test]
    fn links_are_followed_as_the_machine_follows_them() {
        let fake = FakeClosure::new();
        fake.store_file("etc", "hosts", "127.0.0.1 localhost");
        fake.link("toplevel", "etc/hosts", &fake.path_of("etc", "hosts"));
        fake.link("toplevel", "etc/alias", "/etc/static/hosts");
        fake.link("toplevel", "relative", "./etc/../etc/alias");
        let closure = fake.closure();
        let files = ClosureFiles::new(&closure);
        for path in ["/etc/hosts", "/etc/alias", "/run/current-system/relative"] {
            assert_eq!(files.text(path).unwrap(), "127.0.0.1 localhost");
        }
        assert_eq!(
            files.resolve("/etc/alias").unwrap().logical,
            fake.path_of("etc", "hosts")
        );
    }

    #[test]
    fn nothing_outside_the_closure_is_read() {
        let fake = FakeClosure::new();
        fake.link("toplevel", "secret", "/root/secret");
        fake.link("toplevel", "climb", "../../../../etc/passwd");
        fake.link("toplevel", "host", "/proc/self/environ");
        let closure = fake.closure();
        let files = ClosureFiles::new(&closure);
        for name in ["secret", "climb", "host"] {
            let error = files.text(&files.in_toplevel(name)).unwrap_err();
            assert!(matches!(error, FileError::Outside(_)), "{name}: {error}");
        }
        let stranger = "/nix/store/1fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-stranger/file";
        assert!(matches!(files.text(stranger), Err(FileError::Outside(_))));
    }

    #[test]
    fn loops_sizes_and_directories_are_bounded() {
        let fake = FakeClosure::new();
        fake.link("toplevel", "a", "b");
        fake.link("toplevel", "b", "a");
        fake.file("big", "0123456789");
        let closure = fake.closure();
        let files = ClosureFiles::new(&closure);
        let read = |name: &str| files.read(&files.in_toplevel(name), 4);
        assert!(matches!(read("a"), Err(FileError::LinkLoop(_))));
        assert!(matches!(read("big"), Err(FileError::TooLarge { .. })));
        assert!(matches!(read("etc"), Err(FileError::NotAFile(_))));
        assert!(matches!(read("gone"), Err(FileError::Missing(_))));
        assert!(matches!(read("big/below"), Err(FileError::Missing(_))));
        fake.file("dir/x", "");
        fake.file("dir/y", "");
        let list = |limit| files.list_at_most(&files.in_toplevel("dir"), limit);
        assert_eq!(list(2).unwrap(), ["x", "y"]);
        assert!(matches!(list(1), Err(FileError::TooMany { .. })));
    }
}
