use std::io::{self, Read, Seek, SeekFrom};

use object::Endianness;
use object::elf::{self, FileHeader32, FileHeader64};
use object::read::elf::{Dyn as _, FileHeader, ProgramHeader as _};
use object::read::{ReadCache, ReadRef};

use crate::vocabulary::ElfClass;

/// Headers, the interpreter and the dynamic section of the largest browsers stay below a tenth of this.
const READ_LIMIT: u64 = 4 << 20;
/// A path or library name (`PATH_MAX`).
const MAX_STRING: u64 = 4096;
/// A search path names a directory for each library that a package of Haskell or of a desktop needs: some are longer than `PATH_MAX`.
const MAX_SEARCH_PATH: u64 = 256 << 10;
/// Bytes of all names together, so that entries that name the same long text again and again take no memory.
const MAX_NAMES: usize = 1 << 20;
/// The dynamic section of a program with hundreds of libraries has fewer entries.
const MAX_DYNAMIC: usize = 16_384;
const MAX_DYNAMIC_BYTES: u64 = 1 << 20;
const MAX_SEGMENTS: u16 = 4_096;

/// What an ELF file needs to run, from its program headers (elf(5)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::closure) struct ElfNeeds {
    pub(in crate::closure) class: ElfClass,
    /// `PT_INTERP`: the loader that the kernel starts; `None` for static programs and most libraries.
    pub(in crate::closure) interpreter: Option<String>,
    /// `DT_NEEDED`, in order.
    pub(in crate::closure) needed: Vec<String>,
    pub(in crate::closure) soname: Option<String>,
    /// `DT_RPATH`, split at colons.
    pub(in crate::closure) rpath: Vec<String>,
    /// `DT_RUNPATH`, split at colons.
    pub(in crate::closure) runpath: Vec<String>,
}

/// Reads what a file needs; `header` is its first 64 bytes.
///
/// # Errors
/// A sentence on the damage, when headers point outside the file or at more than is ever read.
pub(in crate::closure) fn read<R: Read + Seek>(
    file: R,
    header: &[u8],
) -> Result<ElfNeeds, &'static str> {
    const DAMAGED: &str = "its ELF headers are damaged";
    let class = ElfClass::of_header(header).ok_or(DAMAGED)?;
    let cache = ReadCache::new(Bounded {
        file,
        left: READ_LIMIT,
    });
    let needs = match header.get(4) {
        Some(1) => needs::<FileHeader32<Endianness>, _>(&cache, class),
        Some(2) => needs::<FileHeader64<Endianness>, _>(&cache, class),
        _ => None,
    };
    needs.ok_or(DAMAGED)
}

/// `PT_INTERP` of the ELF file that begins with `first`, as far as it stands within these bytes.
pub(in crate::closure) fn loader_of(first: &[u8]) -> Option<String> {
    match first.get(4) {
        Some(1) => loader::<FileHeader32<Endianness>>(first),
        Some(2) => loader::<FileHeader64<Endianness>>(first),
        _ => None,
    }
}

fn loader<H: FileHeader<Endian = Endianness>>(first: &[u8]) -> Option<String> {
    let header = H::parse(first).ok()?;
    let endian = header.endian().ok()?;
    let segments = header.program_headers(endian, first).ok()?;
    let interpreter = segments
        .iter()
        .find(|segment| segment.p_type(endian) == elf::PT_INTERP)?;
    string(first, interpreter.file_range(endian).0, MAX_STRING)
}

fn needs<'data, H, R>(data: R, class: ElfClass) -> Option<ElfNeeds>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let header = H::parse(data).ok()?;
    let endian = header.endian().ok()?;
    // Memory is taken before it is filled: counts and sizes are looked at first.
    if header.e_phnum(endian) > MAX_SEGMENTS {
        return None;
    }
    let segments = header.program_headers(endian, data).ok()?;
    let mut needs = ElfNeeds {
        class,
        interpreter: None,
        needed: Vec::new(),
        soname: None,
        rpath: Vec::new(),
        runpath: Vec::new(),
    };
    let in_file = |address: u64| {
        segments.iter().find_map(|segment| {
            let start: u64 = segment.p_vaddr(endian).into();
            let (offset, size) = segment.file_range(endian);
            let below = address.checked_sub(start)?;
            (segment.p_type(endian) == elf::PT_LOAD && below < size)
                .then(|| offset.checked_add(below))?
        })
    };
    let mut dynamic_is_read = false;
    for segment in segments {
        let (offset, size) = segment.file_range(endian);
        if segment.p_type(endian) == elf::PT_INTERP {
            needs.interpreter = Some(string(data, offset, MAX_STRING)?);
        }
        if segment.p_type(endian) == elf::PT_DYNAMIC && size > MAX_DYNAMIC_BYTES {
            return None;
        }
        // The loader knows of one dynamic section only.
        if !dynamic_is_read && let Some(entries) = segment.dynamic(endian, data).ok()? {
            dynamic_is_read = true;
            let entries: Vec<(elf::DynamicTag, u64)> = entries
                .iter()
                .take(MAX_DYNAMIC)
                .map(|entry| (entry.d_tag(endian), entry.d_val(endian).into()))
                .take_while(|(tag, _)| *tag != elf::DT_NULL)
                .collect();
            add_dynamic(data, &entries, in_file, &mut needs)?;
        }
    }
    Some(needs)
}

/// Adds the names of a dynamic section, which are offsets into its string table.
fn add_dynamic<'data, R: ReadRef<'data>>(
    data: R,
    entries: &[(elf::DynamicTag, u64)],
    in_file: impl Fn(u64) -> Option<u64>,
    needs: &mut ElfNeeds,
) -> Option<()> {
    let strings = entries.iter().find(|(tag, _)| *tag == elf::DT_STRTAB);
    let Some((_, address)) = strings else {
        return Some(());
    };
    let table = in_file(*address)?;
    let mut left = MAX_NAMES;
    let mut name = |offset: u64, longest: u64| {
        let text = string(data, table.checked_add(offset)?, longest)?;
        left = left.checked_sub(text.len())?;
        Some(text)
    };
    let list = |text: String| text.split(':').map(str::to_owned).collect();
    for (tag, value) in entries {
        match *tag {
            elf::DT_NEEDED => needs.needed.push(name(*value, MAX_STRING)?),
            elf::DT_SONAME => needs.soname = name(*value, MAX_STRING),
            elf::DT_RPATH => needs.rpath = list(name(*value, MAX_SEARCH_PATH)?),
            elf::DT_RUNPATH => needs.runpath = list(name(*value, MAX_SEARCH_PATH)?),
            _ => {}
        }
    }
    Some(())
}

fn string<'data, R: ReadRef<'data>>(data: R, offset: u64, longest: u64) -> Option<String> {
    let size = data.len().ok()?;
    let end = size.min(offset.checked_add(MAX_STRING)?);
    let bytes = match data.read_bytes_at_until(offset..end, 0) {
        Ok(bytes) => bytes,
        // A cache looks for the end in so many bytes only.
        Err(()) if longest > MAX_STRING => {
            let length = size.checked_sub(offset)?.min(longest);
            let bytes = data.read_bytes_at(offset, length).ok()?;
            &bytes[..memchr::memchr(0, bytes)?]
        }
        Err(()) => return None,
    };
    String::from_utf8(bytes.to_vec()).ok()
}

/// A file of which only so much is read: what a hostile header asks for beyond that is refused.
struct Bounded<R> {
    file: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len() as u64;
        self.left = self.left.checked_sub(length).ok_or_else(too_much)?;
        self.file.read(buffer)
    }
}

impl<R: Seek> Seek for Bounded<R> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.file.seek(position)
    }
}

fn too_much() -> io::Error {
    io::Error::other("its headers ask for more than is read")
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::closure::testing::dynamic_elf;

    fn needs(bytes: &[u8]) -> Result<ElfNeeds, &'static str> {
        super::read(Cursor::new(bytes), &bytes[..64])
    }

    #[test]
    fn a_search_path_longer_than_a_path_is_read() {
        let runpath = "/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-package/lib:".repeat(400);
        let read = needs(&dynamic_elf("/lib/ld.so", &["libc.so.6"], &runpath)).unwrap();
        assert_eq!(read.runpath.len(), 401);
    }

    #[test]
    fn a_name_that_is_needed_over_and_over_takes_no_memory() {
        let name = "n".repeat(4000);
        let name = name.as_str();
        assert!(needs(&dynamic_elf("/lib/ld.so", &[name; 200], "")).is_ok());
        assert!(needs(&dynamic_elf("/lib/ld.so", &[name; 300], "")).is_err());
    }
}
