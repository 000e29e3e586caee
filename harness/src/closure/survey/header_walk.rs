//! One walk over directory trees that reads the first bytes of every regular file, on any number of threads. `census` starts it
//! and counts; no link is followed, and nothing but regular files is opened.

use std::ffi::{CStr, OsStr};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir, openat, statat};
use rustix::io::Errno;

use super::census::Tally;

/// An ELF header is no longer (elf(5)).
const HEADER: usize = 64;
/// Directory entries are fetched by so much at once.
const ENTRIES_BUFFER: usize = 32 << 10;
/// What the names of directories that are still to be walked may take. Depth first, the largest closures stay below a hundredth
/// of it.
const MAX_PENDING_BYTES: usize = 16 << 20;
/// The largest desktop closures have about a million entries.
const MAX_ENTRIES: u64 = 20_000_000;
/// Without a link between the check of the kind and the opening, and without waiting for a pipe's writer.
const OPEN: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// Trees that are being walked.
pub(super) struct Walk {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    pending: Vec<Directory>,
    pending_bytes: usize,
    /// Threads that have a directory in hand, and may add others.
    busy: usize,
    entries: u64,
    done: Tally,
}

/// A directory, or at the beginning anything that a store path may be.
struct Directory {
    top: usize,
    path: PathBuf,
    is_top: bool,
}

impl Walk {
    /// A walk of these trees, each known by its index.
    pub(super) fn of(tops: impl Iterator<Item = PathBuf>) -> Self {
        let pending = tops
            .enumerate()
            .map(|(top, path)| Directory {
                top,
                path,
                is_top: true,
            })
            .collect();
        let state = State {
            pending,
            ..State::default()
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    /// Walks until nothing is left. Each thread that calls it takes a directory at a time.
    pub(super) fn work(&self) {
        let mut tally = Tally::default();
        let mut buffer = vec![MaybeUninit::uninit(); ENTRIES_BUFFER];
        while let Some(directory) = self.next() {
            let mut found = Found::default();
            read(&directory, &mut buffer, &mut tally, &mut found);
            tally.census.unread += self.put(&directory, found);
        }
        self.state().done.add(tally);
    }

    /// What all threads have counted; to be called when each has returned from [`Self::work`].
    pub(super) fn finish(self) -> Tally {
        let state = self.state.into_inner();
        state.unwrap_or_else(PoisonError::into_inner).done
    }

    /// The next directory; waits while another thread may still find some.
    fn next(&self) -> Option<Directory> {
        let mut state = self.state();
        loop {
            if let Some(directory) = state.pending.pop() {
                if !directory.is_top {
                    state.pending_bytes -= directory.path.as_os_str().len();
                }
                state.busy += 1;
                return Some(directory);
            }
            if state.busy == 0 {
                return None;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Adds what a directory holds to what is to be walked; how many directories are left out.
    fn put(&self, from: &Directory, found: Found) -> u64 {
        let mut left_out = found.left_out;
        let mut state = self.state();
        state.busy -= 1;
        state.entries += found.entries;
        for name in found.directories {
            let length = from.path.as_os_str().len() + 1 + name.len();
            if state.pending_bytes + length > MAX_PENDING_BYTES || state.entries > MAX_ENTRIES {
                left_out += 1;
                continue;
            }
            let mut path = PathBuf::with_capacity(length);
            path.push(&from.path);
            path.push(OsStr::from_bytes(&name));
            state.pending_bytes += path.as_os_str().len();
            state.pending.push(Directory {
                top: from.top,
                path,
                is_top: false,
            });
        }
        self.changed.notify_all();
        left_out
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a directory holds that is still to be walked.
#[derive(Default)]
struct Found {
    directories: Vec<Box<[u8]>>,
    bytes: usize,
    left_out: u64,
    entries: u64,
}

impl Found {
    fn directory(&mut self, name: &CStr) {
        self.bytes += name.count_bytes();
        if self.bytes > MAX_PENDING_BYTES {
            self.left_out += 1;
        } else {
            self.directories.push(name.to_bytes().into());
        }
    }
}

/// Counts everything in a directory, and gathers the directories in it.
fn read(
    directory: &Directory,
    buffer: &mut [MaybeUninit<u8>],
    tally: &mut Tally,
    found: &mut Found,
) {
    let Directory { top, path, is_top } = directory;
    if *is_top {
        match kind_of(CWD, path) {
            Some(FileType::Directory) => {}
            kind => return count(*top, CWD, path, kind, tally),
        }
    }
    tally.census.directories += 1;
    let Ok(opened) = openat(CWD, path, OPEN | OFlags::DIRECTORY, Mode::empty()) else {
        tally.census.unread += 1;
        return;
    };
    let mut entries = RawDir::new(opened.as_fd(), buffer);
    while let Some(entry) = entries.next() {
        let Ok(entry) = entry else {
            tally.census.unread += 1;
            return;
        };
        let name = entry.file_name();
        if [c".", c".."].contains(&name) {
            continue;
        }
        found.entries += 1;
        // Some file systems do not tell the kind with the name.
        let kind = match entry.file_type() {
            FileType::Unknown => kind_of(opened.as_fd(), name),
            kind => Some(kind),
        };
        if kind == Some(FileType::Directory) {
            found.directory(name);
        } else {
            count(*top, opened.as_fd(), name, kind, tally);
        }
    }
}

fn kind_of(at: BorrowedFd, name: impl rustix::path::Arg) -> Option<FileType> {
    let stat = statat(at, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    Some(FileType::from_raw_mode(stat.st_mode))
}

/// Counts what is no directory; `None` is something that could not be looked at.
fn count(
    top: usize,
    at: BorrowedFd,
    name: impl rustix::path::Arg,
    kind: Option<FileType>,
    tally: &mut Tally,
) {
    match kind {
        Some(FileType::Symlink) => tally.census.links += 1,
        Some(FileType::RegularFile) => {
            let mut header = [0; HEADER];
            match read_header(at, name, &mut header) {
                Ok(length) => tally.file(top, &header[..length]),
                Err(_) => tally.census.unread += 1,
            }
        }
        // A pipe, a socket or a device: no store has one, and none is opened.
        Some(_) => {}
        None => tally.census.unread += 1,
    }
}

fn read_header(
    at: BorrowedFd,
    name: impl rustix::path::Arg,
    header: &mut [u8; HEADER],
) -> Result<usize, Errno> {
    let file = openat(at, name, OPEN, Mode::empty())?;
    rustix::io::retry_on_intr(|| rustix::io::read(&file, &mut header[..]))
}
