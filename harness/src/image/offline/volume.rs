//! One file system of a disk: ext4 or FAT.

use std::io::Read as _;
use std::path::PathBuf;

use crc::{CRC_32_ISCSI, Crc};
use ext4_view::{Ext4, Ext4Error, Ext4Read};
use fatfs::{FileSystem, FsOptions};

use super::medium::Slice;
use super::{Journal, Unread};

pub(super) enum Volume {
    Ext4(Ext4),
    Fat(Box<FileSystem<Slice>>),
}

/// What a name leads to.
pub(super) enum Node {
    Link(PathBuf),
    Other,
}

/// The kernel's bound, in bytes (path_resolution(7)); what a damaged file system says is longer.
const LONGEST_LINK: u64 = 4096;

/// A directory with more is none of a bootloader's.
const MOST_NAMES: usize = 10_000;

impl Volume {
    pub(super) fn ext4(slice: Slice, journal: Journal) -> Result<Self, String> {
        let superblock = match journal {
            Journal::Replayed => None,
            Journal::Ignored => Some(without_journal(&slice).map_err(|error| error.to_string())?),
        };
        let partition = Ext4Partition { slice, superblock };
        let ext4 = Ext4::load(Box::new(partition)).map_err(|error| error.to_string())?;
        Ok(Self::Ext4(ext4))
    }

    pub(super) fn fat(slice: Slice) -> Result<Self, String> {
        let fat = FileSystem::new(slice, FsOptions::new()).map_err(|error| error.to_string())?;
        Ok(Self::Fat(Box::new(fat)))
    }

    pub(super) fn is_fat(&self) -> bool {
        matches!(self, Self::Fat(_))
    }

    /// What is at `path`, whose other components are no links.
    pub(super) fn node(&self, path: &str) -> Result<Node, Unread> {
        match self {
            Self::Ext4(ext4) => {
                let metadata = ext4.symlink_metadata(path).map_err(of_ext4)?;
                if !metadata.is_symlink() {
                    return Ok(Node::Other);
                }
                if metadata.len() > LONGEST_LINK {
                    return Err(Unread::Unreadable("a link without end".to_owned()));
                }
                let target = ext4.read_link(path).map_err(of_ext4)?;
                let target = target.to_str().map(PathBuf::from);
                let not_text = |_| Unread::Unreadable("a link that is not text".to_owned());
                target.map(Node::Link).map_err(not_text)
            }
            // FAT has no links; what is not there shows when it is read.
            Self::Fat(_) => Ok(Node::Other),
        }
    }

    pub(super) fn read(&self, path: &str, limit: usize) -> Result<(Vec<u8>, u64), Unread> {
        match self {
            Self::Ext4(ext4) => {
                let mut file = ext4.open(path).map_err(of_ext4)?;
                let bytes = file.metadata().len();
                let wanted = usize::try_from(bytes).map_or(limit, |bytes| bytes.min(limit));
                let mut text = vec![0; wanted];
                let mut done = 0;
                while done < wanted {
                    match file.read_bytes(&mut text[done..]).map_err(of_ext4)? {
                        0 => break,
                        count => done += count,
                    }
                }
                text.truncate(done);
                Ok((text, bytes))
            }
            Self::Fat(fat) => {
                let root = fat.root_dir();
                let mut file = root.open_file(path.trim_matches('/')).map_err(of_fat)?;
                let mut text = Vec::new();
                let mut beginning = std::io::Read::by_ref(&mut file).take(limit as u64);
                beginning.read_to_end(&mut text).map_err(of_fat)?;
                let rest = std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0));
                Ok((text, rest.map_err(of_fat)?))
            }
        }
    }

    pub(super) fn list(&self, path: &str) -> Result<Vec<String>, Unread> {
        let mut names = Vec::new();
        match self {
            Self::Ext4(ext4) => {
                for entry in ext4.read_dir(path).map_err(of_ext4)?.take(MOST_NAMES) {
                    let entry = entry.map_err(of_ext4)?;
                    names.extend(entry.file_name().as_str().map(str::to_owned));
                }
            }
            Self::Fat(fat) => {
                let root = fat.root_dir();
                let directory = match path.trim_matches('/') {
                    "" => Ok(root),
                    path => root.open_dir(path),
                };
                let directory = match directory.map_err(of_fat) {
                    Err(Unread::Absent) => return Ok(names),
                    directory => directory?,
                };
                for entry in directory.iter().take(MOST_NAMES) {
                    names.push(entry.map_err(of_fat)?.file_name());
                }
            }
        }
        names.retain(|name| name != "." && name != "..");
        Ok(names)
    }
}

fn of_ext4(error: Ext4Error) -> Unread {
    match error {
        Ext4Error::NotFound | Ext4Error::NotADirectory => Unread::Absent,
        error => Unread::Unreadable(error.to_string()),
    }
}

fn of_fat(error: std::io::Error) -> Unread {
    match error.kind() {
        std::io::ErrorKind::NotFound => Unread::Absent,
        _ => Unread::Unreadable(error.to_string()),
    }
}

/// The superblock's place in the partition, its length, and its fields (kernel's `Documentation/filesystems/ext4/super.rst`).
const SUPERBLOCK: u64 = 1024;
const SUPERBLOCK_BYTES: usize = 1024;
const COMPATIBLE: usize = 0x5c;
const HAS_JOURNAL: u32 = 0x4;
const INCOMPATIBLE: usize = 0x60;
const NEEDS_RECOVERY: u32 = 0x4;
const READ_ONLY_COMPATIBLE: usize = 0x64;
const HAS_CHECKSUMS: u32 = 0x400;
const JOURNAL_INODE: usize = 0xe0;
const CHECKSUM: usize = 0x3fc;

/// The superblock of a file system that has no journal, and is the same in all else.
fn without_journal(slice: &Slice) -> std::io::Result<Vec<u8>> {
    let mut block = vec![0; SUPERBLOCK_BYTES];
    slice.read_exact_at(&mut block, SUPERBLOCK)?;
    let field = |block: &[u8], at: usize| {
        let bytes = block[at..].first_chunk().copied();
        u32::from_le_bytes(bytes.unwrap_or_default())
    };
    for (at, bits) in [(COMPATIBLE, HAS_JOURNAL), (INCOMPATIBLE, NEEDS_RECOVERY)] {
        let without = field(&block, at) & !bits;
        block[at..at + 4].copy_from_slice(&without.to_le_bytes());
    }
    block[JOURNAL_INODE..JOURNAL_INODE + 4].fill(0);
    if field(&block, READ_ONLY_COMPATIBLE) & HAS_CHECKSUMS != 0 {
        // The kernel's CRC is not inverted in the end.
        let sum = !Crc::<u32>::new(&CRC_32_ISCSI).checksum(&block[..CHECKSUM]);
        block[CHECKSUM..].copy_from_slice(&sum.to_le_bytes());
    }
    Ok(block)
}

/// A partition, with another superblock where there is one.
struct Ext4Partition {
    slice: Slice,
    superblock: Option<Vec<u8>>,
}

impl Ext4Read for Ext4Partition {
    fn read(
        &mut self,
        start: u64,
        buffer: &mut [u8],
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        self.slice.read_exact_at(buffer, start)?;
        for (byte, at) in self.superblock.iter().flatten().zip(SUPERBLOCK..) {
            let index = at
                .checked_sub(start)
                .and_then(|at| usize::try_from(at).ok());
            if let Some(place) = index.and_then(|index| buffer.get_mut(index)) {
                *place = *byte;
            }
        }
        Ok(())
    }
}
