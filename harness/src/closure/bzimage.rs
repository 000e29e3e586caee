use crate::vocabulary::System;

/// The real-mode part of a kernel is at most 64 sectors of 512 bytes.
pub(super) const HEADER_LENGTH: u64 = 64 * 512 + 512;

const MAGIC: usize = 0x202;
const PROTOCOL: usize = 0x206;

/// What an x86 kernel image says of itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct KernelImage {
    /// `None` where the boot protocol is older than the flag that tells.
    pub(super) system: Option<System>,
    /// The release, such as `6.6.63`: the first word of the version string.
    pub(super) version: Option<String>,
}

/// Reads the setup header of a bzImage, as the kernel's `Documentation/arch/x86/boot.rst` lays it out.
///
/// # Errors
/// A sentence on what the image is instead.
pub(super) fn parse(image: &[u8]) -> Result<KernelImage, &'static str> {
    const XLOADFLAGS: usize = 0x236;
    const XLF_KERNEL_64: u16 = 1;
    if image.get(MAGIC..MAGIC + 4) != Some(b"HdrS") {
        return Err(match image {
            [b'M', b'Z', _, _, b'z', b'i', b'm', b'g', ..] => {
                "the kernel is an EFI zboot image, whose architecture is compressed with it"
            }
            [0x7f, b'E', b'L', b'F', ..] => "the kernel is an uncompressed ELF file, no bzImage",
            [] => "the kernel is empty",
            _ => "the kernel is no x86 bzImage",
        });
    }
    let protocol = word(image, PROTOCOL).ok_or("the kernel's setup header is cut short")?;
    let system = if protocol < 0x020c {
        None
    } else {
        let flags = word(image, XLOADFLAGS).ok_or("the kernel's setup header is cut short")?;
        Some(if flags & XLF_KERNEL_64 == 0 {
            System::I686Linux
        } else {
            System::X86_64Linux
        })
    };
    Ok(KernelImage {
        system,
        version: version(image),
    })
}

/// The platform of a kernel image, of which at least the setup is given; `None` where it is no bzImage or does not tell.
pub fn platform(image: &[u8]) -> Option<System> {
    parse(image).ok()?.system
}

/// The bytes that an image must have by its own header: setup, protected-mode code (`syssize`) and, in it, the compressed kernel
/// (`payload_offset`, `payload_length`). `None` for what is no bzImage, and before protocol 2.08, which tells no payload.
///
/// An image may be longer, by an EFI signature or padding.
pub(super) fn declared_length(image: &[u8]) -> Option<u64> {
    const SETUP_SECTORS: usize = 0x1f1;
    const SYSSIZE: usize = 0x1f4;
    const PAYLOAD_OFFSET: usize = 0x248;
    const PAYLOAD_LENGTH: usize = 0x24c;
    const SECTOR: u64 = 512;
    const PARAGRAPH: u64 = 16;
    if image.get(MAGIC..MAGIC + 4) != Some(b"HdrS") || word(image, PROTOCOL)? < 0x0208 {
        return None;
    }
    // For a reason of history, none means four.
    let sectors = match image[SETUP_SECTORS] {
        0 => 4,
        sectors => u64::from(sectors),
    };
    let code = double_word(image, SYSSIZE)? * PARAGRAPH;
    let payload = double_word(image, PAYLOAD_OFFSET)? + double_word(image, PAYLOAD_LENGTH)?;
    // The last paragraph need not be whole.
    Some((sectors + 1) * SECTOR + payload.max(code.saturating_sub(PARAGRAPH - 1)))
}

fn version(image: &[u8]) -> Option<String> {
    const KERNEL_VERSION: usize = 0x20e;
    const LONGEST: usize = 256;
    let offset = word(image, KERNEL_VERSION).filter(|offset| *offset != 0)?;
    // The pointer is relative to the second sector.
    let text = image.get(usize::from(offset) + 0x200..)?;
    let text = text.get(..LONGEST).unwrap_or(text);
    let end = text.iter().position(|byte| *byte == 0)?;
    let text = std::str::from_utf8(&text[..end]).ok()?;
    let release = text.split_whitespace().next()?;
    release
        .chars()
        .all(|c| c.is_ascii_graphic())
        .then(|| release.to_owned())
}

fn word(image: &[u8], offset: usize) -> Option<u16> {
    let bytes = image.get(offset..offset + 2)?;
    Some(u16::from_le_bytes([bytes[0], bytes[1]]))
}

fn double_word(image: &[u8], offset: usize) -> Option<u64> {
    let (low, high) = (word(image, offset)?, word(image, offset + 2)?);
    Some(u64::from(low) | u64::from(high) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::bzimage;

    #[test]
    fn kernel_bits_and_version_are_read() {
        assert_eq!(
            parse(&bzimage(true)),
            Ok(KernelImage {
                system: Some(System::X86_64Linux),
                version: Some("6.6.63".into()),
            })
        );
        let image = parse(&bzimage(false)).unwrap();
        assert_eq!(image.system, Some(System::I686Linux));
    }

    #[test]
    fn an_old_protocol_does_not_tell_the_bits() {
        let mut image = bzimage(true);
        image[0x206] = 0x0b;
        assert_eq!(parse(&image).unwrap().system, None);
    }

    #[test]
    fn other_images_are_named() {
        assert!(parse(b"MZ\0\0zimg").unwrap_err().contains("zboot"));
        assert!(parse(b"\x7fELF").unwrap_err().contains("ELF"));
        assert!(parse(&[0; 1024]).is_err());
        assert!(parse(&bzimage(true)[..0x207]).is_err());
    }

    #[test]
    fn a_version_that_points_outside_is_no_version() {
        let mut image = bzimage(true);
        image[0x20e..0x210].copy_from_slice(&u16::MAX.to_le_bytes());
        assert_eq!(parse(&image).unwrap().version, None);
    }

    #[test]
    fn an_image_tells_how_long_it_must_be() {
        let mut image = bzimage(true);
        assert_eq!(declared_length(&image), Some(5 * 512));
        image[0x1f4..0x1f8].copy_from_slice(&0x8_0000_u32.to_le_bytes());
        assert_eq!(declared_length(&image), Some(5 * 512 + (8 << 20) - 15));
        image[0x248..0x24c].copy_from_slice(&0x400_u32.to_le_bytes());
        image[0x24c..0x250].copy_from_slice(&u32::MAX.to_le_bytes());
        let longest = 5 * 512 + 0x400 + u64::from(u32::MAX);
        assert_eq!(declared_length(&image), Some(longest));
        image[0x206] = 0x07;
        assert_eq!(declared_length(&image), None);
        for other in [&b"MZ\0\0zimg"[..], b"\x7fELF", b"", &bzimage(true)[..0x206]] {
            assert_eq!(declared_length(other), None);
        }
    }
}
