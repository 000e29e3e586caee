//! One entry of the cache, while somebody uses it or makes it.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};

use super::{WORKSHOP_LOCK, lock_all};
use crate::image::tree;

/// Locked (shared) by all who use the entry; its time of modification is that of the last use.
pub(super) const USED: &str = "used";

/// Begins the names of links to the disks of runs that need the entry to be booted again.
pub(super) const KEPT: &str = "kept-";

/// A finished entry that is not removed as long as this lives.
#[derive(Debug)]
pub struct Use {
    place: PathBuf,
    _lock: File,
}

impl Use {
    /// Begins a use of the entry in `place`. Only under the lock of all: nobody removes it meanwhile.
    pub(super) fn begin(place: PathBuf) -> io::Result<Self> {
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(place.join(USED))?;
        lock.lock_shared()?;
        lock.set_modified(SystemTime::now())?;
        Ok(Self { place, _lock: lock })
    }

    /// The entry's directory.
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// Remembers that `overlay` can be read only as long as this entry is there: others are removed before it.
    ///
    /// # Errors
    /// When the entry's directory cannot be written.
    pub fn is_kept_for(&self, overlay: &Path) -> io::Result<()> {
        let digest = Sha256::digest(overlay.as_os_str().as_encoded_bytes());
        let name = format!("{KEPT}{}", &base16ct::lower::encode_string(&digest)[..16]);
        match symlink(overlay, self.place.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            result => result,
        }
    }
}

/// The right to make one entry; what was not published is removed when this goes.
#[derive(Debug)]
pub struct Reservation {
    pub(super) _key_lock: File,
    pub(super) _workshop_lock: File,
    pub(super) cache: PathBuf,
    pub(super) workshop: PathBuf,
    pub(super) place: PathBuf,
}

impl Reservation {
    /// Where the entry is made: an empty directory, but for the cache's own lock.
    pub fn workshop(&self) -> &Path {
        &self.workshop
    }

    /// Makes the workshop's content the finished entry, read-only, and begins its first use.
    ///
    /// # Errors
    /// When it cannot be moved into place.
    pub fn publish(self) -> io::Result<Use> {
        for entry in fs::read_dir(&self.workshop)? {
            let file = File::open(entry?.path())?;
            // A host that loses its power must not find a name with half of its content.
            file.sync_all()?;
            let mut permissions = file.metadata()?.permissions();
            permissions.set_readonly(true);
            file.set_permissions(permissions)?;
        }
        let _all = lock_all(&self.cache)?;
        fs::remove_file(self.workshop.join(WORKSHOP_LOCK))?;
        fs::rename(&self.workshop, &self.place)?;
        Use::begin(self.place.clone())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        tree::remove(&self.workshop);
    }
}
