//! The disk of one run: an overlay on a finished disk, which is kept only where somebody may want to boot it again.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::cache::{Cache, Use};
use super::disk::{DiskError, MIB, free_mib};
use super::qcow2;
use super::tools;

/// The file of the overlay in a run's directory.
pub const OVERLAY_FILE: &str = "disk.qcow2";

/// What tells of it: [`KeptDisk`].
const KEPT_FILE: &str = "disk.json";

/// What has to stay free on the file system where an overlay is kept.
const SPARE_MIB: u64 = 512;

/// An overlay that nobody else can open, on a base that stays as long as this lives.
#[derive(Debug)]
pub struct Overlay {
    disk: File,
    /// Where it is or will be kept.
    directory: PathBuf,
    has_name: bool,
    base_disk: PathBuf,
    base: Use,
}

/// `disk.json` beside a kept overlay: which disk of the cache it is an overlay on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptDisk {
    format_version: u32,
    /// The base's name in the cache.
    key: String,
    /// The base's size in bytes and its time of modification in nanoseconds since 1970: a base that was made again has the same
    /// name, and another content.
    bytes: u64,
    modified_ns: u64,
}

impl Overlay {
    /// Makes an overlay in `directory` on `base_disk`, a file of the entry `base`, and takes its name away unless `keep`: it cannot
    /// outlive the run.
    ///
    /// # Errors
    /// When qemu-img is missing or fails.
    pub fn on(
        base: Use,
        base_disk: PathBuf,
        directory: &Path,
        keep: bool,
    ) -> Result<Self, DiskError> {
        let place = directory.join(OVERLAY_FILE);
        create(&base_disk, "raw", &place)?;
        let mut overlay = Self {
            disk: open(&place)?,
            directory: directory.to_owned(),
            has_name: true,
            base_disk,
            base,
        };
        if keep {
            overlay.describe()?;
        } else {
            fs::remove_file(&place).map_err(io_error(&place))?;
            overlay.has_name = false;
        }
        Ok(overlay)
    }

    /// A descriptor for QEMU.
    ///
    /// # Errors
    /// When the process has too many.
    pub fn descriptor(&self) -> io::Result<OwnedFd> {
        Ok(self.disk.try_clone()?.into())
    }

    /// What it takes of its file system, in MiB.
    ///
    /// # Errors
    /// When its file cannot be asked.
    pub fn mib(&self) -> io::Result<u64> {
        Ok((self.disk.metadata()?.blocks() * 512).div_ceil(MIB))
    }

    /// Leaves it in the run's directory, when no QEMU runs on it any more. Nothing writes to it from then on.
    ///
    /// # Errors
    /// When there is too little room, or it cannot be written; what was written of it is removed.
    pub fn keep(&mut self) -> Result<PathBuf, DiskError> {
        let place = self.directory.join(OVERLAY_FILE);
        if !self.has_name {
            let (mib, free_mib) = (
                self.mib().map_err(io_error(&place))?,
                free_mib(&self.directory).map_err(io_error(&place))?,
            );
            if free_mib < mib + SPARE_MIB {
                return Err(DiskError::NoRoomToKeep {
                    directory: self.directory.clone(),
                    free_mib,
                    needed_mib: mib + SPARE_MIB,
                });
            }
            self.copy_to(&place).map_err(io_error(&place))?;
            self.describe()?;
            self.has_name = true;
        }
        let read_only = fs::Permissions::from_mode(0o444);
        fs::set_permissions(&place, read_only).map_err(io_error(&place))?;
        Ok(place)
    }

    /// By way of a name that nobody looks for: what is called by its own is whole.
    fn copy_to(&self, place: &Path) -> io::Result<()> {
        // It goes away by itself where the copy fails.
        let mut part = tempfile::Builder::new()
            .prefix(".disk-")
            .tempfile_in(&self.directory)?;
        let mut from = &self.disk;
        io::Seek::seek(&mut from, io::SeekFrom::Start(0))?;
        io::copy(&mut from, part.as_file_mut())?;
        part.persist(place)?;
        Ok(())
    }

    /// Writes down what the overlay is on, so that neither is taken for another.
    fn describe(&self) -> Result<(), DiskError> {
        let place = self.directory.join(KEPT_FILE);
        let describe = || -> io::Result<()> {
            let key = self.base.place().file_name().unwrap_or_default();
            let (bytes, modified_ns) = stamp(&self.base_disk)?;
            let kept = KeptDisk {
                format_version: 1,
                key: key.to_string_lossy().into_owned(),
                bytes,
                modified_ns,
            };
            fs::write(&place, serde_json::to_string_pretty(&kept)? + "\n")?;
            let overlay = fs::canonicalize(self.directory.join(OVERLAY_FILE))?;
            self.base.is_kept_for(&overlay)
        };
        describe().map_err(io_error(&place))
    }
}

/// Why the disk of a run cannot be booted again.
#[derive(Debug, thiserror::Error)]
pub enum NotKept {
    #[error(
        "{} has no disk: it is kept of a rehearsal that failed or left something unproven, and with --keep of every one, but not where \
         the machine never came to a boot of its own",
        directory.display()
    )]
    NoDisk { directory: PathBuf },
    #[error("{} is not what bootproof leaves beside a disk: {reason}", path.display())]
    Malformed { path: PathBuf, reason: String },
    #[error(
        "the disk that {} is an overlay on is no longer in the cache {}, or it was made again: name the right cache with --cache-dir, \
         or rehearse again",
        overlay.display(), cache.display()
    )]
    NoBase { overlay: PathBuf, cache: PathBuf },
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// A second overlay, on the kept disk of a run, which stays as it is.
#[derive(Debug)]
pub struct Again {
    pub disk: OwnedFd,
    /// What the second overlay needs beneath it.
    _base: Use,
}

/// Makes an overlay on the disk that is kept in `directory`, whose base is in `cache`. It has no name.
///
/// # Errors
/// When no disk is kept there, or its base is gone.
pub fn again(directory: &Path, cache: &Cache) -> Result<Again, NotKept> {
    let overlay = directory.join(OVERLAY_FILE);
    let described = directory.join(KEPT_FILE);
    if !overlay.is_file() || !described.is_file() {
        return Err(NotKept::NoDisk {
            directory: directory.to_owned(),
        });
    }
    let no_base = || NotKept::NoBase {
        overlay: overlay.clone(),
        cache: cache.directory().to_owned(),
    };
    let kept = read(&described)?;
    let base = cache
        .in_use(&kept.key)
        .map_err(io_error(cache.directory()))?
        .ok_or_else(no_base)?;
    // A run's directory may come from anywhere. What QEMU would read beneath the overlay is what its header names, which must not
    // be another file of this machine.
    let named = qcow2::backing_file(&overlay).map_err(|reason| NotKept::Malformed {
        path: overlay.clone(),
        reason,
    })?;
    let base_disk = fs::canonicalize(&named).map_err(|_| no_base())?;
    if base_disk.parent() != Some(base.place())
        || stamp(&base_disk).ok() != Some((kept.bytes, kept.modified_ns))
    {
        return Err(no_base());
    }
    let whole = fs::canonicalize(&overlay).map_err(io_error(&overlay))?;
    let workshop = tempfile::Builder::new()
        .prefix("bootproof-debug-")
        .tempdir()
        .map_err(io_error(directory))?;
    let second = workshop.path().join(OVERLAY_FILE);
    create(&whole, "qcow2", &second)?;
    Ok(Again {
        disk: open(&second)?.into(),
        _base: base,
    })
}

fn read(path: &Path) -> Result<KeptDisk, NotKept> {
    const LIMIT: u64 = 64 << 10;
    let malformed = |reason: String| NotKept::Malformed {
        path: path.to_owned(),
        reason,
    };
    let mut text = String::new();
    File::open(path)
        .and_then(|file| io::Read::read_to_string(&mut io::Read::take(file, LIMIT), &mut text))
        .map_err(|error| malformed(error.to_string()))?;
    let kept: KeptDisk =
        serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))?;
    let is_name = !kept.key.starts_with('.') && !kept.key.contains('/');
    match (kept.format_version, is_name) {
        (1, true) => Ok(kept),
        (1, false) => Err(malformed("the key is no name".to_owned())),
        (version, _) => Err(malformed(format!(
            "it has format_version {version}, and this bootproof reads 1"
        ))),
    }
}

/// Size, and time of modification in nanoseconds since 1970.
fn stamp(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = fs::metadata(path)?;
    let since = metadata
        .modified()?
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    let nanoseconds = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
    Ok((metadata.len(), nanoseconds))
}

fn create(base: &Path, format: &str, place: &Path) -> Result<(), DiskError> {
    let mut options = OsString::from(format!("backing_fmt={format},backing_file="));
    // A comma in a value of qemu-img's is written twice.
    options.push(base.display().to_string().replace(',', ",,"));
    let args = [
        "create".as_ref(),
        "-q".as_ref(),
        "-f".as_ref(),
        "qcow2".as_ref(),
        "-o".as_ref(),
        options.as_os_str(),
        place.as_os_str(),
    ];
    Ok(tools::run("qemu-img", &args, "")?)
}

fn open(place: &Path) -> Result<File, DiskError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .open(place)
        .map_err(io_error(place))
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> DiskError {
    let path = path.to_owned();
    move |source| DiskError::Io {
        path: path.clone(),
        source,
    }
}

#[cfg(test)]
mod tests;
