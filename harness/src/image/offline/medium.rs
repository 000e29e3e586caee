//! The bytes of a disk image, whatever its format, and those of one partition.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use imago::file::File as Storage;
use imago::qcow2::Qcow2;
use imago::raw::Raw;
use imago::{DenyImplicitOpenGate, FormatAccess, FormatDriverBuilder};

/// How an image holds its disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Raw,
    /// What differs from the base.
    Qcow2,
}

impl Format {
    /// QEMU's name for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Qcow2 => "qcow2",
        }
    }
}

/// A disk that is only read.
#[derive(Clone)]
pub(super) struct Medium(Arc<FormatAccess<Storage>>);

impl Medium {
    /// The image, over the raw disk `base` where it has only what differs; nothing else that its header may name is opened.
    pub(super) fn open(image: &File, format: Format, base: &Path) -> io::Result<Self> {
        let image = Storage::try_from(image.try_clone()?)?;
        let disk = match format {
            Format::Raw => raw(image)?,
            Format::Qcow2 => {
                let base = raw(Storage::try_from(File::open(base)?)?)?;
                let overlay = Qcow2::<Storage>::builder(image)
                    .backing(Some(base))
                    .open(DenyImplicitOpenGate::default())?;
                FormatAccess::new(overlay)
            }
        };
        Ok(Self(Arc::new(disk)))
    }
}

fn raw(file: Storage) -> io::Result<FormatAccess<Storage>> {
    let raw = Raw::builder(file).open(DenyImplicitOpenGate::default())?;
    Ok(FormatAccess::new(raw))
}

/// More than the files of a bootloader and the way to them: a file system may be damaged so that it has no end.
const MOST_READ: u64 = 1 << 30;

/// A partition: as a file that cannot be written.
pub(super) struct Slice {
    medium: Medium,
    start: u64,
    bytes: u64,
    at: u64,
    /// How much may still be read of it.
    left: Cell<u64>,
}

impl Slice {
    /// `bytes` bytes of the medium, from `start` on.
    pub(super) fn new(medium: Medium, start: u64, bytes: u64) -> Self {
        Self {
            medium,
            start,
            bytes,
            at: 0,
            left: Cell::new(MOST_READ),
        }
    }

    /// Fills `buffer` from the byte `at` of the partition on.
    pub(super) fn read_exact_at(&self, buffer: &mut [u8], at: u64) -> io::Result<()> {
        let end = at.checked_add(buffer.len() as u64);
        if end.is_none_or(|end| end > self.bytes) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let left = self.left.get().checked_sub(buffer.len() as u64);
        self.left
            .set(left.ok_or_else(|| io::Error::other("its file system has no end"))?);
        self.medium.0.read(buffer, self.start + at)
    }
}

impl Read for Slice {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.bytes.saturating_sub(self.at);
        let length = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        self.read_exact_at(&mut buffer[..length], self.at)?;
        self.at += length as u64;
        Ok(length)
    }
}

impl Seek for Slice {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.bytes.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// The reader of FAT wants to be able to write; it is never asked to.
impl Write for Slice {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
