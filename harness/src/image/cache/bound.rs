//! What the cache holds, and what goes when that is too much.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::entry::{KEPT, USED, Use};
use super::{Cache, lock_all};
use crate::image::tree;

/// One finished disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedDisk {
    /// Its name: a hash of all that it is made from, and the name of the toplevel that is installed on it.
    pub key: String,
    /// What it takes of the file system, in bytes; its files are sparse.
    pub bytes: u64,
    pub last_use: SystemTime,
    /// A rehearsal runs on it now.
    pub in_use: bool,
    /// The kept disks of runs, which cannot be booted again without it.
    pub kept_for: Vec<PathBuf>,
}

/// What is in a cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// Those that were used last come first.
    pub disks: Vec<CachedDisk>,
    /// What disks take that are being made, in bytes.
    pub being_made: u64,
}

impl Contents {
    /// What all of it takes, in bytes.
    pub fn bytes(&self) -> u64 {
        self.disks.iter().map(|disk| disk.bytes).sum::<u64>() + self.being_made
    }
}

/// Which disks may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spare {
    /// Those in use stay.
    InUse,
    /// So do those that a kept run needs.
    InUseAndKept,
}

impl Cache {
    /// What is there, without changing it.
    ///
    /// # Errors
    /// When the cache's directory cannot be read.
    pub fn contents(&self) -> io::Result<Contents> {
        let _all = lock_all(self.directory())?;
        self.look_around()
    }

    /// Removes disks, those first that were not used for longest, until the finished ones take at most `limit` bytes. Gives what it
    /// removed. Those that a kept run needs go last.
    ///
    /// # Errors
    /// When the cache's directory cannot be read or written.
    pub fn shrink(&self, limit: u64, spare: Spare) -> io::Result<Vec<CachedDisk>> {
        let _all = lock_all(self.directory())?;
        let mut removed = Vec::new();
        for disk in victims(&self.look_around()?.disks, limit, spare) {
            self.bury(&self.place(&disk.key))?;
            removed.push(disk);
        }
        Ok(removed)
    }

    /// Removes an entry that has done its service, unless somebody else uses it too.
    ///
    /// # Errors
    /// When the cache's directory cannot be written.
    pub fn discard(&self, entry: Use) -> io::Result<()> {
        let _all = lock_all(self.directory())?;
        let place = entry.place().to_owned();
        drop(entry);
        match File::open(place.join(USED))?.try_lock() {
            Ok(()) => self.bury(&place),
            Err(TryLockError::WouldBlock) => Ok(()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Under the lock of all. It is gone for all others at once, and what a kill leaves of it is swept.
    fn bury(&self, place: &Path) -> io::Result<()> {
        let grave = tempfile::Builder::new()
            .prefix("removed-")
            .tempdir_in(self.directory().join("tmp"))?
            .keep();
        fs::rename(place, grave.join("disk"))?;
        tree::remove(&grave);
        Ok(())
    }

    /// Under the lock of all.
    fn look_around(&self) -> io::Result<Contents> {
        let mut disks = Vec::new();
        for entry in fs::read_dir(self.directory().join("disks"))? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                let key = entry.file_name().to_string_lossy().into_owned();
                disks.push(look(key, &entry.path())?);
            }
        }
        disks.sort_by(|a, b| b.last_use.cmp(&a.last_use).then(a.key.cmp(&b.key)));
        Ok(Contents {
            disks,
            being_made: allocated(&self.directory().join("tmp")),
        })
    }
}

fn look(key: String, place: &Path) -> io::Result<CachedDisk> {
    // An entry of an older bootproof has no such file until it is used again.
    let (in_use, last_use) = match File::open(place.join(USED)) {
        Ok(used) => (used.try_lock().is_err(), used.metadata()?.modified()?),
        Err(_) => (false, fs::metadata(place)?.modified()?),
    };
    let mut kept_for = Vec::new();
    for entry in fs::read_dir(place)? {
        let entry = entry?;
        let is_link = entry.file_name().to_string_lossy().starts_with(KEPT);
        // A link leads nowhere when its run was removed.
        if is_link && fs::metadata(entry.path()).is_ok() {
            kept_for.push(fs::read_link(entry.path())?);
        }
    }
    kept_for.sort();
    Ok(CachedDisk {
        key,
        bytes: allocated(place),
        last_use,
        in_use,
        kept_for,
    })
}

/// Which of `disks` have to go for `limit`, in this order.
fn victims(disks: &[CachedDisk], limit: u64, spare: Spare) -> Vec<CachedDisk> {
    let mut free: Vec<&CachedDisk> = disks
        .iter()
        .filter(|disk| !disk.in_use)
        .filter(|disk| spare == Spare::InUse || disk.kept_for.is_empty())
        .collect();
    free.sort_by_key(|disk| (!disk.kept_for.is_empty(), disk.last_use, &disk.key));
    let mut bytes: u64 = disks.iter().map(|disk| disk.bytes).sum();
    free.into_iter()
        .take_while(|disk| {
            let too_much = bytes > limit;
            bytes = bytes.saturating_sub(disk.bytes);
            too_much
        })
        .cloned()
        .collect()
}

/// What a tree takes of its file system, in bytes. What goes away meanwhile takes nothing.
fn allocated(place: &Path) -> u64 {
    const BLOCK: u64 = 512;
    let mut bytes = 0;
    let mut pending = vec![place.to_owned()];
    while let Some(path) = pending.pop() {
        let Ok(metadata) = fs::symlink_metadata(&path) else {
            continue;
        };
        bytes += metadata.blocks() * BLOCK;
        if metadata.is_dir() {
            let entries = fs::read_dir(&path).into_iter().flatten().flatten();
            pending.extend(entries.map(|entry| entry.path()));
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn disk(key: &str, age: u64, gib: u64) -> CachedDisk {
        CachedDisk {
            key: key.to_owned(),
            bytes: gib << 30,
            last_use: SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 - age),
            in_use: false,
            kept_for: Vec::new(),
        }
    }

    fn keys(disks: &[CachedDisk], gib: u64, spare: Spare) -> Vec<String> {
        let victims = victims(disks, gib << 30, spare);
        victims.into_iter().map(|disk| disk.key).collect()
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first_and_no_more_than_has_to() {
        let disks = [disk("new", 1, 2), disk("old", 9, 2), disk("middle", 5, 2)];
        assert_eq!(keys(&disks, 6, Spare::InUse), [""; 0]);
        assert_eq!(keys(&disks, 5, Spare::InUse), ["old"]);
        assert_eq!(keys(&disks, 3, Spare::InUse), ["old", "middle"]);
        assert_eq!(keys(&disks, 0, Spare::InUse), ["old", "middle", "new"]);
    }

    #[test]
    fn what_is_in_use_stays_and_what_a_kept_run_needs_goes_last() {
        let used = CachedDisk {
            in_use: true,
            ..disk("used", 9, 2)
        };
        let kept = CachedDisk {
            kept_for: vec!["run/disk.qcow2".into()],
            ..disk("kept", 8, 2)
        };
        let disks = [used, kept, disk("new", 1, 2)];
        assert_eq!(keys(&disks, 4, Spare::InUse), ["new"]);
        assert_eq!(keys(&disks, 0, Spare::InUse), ["new", "kept"]);
        assert_eq!(keys(&disks, 0, Spare::InUseAndKept), ["new"]);
    }
}
