use std::cell::Cell;
use std::io::{self, BufRead, Cursor, Read};

use super::decompress::{self, MAGIC_LENGTH};

/// The kernel's own bound on a name (`PATH_MAX`) in an initramfs.
const MAX_NAME: u32 = 4096;
/// Bytes of an initrd that are looked at, compressed and plain ones together: more than any that fits into memory.
pub(super) const LIMIT: u64 = 4 << 30;

/// The name after the last file of an archive.
pub(super) const TRAILER: &str = "TRAILER!!!";

/// A file of a cpio archive, or its trailer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    /// As the archive has it: without a leading slash, now and then with `./`.
    pub(super) name: &'a str,
    /// Type and permissions, as in stat(2).
    pub(super) mode: u32,
    /// Names of the file; its content comes with the last of them.
    pub(super) links: u32,
}

/// Called with a file and its content, of which it reads what it wants; `false` when it has had enough.
pub(super) type Visitor<'a> = dyn FnMut(Entry, &mut dyn Read) -> io::Result<bool> + 'a;

/// Calls `visit` with each file and each trailer of an initramfs: one or more cpio archives, each compressed or not, with zeros between
/// them, until `visit` returns `false`. At most `limit` bytes are looked at, compressed and plain ones together.
///
/// The format is that of the kernel's `Documentation/driver-api/early-userspace/buffer-format.rst`. Only one name is held at a time.
///
/// # Errors
/// When the data is cut short, in no known format or beyond the limit ([`decompress::is_damage`] tells the first of them from the others);
/// names before that were visited.
pub(super) fn visit_files(
    reader: &mut dyn BufRead,
    limit: u64,
    visit: &mut Visitor,
) -> io::Result<()> {
    let left = Cell::new(limit);
    let mut reader = Counted {
        inner: reader,
        left: &left,
    };
    // A decoder may take the limit for the end of its data.
    visit_pieces(&mut reader, &left, true, visit)
        .map(drop)
        .map_err(|error| if left.get() == 0 { too_much() } else { error })
}

/// Goes over the pieces of a buffer; `false` when `visit` has had enough.
fn visit_pieces(
    reader: &mut dyn BufRead,
    left: &Cell<u64>,
    may_be_compressed: bool,
    visit: &mut Visitor,
) -> io::Result<bool> {
    while let Some(magic) = next_magic(reader)? {
        let mut piece = Cursor::new(magic).chain(&mut *reader);
        let goes_on = if is_cpio(&magic) {
            visit_archive(&mut piece, visit)?
        } else if may_be_compressed {
            let plain = Counted {
                inner: decompress::reader(&magic, &mut piece)?,
                left,
            };
            visit_pieces(&mut io::BufReader::new(plain), left, false, visit)?
        } else {
            return Err(invalid("no cpio archive where one should begin"));
        };
        if !goes_on {
            return Ok(false);
        }
    }
    Ok(true)
}

/// As long as the buffers of `BufReader`.
static ZEROS: [u8; 8 << 10] = [0; 8 << 10];

/// Skips zeros and reads what begins after them; `None` at the end.
fn next_magic(reader: &mut dyn BufRead) -> io::Result<Option<[u8; MAGIC_LENGTH]>> {
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(None);
        }
        // A whole buffer of zeros, of which a sparse file has millions, is known by one comparison.
        let zeros = match ZEROS.get(..buffer.len()) {
            Some(zeros) if zeros == buffer => buffer.len(),
            _ => buffer.iter().take_while(|byte| **byte == 0).count(),
        };
        let all = zeros == buffer.len();
        reader.consume(zeros);
        if !all {
            break;
        }
    }
    let mut magic = [0; MAGIC_LENGTH];
    reader.read_exact(&mut magic)?;
    Ok(Some(magic))
}

fn is_cpio(magic: &[u8]) -> bool {
    magic == b"070701" || magic == b"070702"
}

/// Reads one archive up to its trailer.
fn visit_archive(reader: &mut dyn Read, visit: &mut Visitor) -> io::Result<bool> {
    const HEADER: usize = 110;
    loop {
        let mut header = [0; HEADER];
        reader.read_exact(&mut header)?;
        if !is_cpio(&header[..6]) {
            return Err(invalid("a file of the cpio archive has no header"));
        }
        let file_size = field(&header, 6)?;
        let name_size = field(&header, 11)?;
        if name_size == 0 || name_size > MAX_NAME {
            // The kernel passes over such a file.
            let reason = "a name in the cpio archive is too long";
            return Err(io::Error::new(io::ErrorKind::Unsupported, reason));
        }
        let mut name = vec![0; name_size as usize];
        reader.read_exact(&mut name)?;
        // Header and name together, and then the data, are padded to multiples of four.
        skip(reader, padding(HEADER as u64 + u64::from(name_size)))?;
        let name = String::from_utf8_lossy(&name);
        let name = name.trim_end_matches('\0');
        let is_trailer = name == TRAILER;
        let entry = Entry {
            name,
            mode: field(&header, 1)?,
            links: field(&header, 4)?,
        };
        let mut content = (&mut *reader).take(file_size.into());
        let goes_on = visit(entry, &mut content)?;
        let unread = content.limit();
        skip(reader, unread + padding(file_size.into()))?;
        if is_trailer || !goes_on {
            return Ok(goes_on);
        }
    }
}

/// The field with the given number, eight hexadecimal digits, after the magic.
fn field(header: &[u8], number: usize) -> io::Result<u32> {
    let start = 6 + number * 8;
    std::str::from_utf8(&header[start..start + 8])
        .ok()
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
        .ok_or_else(|| invalid("a header of the cpio archive is damaged"))
}

fn padding(length: u64) -> u64 {
    length.wrapping_neg() % 4
}

fn skip(reader: &mut dyn Read, length: u64) -> io::Result<()> {
    let skipped = io::copy(&mut reader.take(length), &mut io::sink())?;
    if skipped == length {
        Ok(())
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

/// A reader that ends with an error when what is left for all readers of an initrd is used up: few bytes may stand for very many.
struct Counted<'a, R> {
    inner: R,
    left: &'a Cell<u64>,
}

impl<R> Counted<'_, R> {
    fn count(&self, length: usize) {
        self.left.set(self.left.get().saturating_sub(length as u64));
    }

    fn check(&self) -> io::Result<()> {
        if self.left.get() == 0 {
            return Err(too_much());
        }
        Ok(())
    }
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.check()?;
        let length = self.inner.read(buffer)?;
        self.count(length);
        Ok(length)
    }
}

impl<R: BufRead> BufRead for Counted<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.check()?;
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.count(amount);
        self.inner.consume(amount);
    }
}

fn too_much() -> io::Error {
    let reason = "it holds more data than is looked at";
    io::Error::new(io::ErrorKind::FileTooLarge, reason)
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::cpio_archive;

    fn names(bytes: &[u8]) -> (Vec<String>, io::Result<()>) {
        let mut names = Vec::new();
        let result = visit_files(&mut &bytes[..], LIMIT, &mut |entry, _| {
            names.push(entry.name.to_owned());
            Ok(true)
        });
        (names, result)
    }

    #[test]
    fn concatenated_archives_are_all_read() {
        let mut bytes = cpio_archive(&["kernel/x86/microcode/GenuineIntel.bin"]);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes.extend(cpio_archive(&["init", "lib/modules/ahci.ko"]));
        let (names, result) = names(&bytes);
        result.unwrap();
        let first = "kernel/x86/microcode/GenuineIntel.bin";
        assert_eq!(
            names,
            [first, TRAILER, "init", "lib/modules/ahci.ko", TRAILER]
        );
    }

    #[test]
    fn a_visitor_that_has_enough_ends_it() {
        let mut seen = 0;
        visit_files(&mut &cpio_archive(&["a", "b"])[..], LIMIT, &mut |_, _| {
            seen += 1;
            Ok(false)
        })
        .unwrap();
        assert_eq!(seen, 1);
    }

    #[test]
    fn damage_is_an_error_after_what_could_be_read() {
        let whole = cpio_archive(&["first", "second"]);
        let (read, result) = names(&whole[..160]);
        assert_eq!(read, ["first"]);
        assert!(decompress::is_damage(&result.unwrap_err()));

        let mut absurd = whole.clone();
        absurd[6 + 11 * 8..][..8].copy_from_slice(b"FFFFFFFF");
        assert!(names(&absurd).1.is_err());
        assert!(names(b"#!/bin/sh\n").1.is_err());
        assert!(names(b"").1.is_ok());
    }

    #[test]
    fn few_bytes_that_stand_for_many_are_not_all_read() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        io::copy(&mut io::repeat(0).take(8 << 20), &mut encoder).unwrap();
        let bomb = encoder.finish().unwrap();
        // One piece over the limit, and many that are below it each.
        for (pieces, limit) in [(1, 1 << 20), (20, 32 << 20)] {
            let bytes = bomb.repeat(pieces);
            let error = visit_files(&mut &bytes[..], limit, &mut |_, _| Ok(true)).unwrap_err();
            assert!(error.to_string().contains("more data"), "{error}");
            assert!(!decompress::is_damage(&error));
        }
        let zeros = &mut io::BufReader::new(io::repeat(0));
        assert!(visit_files(zeros, 1 << 20, &mut |_, _| Ok(true)).is_err());
    }
}
