//! What the header of a qcow2 image says that QEMU would read beneath it (QEMU's `docs/interop/qcow2.txt`).

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// The length of the header of version 3, as far as it is read here.
const HEADER: usize = 80;

/// The longest name that QEMU takes.
const NAME_LIMIT: u32 = 1023;

/// Bits of `incompatible_features` that do not make QEMU read another file: dirty, corrupt, and the compression type.
const HARMLESS: u64 = 0b1011;

/// The backing file that the image at `path` names.
///
/// # Errors
/// In words, when it is no qcow2 image with a backing file, or keeps its data elsewhere.
pub(super) fn backing_file(path: &Path) -> Result<PathBuf, String> {
    let mut file = File::open(path).map_err(|error| error.to_string())?;
    let mut header = [0; HEADER];
    file.read_exact(&mut header)
        .map_err(|_| "it is shorter than a qcow2 header".to_owned())?;
    let (offset, length) = backing_name(&header)?;
    let mut name = vec![0; length];
    file.read_exact_at(&mut name, offset)
        .map_err(|_| "it ends before the name of its backing file".to_owned())?;
    String::from_utf8(name)
        .map(PathBuf::from)
        .map_err(|_| "the name of its backing file is not text".to_owned())
}

/// Where the name stands, and how long it is.
fn backing_name(header: &[u8; HEADER]) -> Result<(u64, usize), String> {
    let u32_at = |at: usize| {
        header[at..]
            .first_chunk()
            .map_or(0, |b| u32::from_be_bytes(*b))
    };
    let u64_at = |at: usize| {
        header[at..]
            .first_chunk()
            .map_or(0, |b| u64::from_be_bytes(*b))
    };
    if &header[..4] != b"QFI\xfb" || u32_at(4) != 3 {
        return Err("it is no qcow2 image of version 3".to_owned());
    }
    if u64_at(72) & !HARMLESS != 0 {
        return Err("it has features that bootproof does not give its disks".to_owned());
    }
    let (offset, length) = (u64_at(8), u32_at(16));
    if offset == 0 || length == 0 || length > NAME_LIMIT {
        return Err("it has no backing file".to_owned());
    }
    Ok((offset, length as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(version: u32, features: u64, offset: u64, length: u32) -> [u8; HEADER] {
        let mut header = [0; HEADER];
        header[..4].copy_from_slice(b"QFI\xfb");
        header[4..8].copy_from_slice(&version.to_be_bytes());
        header[8..16].copy_from_slice(&offset.to_be_bytes());
        header[16..20].copy_from_slice(&length.to_be_bytes());
        header[72..80].copy_from_slice(&features.to_be_bytes());
        header
    }

    #[test]
    fn the_name_of_the_backing_file_is_found() {
        assert_eq!(backing_name(&header(3, 1, 512, 9)), Ok((512, 9)));
    }

    #[test]
    fn other_images_are_refused() {
        const EXTERNAL_DATA: u64 = 4;
        for header in [
            header(2, 0, 512, 9),
            header(3, EXTERNAL_DATA, 512, 9),
            header(3, 0, 0, 0),
            header(3, 0, 512, 5000),
            [0; HEADER],
        ] {
            assert!(backing_name(&header).is_err());
        }
    }
}
