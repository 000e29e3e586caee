//! The NAR of a store path, hashed as it is made and never kept: what Nix's database holds the hash of.
//!
//! The format is that of Nix's `archive.cc`: strings with their length before them, padded to eight bytes; a node is a regular file with
//! its x bit, a link, or a directory with its entries in the order of their bytes. Owners, times and other bits are no part of it.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::nar_hash::NarHash;

const CHUNK: usize = 1 << 16;
/// More entries than any directory of a package has.
const MAX_ENTRIES: usize = 1_000_000;
/// Files that are named of each kind.
const MAX_NAMED: usize = 5;
/// Nix sets this time on everything in a store.
const STORE_TIME: i64 = 1;

/// What the files of a store path add up to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Nar {
    pub(super) hash: NarHash,
    /// Bytes of the NAR.
    pub(super) size: u64,
    pub(super) traces: Traces,
}

/// Files that look as damage leaves them, below the store path; each is a hint and no proof.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Traces {
    /// Nothing but zero bytes: blocks that never reached the disk.
    pub(super) zeroed: Vec<String>,
    /// Nothing any more: among the empty and the touched.
    pub(super) emptied: Vec<String>,
    /// No bytes at all, as some files of most packages.
    pub(super) empty: Vec<String>,
    /// Written to after Nix had set the store's own time, where most files still have it.
    pub(super) touched: Vec<String>,
}

/// Makes the NAR of `top`, following no link.
///
/// # Errors
/// When something cannot be read, is neither file, link nor directory, or changes while it is read.
pub(super) fn of(top: &Path) -> io::Result<Nar> {
    let mut writer = Writer {
        top,
        hasher: Sha256::new(),
        size: 0,
        traces: Traces::default(),
        files: 0,
        with_other_time: 0,
        buffer: vec![0; CHUNK],
    };
    writer.string(b"nix-archive-1");
    writer.tree()?;
    let mut traces = writer.traces;
    // A copy that kept no times tells nothing by them.
    if writer.with_other_time * 2 > writer.files {
        traces.touched.clear();
        traces.emptied.clear();
    }
    Ok(Nar {
        hash: NarHash(writer.hasher.finalize().into()),
        size: writer.size,
        traces,
    })
}

struct Writer<'a> {
    top: &'a Path,
    hasher: Sha256,
    size: u64,
    traces: Traces,
    files: usize,
    with_other_time: usize,
    buffer: Vec<u8>,
}

/// A directory whose entries are being written.
struct Open {
    place: PathBuf,
    /// The names that are left, last first.
    names: Vec<Vec<u8>>,
}

impl Writer<'_> {
    fn tree(&mut self) -> io::Result<()> {
        let mut open: Vec<Open> = Vec::new();
        let top = self.top.to_owned();
        open.extend(self.node(top)?);
        while let Some(directory) = open.last_mut() {
            let Some(name) = directory.names.pop() else {
                open.pop();
                self.string(b")");
                // The top is no entry of a directory.
                if !open.is_empty() {
                    self.string(b")");
                }
                continue;
            };
            let place = directory.place.join(std::ffi::OsStr::from_bytes(&name));
            for part in [b"entry" as &[u8], b"(", b"name", &name, b"node"] {
                self.string(part);
            }
            match self.node(place)? {
                Some(inner) => open.push(inner),
                None => self.string(b")"),
            }
        }
        Ok(())
    }

    /// Writes a file or a link, or the beginning of a directory, which is given back.
    fn node(&mut self, place: PathBuf) -> io::Result<Option<Open>> {
        let metadata = place.symlink_metadata()?;
        self.string(b"(");
        self.string(b"type");
        if metadata.is_dir() {
            self.string(b"directory");
            let names = sorted_names(&place)?;
            return Ok(Some(Open { place, names }));
        }
        if metadata.is_symlink() {
            let target = fs::read_link(&place)?;
            for part in [
                b"symlink" as &[u8],
                b"target",
                target.as_os_str().as_bytes(),
            ] {
                self.string(part);
            }
        } else if metadata.is_file() {
            self.file(&place, &metadata)?;
        } else {
            return Err(io::Error::other("neither file, link nor directory"));
        }
        self.string(b")");
        Ok(None)
    }

    fn file(&mut self, place: &Path, metadata: &Metadata) -> io::Result<()> {
        const OWNER_EXECUTES: u32 = 0o100;
        self.string(b"regular");
        if metadata.mode() & OWNER_EXECUTES != 0 {
            self.string(b"executable");
            self.string(b"");
        }
        self.string(b"contents");
        let length = metadata.len();
        self.write(&length.to_le_bytes());
        let mut file = File::open(place)?;
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut left = length;
        let mut all_zero = true;
        while left > 0 {
            let most = buffer
                .len()
                .min(usize::try_from(left).unwrap_or(usize::MAX));
            let read = file.read(&mut buffer[..most])?;
            if read == 0 {
                return Err(io::Error::other("it changed while it was read"));
            }
            all_zero = all_zero && buffer[..read].iter().all(|byte| *byte == 0);
            self.write(&buffer[..read]);
            left -= read as u64;
        }
        self.buffer = buffer;
        self.pad(length);
        self.trace(place, metadata, all_zero);
        Ok(())
    }

    fn trace(&mut self, place: &Path, metadata: &Metadata, all_zero: bool) {
        self.files += 1;
        let was_touched = metadata.mtime() != STORE_TIME;
        self.with_other_time += usize::from(was_touched);
        let below = place.strip_prefix(self.top).unwrap_or(place);
        let note = |holds: bool, names: &mut Vec<String>| {
            if holds && names.len() < MAX_NAMED {
                names.push(below.to_string_lossy().into_owned());
            }
        };
        let is_empty = metadata.len() == 0;
        note(is_empty, &mut self.traces.empty);
        note(is_empty && was_touched, &mut self.traces.emptied);
        note(!is_empty && all_zero, &mut self.traces.zeroed);
        note(was_touched, &mut self.traces.touched);
    }

    fn string(&mut self, bytes: &[u8]) {
        let length = bytes.len() as u64;
        self.write(&length.to_le_bytes());
        self.write(bytes);
        self.pad(length);
    }

    fn pad(&mut self, length: u64) {
        let over = (length % 8) as usize;
        if over > 0 {
            self.write(&[0; 8][over..]);
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
    }
}

/// In descending order, so that the first is taken off the end.
fn sorted_names(place: &Path) -> io::Result<Vec<Vec<u8>>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(place)? {
        if names.len() >= MAX_ENTRIES {
            return Err(io::Error::other("a directory of it has too many entries"));
        }
        names.push(entry?.file_name().into_vec());
    }
    names.sort_unstable_by(|a, b| b.cmp(a));
    Ok(names)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    // By `nix-hash --type sha256 --base32`, and `nix-store --dump`, of the same tree.
    const OF_TREE: &str = "sha256:0f24mhrwdd6vga2283p4izpwgdask3vmppgrhxbkfwskv71l199n";
    const OF_FILE: &str = "sha256:1cybv4dcqggyyw0zmkxsrwyiwvkd5rsdp028vl8jbpwhm815v7fn";
    const OF_LINK: &str = "sha256:06rn9hcxchrda0252ssm1aa5fixn2sxg0kg4xwynqhiwvcf3bckm";
    const SIZE: u64 = 1432;

    fn tree() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let top = root.path().join("top");
        fs::create_dir_all(top.join("sub")).unwrap();
        fs::create_dir(top.join("none")).unwrap();
        fs::write(top.join("B"), "12345678").unwrap();
        fs::write(top.join("a"), "text\n").unwrap();
        fs::write(top.join("sub/run"), "#!/bin/sh\n").unwrap();
        let executable = fs::Permissions::from_mode(0o555);
        fs::set_permissions(top.join("sub/run"), executable).unwrap();
        fs::write(top.join("sub.d"), "").unwrap();
        symlink("../nowhere", top.join("sub/link")).unwrap();
        root
    }

    #[test]
    fn a_tree_has_the_hash_that_nix_gives_it() {
        let nar = of(&tree().path().join("top")).unwrap();
        assert_eq!(nar.hash.to_string(), OF_TREE);
        assert_eq!(nar.size, SIZE);
        assert_eq!(nar.traces.empty, ["sub.d"]);
    }

    #[test]
    fn a_store_path_may_be_a_file_or_a_link() {
        let root = tree();
        let file = of(&root.path().join("top/a")).unwrap();
        assert_eq!(file.hash.to_string(), OF_FILE);
        let link = of(&root.path().join("top/sub/link")).unwrap();
        assert_eq!(link.hash.to_string(), OF_LINK);
    }

    #[test]
    fn what_is_no_file_is_an_error_and_not_waited_for() {
        let root = tempfile::tempdir().unwrap();
        let socket = root.path().join("socket");
        let _bound = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert!(of(&socket).is_err());
        assert!(of(&root.path().join("gone")).is_err());
    }

    #[test]
    fn files_that_lost_their_bytes_leave_a_trace() {
        let root = tree();
        let top = root.path().join("top");
        fs::write(top.join("zero"), [0; 100_000]).unwrap();
        let store_time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1);
        fs::write(top.join("lost"), "").unwrap();
        for name in ["B", "a", "sub/run", "sub.d"] {
            let file = File::open(top.join(name)).unwrap();
            file.set_modified(store_time).unwrap();
        }
        let traces = of(&top).unwrap().traces;
        assert_eq!(traces.zeroed, ["zero"]);
        assert_eq!(traces.emptied, ["lost"]);
        assert_eq!(traces.touched, ["lost", "zero"]);
        assert_eq!(traces.empty, ["lost", "sub.d"]);
    }
}
