//! The log of all that a machine wrote to its disk, as QEMU's `blklogwrites` keeps it: the format of the kernel's dm-log-writes
//! (`Documentation/admin-guide/device-mapper/log-writes.rst`, `drivers/md/dm-log-writes.c`).
//!
//! A superblock, then entries: each a header of one sector, and the data of a write behind it. QEMU brings the superblock up to date
//! only at a flush, so that the end is found by the entries themselves. What was under way when QEMU was killed may lack, and whatever
//! was logged beside it ends the log too.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// What QEMU uses where it is told nothing else, in bytes.
pub const SECTOR: u64 = 512;

const MAGIC: u64 = 0x006a_7366_7773_6872;
const VERSION: u64 = 1;
const FLUSH: u64 = 1;
/// On the medium as soon as it is finished, and alone: a cut after it keeps it, as it keeps what came before.
const FUA: u64 = 1 << 1;
const DISCARD: u64 = 1 << 2;
const MARK: u64 = 1 << 3;

/// A rehearsal writes thousands; a log with more is not read to its end.
const MOST_ENTRIES: usize = 4_000_000;

/// One entry of a log, in the order in which the disk had finished them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logged {
    /// `bytes` at `at` of the disk, which lie at `data` of the log.
    Write { at: u64, bytes: u64, data: u64 },
    /// All that was finished before is on the medium.
    Flush,
    /// What lay there need not be kept.
    Discard,
}

impl Logged {
    pub fn is_write(&self) -> bool {
        matches!(self, Self::Write { .. })
    }
}

/// Why a log says nothing.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error("failed to read the log of the disk's writes: {0}")]
    Io(#[from] io::Error),
    #[error("the log of the disk's writes is damaged at byte {at}: {reason}")]
    Damaged { at: u64, reason: &'static str },
}

/// The entries of the log in `file`, of a disk of `disk_bytes`.
///
/// # Errors
/// When it cannot be read, or is no log of such a disk.
pub fn read_log(file: &File, disk_bytes: u64) -> Result<Vec<Logged>, LogError> {
    let length = file.metadata()?.len();
    entries(length, disk_bytes, |at, buffer| {
        file.read_exact_at(buffer, at)
    })
}

/// The same of bytes, wherever they are: `read` fills a buffer from a place within `length`.
fn entries(
    length: u64,
    disk_bytes: u64,
    mut read: impl FnMut(u64, &mut [u8]) -> io::Result<()>,
) -> Result<Vec<Logged>, LogError> {
    let damaged = |at, reason| Err(LogError::Damaged { at, reason });
    let mut header = [0; SECTOR as usize];
    if length < SECTOR {
        return Ok(Vec::new());
    }
    read(0, &mut header)?;
    // Without a flush there is none yet.
    if header != [0; SECTOR as usize] {
        if word(&header, 0) != MAGIC || word(&header, 1) != VERSION {
            return damaged(0, "it has no superblock of version 1");
        }
        if word(&header, 3) & 0xffff_ffff != SECTOR {
            return damaged(0, "its sectors are not of 512 bytes");
        }
    }
    let mut all = Vec::new();
    let mut at = SECTOR;
    while length.saturating_sub(at) >= SECTOR && all.len() < MOST_ENTRIES {
        read(at, &mut header)?;
        if header == [0; SECTOR as usize] {
            break;
        }
        let [sector, sectors, flags, _] = [0, 1, 2, 3].map(|n| word(&header, n));
        if flags & !(FLUSH | FUA | DISCARD | MARK) != 0 || header[32..] != [0; 480] {
            return damaged(at, "what stands there is no header of an entry");
        }
        let (Some(place), Some(bytes)) = (sector.checked_mul(SECTOR), sectors.checked_mul(SECTOR))
        else {
            return damaged(at, "an entry reaches beyond any disk");
        };
        if place.checked_add(bytes).is_none_or(|end| end > disk_bytes) {
            return damaged(at, "an entry reaches beyond the disk");
        }
        let data = at + SECTOR;
        at = data;
        if flags & DISCARD != 0 {
            all.push(Logged::Discard);
            continue;
        }
        // `place` and `bytes` are within a disk, and a log within a file: no sum of them overflows.
        at += bytes;
        if at > length {
            break;
        }
        if flags & FLUSH != 0 {
            all.push(Logged::Flush);
        }
        if bytes > 0 && flags & MARK == 0 {
            all.push(Logged::Write {
                at: place,
                bytes,
                data,
            });
        }
    }
    Ok(all)
}

fn word(header: &[u8], n: usize) -> u64 {
    header[n * 8..]
        .first_chunk()
        .map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// What is fuzzed: whatever the bytes, each write lies within the log and within the disk, and no two share a byte of the log.
pub fn fuzz(bytes: &[u8]) {
    const DISK: u64 = 1 << 30;
    let length = bytes.len() as u64;
    let read = |at: u64, buffer: &mut [u8]| {
        let from = usize::try_from(at).map_err(io::Error::other)?;
        let part = bytes.get(from..from + buffer.len());
        buffer.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    };
    let mut end = 0;
    for entry in entries(length, DISK, read).unwrap_or_default() {
        if let Logged::Write { at, bytes, data } = entry {
            assert!(bytes > 0 && at + bytes <= DISK);
            assert!(data >= end && data + bytes <= length);
            end = data + bytes;
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write as _;

    use super::*;

    /// A log of these entries, as QEMU writes it.
    pub(in crate::image) fn log(entries: &[(u64, u64, u64, u8)]) -> File {
        let mut bytes = vec![0; 512];
        bytes[..8].copy_from_slice(&MAGIC.to_le_bytes());
        bytes[8..16].copy_from_slice(&VERSION.to_le_bytes());
        bytes[24..28].copy_from_slice(&512_u32.to_le_bytes());
        for (sector, sectors, flags, fill) in entries {
            let mut header = [0; 512];
            header[..8].copy_from_slice(&sector.to_le_bytes());
            header[8..16].copy_from_slice(&sectors.to_le_bytes());
            header[16..24].copy_from_slice(&flags.to_le_bytes());
            bytes.extend(header);
            if flags & DISCARD == 0 {
                bytes.extend(vec![*fill; usize::try_from(sectors * 512).unwrap()]);
            }
        }
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        file
    }

    #[test]
    fn writes_flushes_and_discards_are_told_apart() {
        let log = log(&[
            (0, 2, 0, 1),
            (0, 0, FLUSH, 0),
            (8, 4, DISCARD, 0),
            (4, 1, FUA, 2),
        ]);
        assert_eq!(
            read_log(&log, 1 << 20).unwrap(),
            [
                Logged::Write {
                    at: 0,
                    bytes: 1024,
                    data: 1024
                },
                Logged::Flush,
                Logged::Discard,
                Logged::Write {
                    at: 2048,
                    bytes: 512,
                    data: 3584
                },
            ]
        );
    }

    #[test]
    fn a_write_that_was_under_way_ends_the_log() {
        let log = log(&[(0, 1, 0, 1), (1, 1, 0, 2)]);
        log.set_len(512 + 1024 + 700).unwrap();
        assert_eq!(read_log(&log, 1 << 20).unwrap().len(), 1);
        log.set_len(512 + 1024 + 4096).unwrap();
        assert_eq!(read_log(&log, 1 << 20).unwrap().len(), 2);
        log.set_len(0).unwrap();
        assert_eq!(read_log(&log, 1 << 20).unwrap(), []);
    }

    #[test]
    fn what_is_no_log_of_this_disk_is_refused() {
        for (entries, disk) in [
            (&[(0, 9, 0, 1)][..], 4096),
            (&[(u64::MAX, 1, 0, 1)], 4096),
            (&[(0, 1, 64, 1)], 4096),
        ] {
            let log = log(entries);
            assert!(matches!(
                read_log(&log, disk),
                Err(LogError::Damaged { .. })
            ));
        }
        let mut other = tempfile::tempfile().unwrap();
        other.write_all(&[7; 2048]).unwrap();
        assert!(matches!(
            read_log(&other, 4096),
            Err(LogError::Damaged { at: 0, .. })
        ));
    }
}
