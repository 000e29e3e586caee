//! The least that anything can take which looks at every file: a walk that opens each regular file and reads 64 bytes of it, and
//! does nothing with them. It runs as a process of its own, from a release build, so that it is measured as bootproof is.

use std::ffi::OsStr;
use std::fs;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Condvar, Mutex};

use anyhow::Context;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir, openat, statat};

#[derive(Default)]
struct State {
    pending: Vec<PathBuf>,
    busy: usize,
    files: u64,
}

#[derive(Default)]
struct Walk {
    state: Mutex<State>,
    changed: Condvar,
}

/// Walks the trees that `list` names, one a line, and prints how many files it read.
pub(crate) fn run(list: &Path, threads: usize) -> anyhow::Result<ExitCode> {
    let text = fs::read_to_string(list).with_context(|| format!("no {}", list.display()))?;
    let walk = Walk::default();
    lock(&walk.state).pending = text.lines().map(PathBuf::from).collect();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| work(&walk));
        }
    });
    println!("{}", lock(&walk.state).files);
    Ok(ExitCode::SUCCESS)
}

fn work(walk: &Walk) {
    let mut buffer = vec![MaybeUninit::uninit(); 32 << 10];
    let mut files = 0;
    while let Some(path) = next(walk) {
        let mut found = Vec::new();
        read(&path, &mut buffer, &mut found, &mut files);
        let mut state = lock(&walk.state);
        state.busy -= 1;
        state.pending.append(&mut found);
        walk.changed.notify_all();
    }
    lock(&walk.state).files += files;
}

fn next(walk: &Walk) -> Option<PathBuf> {
    let mut state = lock(&walk.state);
    loop {
        if let Some(path) = state.pending.pop() {
            state.busy += 1;
            return Some(path);
        }
        if state.busy == 0 {
            return None;
        }
        state = walk.changed.wait(state).expect("no thread panics");
    }
}

fn read(path: &Path, buffer: &mut [MaybeUninit<u8>], found: &mut Vec<PathBuf>, files: &mut u64) {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let Ok(directory) = openat(CWD, path, flags | OFlags::DIRECTORY, Mode::empty()) else {
        // A store path that is a file.
        let kind = statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW).map(|s| s.st_mode);
        if kind.is_ok_and(|mode| FileType::from_raw_mode(mode) == FileType::RegularFile) {
            read_file(CWD, path, files);
        }
        return;
    };
    let mut entries = RawDir::new(directory.as_fd(), buffer);
    while let Some(Ok(entry)) = entries.next() {
        match entry.file_type() {
            FileType::RegularFile => read_file(directory.as_fd(), entry.file_name(), files),
            FileType::Directory if ![c".", c".."].contains(&entry.file_name()) => {
                found.push(path.join(OsStr::from_bytes(entry.file_name().to_bytes())));
            }
            _ => {}
        }
    }
}

fn read_file(at: BorrowedFd, name: impl rustix::path::Arg, files: &mut u64) {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    if let Ok(file) = openat(at, name, flags, Mode::empty()) {
        let mut header = [0; 64];
        *files += u64::from(rustix::io::read(&file, &mut header[..]).is_ok());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().expect("no thread panics")
}
