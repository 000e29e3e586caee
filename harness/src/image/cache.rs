//! Finished disks, kept by a key that names their content, safe for several runs at once and for a kill at any time.
//!
//! `DIR/disks/KEY/` is complete or absent: an entry is made below `DIR/tmp/` and renamed into place. Whoever makes one
//! holds a lock on it; what a killed run left below `tmp/` is removed by the next one. Entries of `tmp/` get and lose their lock,
//! and are looked at, under one lock of all: an entry without a lock of its own is then nobody's.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::tree;

/// A directory of finished disks.
#[derive(Debug, Clone)]
pub struct Cache {
    directory: PathBuf,
}

/// What the cache has under a key.
#[derive(Debug)]
pub enum CacheEntry {
    /// The directory of a finished entry.
    Ready(PathBuf),
    /// The entry must be made, and nobody else makes it meanwhile.
    Missing(Reservation),
}

/// The right to make one entry; what was not published is removed when this goes.
#[derive(Debug)]
pub struct Reservation {
    _key_lock: File,
    _workshop_lock: File,
    cache: PathBuf,
    workshop: PathBuf,
    place: PathBuf,
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

    /// The finished entry's directory under `key`, if there is one. Takes no lock.
    pub fn peek(&self, key: &str) -> Option<PathBuf> {
        let place = self.directory.join("disks").join(key);
        place.is_dir().then_some(place)
    }

    /// Looks `key` up; waits while another process makes that entry.
    ///
    /// # Errors
    /// When the cache's directory cannot be written.
    pub fn entry(&self, key: &str) -> io::Result<CacheEntry> {
        if let Some(place) = self.peek(key) {
            return Ok(CacheEntry::Ready(place));
        }
        let key_lock = File::create(self.directory.join("locks").join(key))?;
        key_lock.lock()?;
        if let Some(place) = self.peek(key) {
            return Ok(CacheEntry::Ready(place));
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
            place: self.directory.join("disks").join(key),
            workshop,
        }))
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

impl Reservation {
    /// Where the entry is made: an empty directory, but for the cache's own lock.
    pub fn workshop(&self) -> &Path {
        &self.workshop
    }

    /// Makes the workshop's content the finished entry, read-only, and gives its place.
    ///
    /// # Errors
    /// When it cannot be moved into place.
    pub fn publish(self) -> io::Result<PathBuf> {
        for entry in fs::read_dir(&self.workshop)? {
            let path = entry?.path();
            let mut permissions = fs::metadata(&path)?.permissions();
            permissions.set_readonly(true);
            fs::set_permissions(&path, permissions)?;
        }
        let _all = lock_all(&self.cache)?;
        fs::remove_file(self.workshop.join(WORKSHOP_LOCK))?;
        fs::rename(&self.workshop, &self.place)?;
        Ok(self.place.clone())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        tree::remove(&self.workshop);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(cache: &Cache, key: &str) -> Reservation {
        match cache.entry(key).unwrap() {
            CacheEntry::Missing(reservation) => reservation,
            CacheEntry::Ready(place) => panic!("{} is there already", place.display()),
        }
    }

    #[test]
    fn an_entry_is_there_once_it_is_published() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::open(directory.path()).unwrap();
        let reservation = missing(&cache, "k");
        fs::write(reservation.workshop().join("disk.raw"), "x").unwrap();
        assert!(cache.peek("k").is_none());
        reservation.publish().unwrap();
        let CacheEntry::Ready(place) = cache.entry("k").unwrap() else {
            panic!("not ready");
        };
        assert_eq!(fs::read_to_string(place.join("disk.raw")).unwrap(), "x");
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
}
