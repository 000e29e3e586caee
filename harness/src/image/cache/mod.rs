//! Finished disks, kept by a key that names their content, safe for several runs at once and for a kill at any time.
//!
//! `DIR/disks/KEY/` is complete or absent: an entry is made below `DIR/tmp/` and renamed into place. Whoever makes one
//! holds a lock on it; what a killed run left below `tmp/` is removed by the next one. Entries of `tmp/` get and lose their lock,
//! and are looked at, under one lock of all: an entry without a lock of its own is then nobody's. So do finished entries: what
//! nobody uses may be removed, and is moved to `tmp/` first.

mod bound;
mod entry;

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::tree;

pub use bound::{CachedDisk, Contents, Spare};
pub use entry::{Reservation, Use};

/// A directory of finished disks.
#[derive(Debug, Clone)]
pub struct Cache {
    directory: PathBuf,
}

/// What the cache has under a key.
#[derive(Debug)]
pub enum CacheEntry {
    /// A finished entry.
    Ready(Use),
    /// The entry must be made, and nobody else makes it meanwhile.
    Missing(Reservation),
}

impl Cache {
    /// Opens the cache in `directory`, making it where needed, and removes what killed runs left.
    ///
    /// # Errors
    /// When the directory cannot be made or read.
    pub fn open(directory: &Path) -> io::Result<Self> {
        for part in ["disks", "tmp", "locks"] {
            fs::create_dir_all(directory.join(part))?;
        }
        let cache = Self {
            directory: fs::canonicalize(directory)?,
        };
        cache.sweep()?;
        Ok(cache)
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Looks `key` up; `None` where another process makes that entry now.
    ///
    /// # Errors
    /// When the cache's directory cannot be written.
    pub fn try_entry(&self, key: &str) -> io::Result<Option<CacheEntry>> {
        if let Some(entry) = self.in_use(key)? {
            return Ok(Some(CacheEntry::Ready(entry)));
        }
        let key_lock = self.key_lock(key)?;
        match key_lock.try_lock() {
            Ok(()) => self.entry_under(key_lock, key).map(Some),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// The same, which waits while another process makes that entry.
    ///
    /// # Errors
    /// When the cache's directory cannot be written.
    pub fn entry(&self, key: &str) -> io::Result<CacheEntry> {
        let key_lock = self.key_lock(key)?;
        key_lock.lock()?;
        self.entry_under(key_lock, key)
    }

    /// The finished entry under `key`, if there is one.
    ///
    /// # Errors
    /// When the cache's directory cannot be written.
    pub fn in_use(&self, key: &str) -> io::Result<Option<Use>> {
        let _all = lock_all(&self.directory)?;
        let place = self.place(key);
        place.is_dir().then(|| Use::begin(place)).transpose()
    }

    fn key_lock(&self, key: &str) -> io::Result<File> {
        File::create(self.directory.join("locks").join(key))
    }

    fn entry_under(&self, key_lock: File, key: &str) -> io::Result<CacheEntry> {
        if let Some(entry) = self.in_use(key)? {
            return Ok(CacheEntry::Ready(entry));
        }
        let _all = lock_all(&self.directory)?;
        let workshop = tempfile::Builder::new()
            .prefix("disk-")
            .tempdir_in(self.directory.join("tmp"))?
            .keep();
        let workshop_lock = File::create(workshop.join(WORKSHOP_LOCK))?;
        workshop_lock.lock()?;
        Ok(CacheEntry::Missing(Reservation {
            _key_lock: key_lock,
            _workshop_lock: workshop_lock,
            cache: self.directory.clone(),
            place: self.place(key),
            workshop,
        }))
    }

    fn place(&self, key: &str) -> PathBuf {
        self.directory.join("disks").join(key)
    }

    fn sweep(&self) -> io::Result<()> {
        let _all = lock_all(&self.directory)?;
        for entry in fs::read_dir(self.directory.join("tmp"))? {
            let workshop = entry?.path();
            let abandoned = match File::open(workshop.join(WORKSHOP_LOCK)) {
                Ok(lock) => !matches!(lock.try_lock(), Err(TryLockError::WouldBlock)),
                Err(_) => true,
            };
            if abandoned {
                tree::remove(&workshop);
            }
        }
        Ok(())
    }
}

const WORKSHOP_LOCK: &str = "lock";

fn lock_all(directory: &Path) -> io::Result<File> {
    let lock = File::create(directory.join("locks/.all"))?;
    lock.lock()?;
    Ok(lock)
}

#[cfg(test)]
impl Cache {
    /// Removes all that may go, and waits until something does: a child that another test started holds the descriptor of a lock that was
    /// dropped until it executes.
    pub(super) fn emptied(&self, spare: Spare) -> Vec<CachedDisk> {
        loop {
            let removed = self.shrink(0, spare).unwrap();
            if !removed.is_empty() {
                return removed;
            }
            std::thread::yield_now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(cache: &Cache, key: &str) -> Reservation {
        match cache.entry(key).unwrap() {
            CacheEntry::Missing(reservation) => reservation,
            CacheEntry::Ready(entry) => panic!("{} is there already", entry.place().display()),
        }
    }

    #[test]
    fn an_entry_is_there_once_it_is_published() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::open(directory.path()).unwrap();
        let reservation = missing(&cache, "k");
        fs::write(reservation.workshop().join("disk.raw"), "x").unwrap();
        assert!(cache.contents().unwrap().disks.is_empty());
        reservation.publish().unwrap();
        let CacheEntry::Ready(entry) = cache.entry("k").unwrap() else {
            panic!("not ready");
        };
        let disk = entry.place().join("disk.raw");
        assert_eq!(fs::read_to_string(disk).unwrap(), "x");
    }

    #[test]
    fn what_was_not_published_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::open(directory.path()).unwrap();
        let reservation = missing(&cache, "k");
        fs::create_dir(reservation.workshop().join("half")).unwrap();
        drop(reservation);
        assert_eq!(
            fs::read_dir(directory.path().join("tmp")).unwrap().count(),
            0
        );
        missing(&cache, "k");
    }

    #[test]
    fn no_run_sweeps_what_another_one_begins() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::open(directory.path()).unwrap();
        std::thread::scope(|scope| {
            let making = scope.spawn(|| {
                for n in 0..300 {
                    let reservation = missing(&cache, &n.to_string());
                    assert!(reservation.workshop().join(WORKSHOP_LOCK).exists());
                }
            });
            while !making.is_finished() {
                Cache::open(directory.path()).unwrap();
            }
        });
    }

    #[test]
    fn the_workshop_of_a_killed_run_is_swept_and_that_of_a_living_one_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::open(directory.path()).unwrap();
        let living = missing(&cache, "living");
        let killed = directory.path().join("tmp/disk-killed");
        fs::create_dir(&killed).unwrap();
        fs::write(killed.join(WORKSHOP_LOCK), "").unwrap();
        Cache::open(directory.path()).unwrap();
        assert!(!killed.exists());
        assert!(living.workshop().exists());
    }

    #[test]
    fn a_disk_in_use_is_not_removed_and_goes_when_its_use_ends() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::open(directory.path()).unwrap();
        let entry = missing(&cache, "k").publish().unwrap();
        assert!(cache.contents().unwrap().disks[0].in_use);
        assert_eq!(cache.shrink(0, Spare::InUse).unwrap(), []);
        assert!(entry.place().is_dir());
        let overlay = directory.path().join("disk.qcow2");
        fs::write(&overlay, "").unwrap();
        entry.is_kept_for(&overlay).unwrap();
        entry.is_kept_for(&overlay).unwrap();
        drop(entry);
        assert_eq!(cache.shrink(0, Spare::InUseAndKept).unwrap(), []);
        let kept = &cache.contents().unwrap().disks[0];
        assert_eq!(kept.kept_for, [overlay.as_path()]);
        fs::remove_file(overlay).unwrap();
        assert_eq!(cache.emptied(Spare::InUseAndKept).len(), 1);
        assert!(cache.contents().unwrap().disks.is_empty());
        missing(&cache, "k");
    }

    #[test]
    fn who_wants_what_another_makes_is_told_so_and_may_wait() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::open(directory.path()).unwrap();
        let first = missing(&cache, "k");
        assert!(cache.try_entry("k").unwrap().is_none());
        std::thread::scope(|scope| {
            let second = scope.spawn(|| cache.entry("k").unwrap());
            first.publish().unwrap();
            assert!(matches!(second.join().unwrap(), CacheEntry::Ready(_)));
        });
    }

    #[test]
    fn what_is_removed_is_never_found_half() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::open(directory.path()).unwrap();
        std::thread::scope(|scope| {
            let using = scope.spawn(|| {
                for _ in 0..200 {
                    let entry = match cache.entry("k").unwrap() {
                        CacheEntry::Ready(entry) => entry,
                        CacheEntry::Missing(reservation) => {
                            fs::write(reservation.workshop().join("disk.raw"), "x").unwrap();
                            reservation.publish().unwrap()
                        }
                    };
                    let disk = entry.place().join("disk.raw");
                    assert_eq!(fs::read_to_string(disk).unwrap(), "x");
                }
            });
            while !using.is_finished() {
                cache.shrink(0, Spare::InUse).unwrap();
            }
        });
    }
}
