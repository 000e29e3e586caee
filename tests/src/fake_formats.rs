//! The first bytes of a kernel, an executable and an initrd: as much as the closure's reader looks at.

use std::io::{self, Write as _};

/// The setup sectors of a 64-bit kernel 6.6.63 (Linux's `Documentation/arch/x86/boot.rst`).
pub fn bzimage() -> Vec<u8> {
    const VERSION: &[u8] = b"6.6.63 (nixbld@localhost) #1-NixOS SMP\0";
    // `kernel_version` counts from the end of the first sector.
    const VERSION_OFFSET: usize = 0x300;
    const XLF_KERNEL_64: u8 = 1;
    let mut image = vec![0; 4096];
    image[0x1f1] = 4;
    image[0x202..0x206].copy_from_slice(b"HdrS");
    image[0x206..0x208].copy_from_slice(&[0x0f, 0x02]);
    image[0x20e..0x210].copy_from_slice(&[0x00, 0x03]);
    image[0x236] = XLF_KERNEL_64;
    image[0x200 + VERSION_OFFSET..][..VERSION.len()].copy_from_slice(VERSION);
    image
}

/// The header of an x86_64 executable (elf(5)).
pub fn elf() -> Vec<u8> {
    const EM_X86_64: u8 = 62;
    let mut header = vec![0; 64];
    header[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    header[16] = 3;
    header[18] = EM_X86_64;
    header
}

/// The first 20 bytes of [`elf`], as the guest prints those of its PID 1.
pub fn elf_in_hex() -> String {
    elf()[..20].iter().map(|b| format!("{b:02x}")).collect()
}

/// An initrd: an uncompressed cpio archive of an `init` and files with the given names.
///
/// # Errors
/// Never for names that fit in memory; the writer of the archive has the type.
pub fn initrd(names: &[&str]) -> io::Result<Vec<u8>> {
    let mut archive = Vec::new();
    add(&mut archive, "init", 0o100_755, &elf())?;
    for name in names {
        add(&mut archive, name, 0o100_644, b"content")?;
    }
    cpio::newc::trailer(archive)
}

fn add(archive: &mut Vec<u8>, name: &str, mode: u32, content: &[u8]) -> io::Result<()> {
    let mut file = cpio::newc::Builder::new(name)
        .mode(mode)
        .write(archive, content.len() as u32);
    file.write_all(content)?;
    file.finish()?;
    Ok(())
}
