use std::io::{self, BufReader, Cursor, Read};

use memchr::memmem;

use super::decompress::{self, MAGIC_LENGTH};
use super::files::{ClosureFiles, FileError};
use crate::vocabulary::ElfClass;

/// The largest modules, those of graphics cards, have about 100 MB.
const LIMIT: u64 = 128 << 20;
/// More than any line of `vermagic`.
const LONGEST: usize = 256;
const KEY: &[u8] = b"vermagic=";

/// What a kernel module says of the kernel that it is made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleFile {
    pub class: ElfClass,
    /// Release and options of the kernel's build: `6.6.63 SMP preempt mod_unload`.
    pub vermagic: Option<String>,
}

/// Reads a module, compressed or not.
///
/// `vermagic` is an entry of its section `.modinfo`. The table of an object's sections stands at its end, so that a module that is
/// decompressed piece by piece is searched for the entry instead.
///
/// # Errors
/// When it is no ELF file or its compression is damaged.
pub(super) fn read(files: &ClosureFiles, path: &str) -> Result<ModuleFile, FileError> {
    let damaged = |error: io::Error| FileError::Format {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let file = files.open(path)?;
    parse(file, LIMIT).map_err(damaged)
}

/// Parses a module of which at most `limit` plain bytes are looked at.
pub(super) fn parse(mut file: impl Read, limit: u64) -> io::Result<ModuleFile> {
    let mut magic = [0; MAGIC_LENGTH];
    file.read_exact(&mut magic)?;
    let mut whole = BufReader::new(Cursor::new(magic).chain(file));
    if magic.starts_with(b"\x7fELF") {
        of_object(&mut whole, limit)
    } else {
        of_object(&mut decompress::reader(&magic, &mut whole)?, limit)
    }
}

fn of_object(reader: &mut dyn Read, limit: u64) -> io::Result<ModuleFile> {
    const PIECE: usize = 64 << 10;
    let mut reader = reader.take(limit);
    let mut window = Vec::with_capacity(2 * PIECE);
    let fill = |window: &mut Vec<u8>, reader: &mut io::Take<&mut dyn Read>| {
        reader.by_ref().take(PIECE as u64).read_to_end(window)
    };
    fill(&mut window, &mut reader)?;
    let class = ElfClass::of_header(&window)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it is no ELF file"))?;
    loop {
        if let Some(vermagic) = vermagic(&window) {
            let vermagic = Some(vermagic);
            return Ok(ModuleFile { class, vermagic });
        }
        // The entry may lie across the border of two pieces.
        let kept = window.len().min(KEY.len() + LONGEST);
        window.drain(..window.len() - kept);
        if fill(&mut window, &mut reader)? == 0 {
            let vermagic = None;
            return Ok(ModuleFile { class, vermagic });
        }
    }
}

/// The first entry that is whole and printable.
fn vermagic(bytes: &[u8]) -> Option<String> {
    memmem::find_iter(bytes, KEY).find_map(|at| {
        let value = &bytes[at + KEY.len()..];
        let end = value.iter().take(LONGEST).position(|byte| *byte == 0)?;
        let value = std::str::from_utf8(&value[..end]).ok()?;
        let printable = value.chars().all(|c| c == ' ' || c.is_ascii_graphic());
        (printable && !value.is_empty()).then(|| value.trim_end().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::closure::testing::module;

    #[test]
    fn class_and_vermagic_are_read_of_plain_and_compressed_modules() {
        let plain = module(ElfClass::X86_64, "6.6.63 SMP preempt mod_unload ");
        let options = lzma_rust2::XzOptions::with_preset(1);
        let mut xz = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
        xz.write_all(&plain).unwrap();
        let level = ruzstd::encoding::CompressionLevel::Fastest;
        let zstd = ruzstd::encoding::compress_to_vec(plain.as_slice(), level);
        for bytes in [plain, xz.finish().unwrap(), zstd] {
            let read = parse(bytes.as_slice(), LIMIT).unwrap();
            assert_eq!(read.class, ElfClass::X86_64);
            let vermagic = read.vermagic.as_deref();
            assert_eq!(vermagic, Some("6.6.63 SMP preempt mod_unload"));
        }
    }

    #[test]
    fn an_entry_across_the_border_of_two_pieces_is_found() {
        let plain = module(ElfClass::I386, "6.6.63 SMP ");
        let (header, entry) = plain.split_at(64);
        for padding in (64 << 10) - 80..(64 << 10) {
            let mut bytes = header.to_vec();
            bytes.resize(padding, 0);
            bytes.extend(entry);
            let read = parse(bytes.as_slice(), LIMIT).unwrap();
            assert_eq!(read.vermagic.as_deref(), Some("6.6.63 SMP"), "{padding}");
        }
    }

    #[test]
    fn other_files_are_errors_and_a_missing_entry_is_none() {
        assert!(parse(&b""[..], LIMIT).is_err());
        assert!(parse(&b"not a module"[..], LIMIT).is_err());
        assert!(parse(&b"\x7fELF\x02\x01"[..], LIMIT).is_err());
        let bytes = crate::closure::testing::elf(ElfClass::X86_64);
        assert_eq!(parse(bytes.as_slice(), LIMIT).unwrap().vermagic, None);
    }
}
