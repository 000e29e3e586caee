use std::fs::{self, File};
use std::io::{self, Read};
use std::path::PathBuf;

use super::Closure;
use crate::vocabulary::{STORE_DIR, StorePath};

/// As many links as Linux follows in one path (path_resolution(7)).
const MAX_LINKS: usize = 40;
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
        let missing = || FileError::Missing(path.to_owned());
        let mut pending = self.components(path, path)?;
        let mut real: Vec<String> = Vec::new();
        let mut links = 0;
        while let Some(component) = pending.pop() {
            if component == ".." {
                real.pop();
                continue;
            }
            real.push(component);
            let Some(host) = self.host_of(&real, path)? else {
                continue;
            };
            let metadata = host.symlink_metadata().map_err(|_| missing())?;
            if !metadata.is_symlink() {
                if !metadata.is_dir() && !pending.is_empty() {
                    return Err(missing());
                }
                continue;
            }
            links += 1;
            if links > MAX_LINKS {
                return Err(FileError::LinkLoop(path.to_owned()));
            }
            let target = fs::read_link(&host).map_err(|reason| FileError::Io {
                path: path.to_owned(),
                reason,
            })?;
            let target = target.to_str().ok_or_else(missing)?;
            if target.starts_with('/') {
                real.clear();
                pending.extend(self.components(target, path)?);
            } else {
                real.pop();
                pending.extend(split(target));
            }
        }
        match self.host_of(&real, path)? {
            Some(host) => Ok(Resolved {
                logical: format!("/{}", real.join("/")),
                host,
            }),
            None => Err(FileError::Outside(path.to_owned())),
        }
    }

    /// Opens a regular file.
    pub(super) fn open(&self, path: &str) -> Result<File, FileError> {
        let host = self.resolve(path)?.host;
        let io = |reason| FileError::Io {
            path: path.to_owned(),
            reason,
        };
        // Asked before it is opened: to open a FIFO would wait for a writer.
        if !host.symlink_metadata().map_err(io)?.is_file() {
            return Err(FileError::NotAFile(path.to_owned()));
        }
        File::open(host).map_err(io)
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
        let mut bytes = Vec::new();
        self.open(path)?
            .take(length)
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
    pub(super) fn list(&self, path: &str) -> Result<Vec<String>, FileError> {
        let io = |reason| FileError::Io {
            path: path.to_owned(),
            reason,
        };
        let entries = fs::read_dir(self.resolve(path)?.host).map_err(io)?;
        let mut names = Vec::new();
        for entry in entries.take(MAX_ENTRIES) {
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

    /// The components of an absolute path, last first, moved to where the closure has them.
    fn components(&self, path: &str, asked: &str) -> Result<Vec<String>, FileError> {
        let below = |prefix: &str| {
            path.strip_prefix(prefix)
                .filter(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let toplevel = self.closure.toplevel.as_str();
        let moved = if below(STORE_DIR).is_some() {
            path.to_owned()
        } else if let Some(rest) = below("/etc/static").or_else(|| below("/etc")) {
            format!("{toplevel}/etc{rest}")
        } else if let Some(rest) = below("/run/current-system") {
            format!("{toplevel}{rest}")
        } else if path == "/dev/null" {
            return Err(FileError::NullDevice);
        } else {
            return Err(FileError::Outside(asked.to_owned()));
        };
        Ok(split(&moved))
    }

    /// Where link-free components are on the host; `None` for `/`, `/nix` and `/nix/store` themselves.
    fn host_of(&self, real: &[String], asked: &str) -> Result<Option<PathBuf>, FileError> {
        let outside = || FileError::Outside(asked.to_owned());
        match real {
            [] => Ok(None),
            [nix] if nix == "nix" => Ok(None),
            [nix, store] if nix == "nix" && store == "store" => Ok(None),
            [nix, store, base, below @ ..] if nix == "nix" && store == "store" => {
                let path =
                    StorePath::parse(&format!("{STORE_DIR}/{base}")).map_err(|_| outside())?;
                if !self.closure.contains(&path) {
                    return Err(outside());
                }
                let mut host = self.closure.host_path(&path);
                host.extend(below);
                Ok(Some(host))
            }
            _ => Err(outside()),
        }
    }
}

fn split(path: &str) -> Vec<String> {
    path.split('/')
        .filter(|component| !component.is_empty() && *component != ".")
        .map(str::to_owned)
        .rev()
        .collect()
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
    }
}
