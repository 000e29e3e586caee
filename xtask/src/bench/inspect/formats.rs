//! The smallest files that bootproof takes for a kernel, an initrd and programs.

/// The setup sectors of a 64-bit kernel 6.6.63 (Linux, `Documentation/arch/x86/boot.rst`).
pub(super) fn kernel() -> Vec<u8> {
    let mut image = vec![0; 4096];
    image[0x1f1] = 4;
    image[0x202..0x206].copy_from_slice(b"HdrS");
    image[0x206..0x208].copy_from_slice(&0x020f_u16.to_le_bytes());
    image[0x20e..0x210].copy_from_slice(&0x300_u16.to_le_bytes());
    image[0x236] = 1;
    let version = b"6.6.63 (nixbld@localhost) #1-NixOS SMP\0";
    image[0x500..0x500 + version.len()].copy_from_slice(version);
    image
}

/// An uncompressed cpio archive (`newc`, cpio(5)) of a program called `init` and of empty files.
pub(super) fn initrd(names: &[&str]) -> Vec<u8> {
    let mut archive = Vec::new();
    add(&mut archive, "init", &elf(Kind::Program, true));
    for name in names.iter().copied().chain(["TRAILER!!!"]) {
        add(&mut archive, name, b"");
    }
    archive
}

fn add(archive: &mut Vec<u8>, name: &str, content: &[u8]) {
    // Inode, mode, owners, links, time, size, devices, length of the name with its NUL, checksum.
    let mut fields = [0; 13];
    fields[1] = 0o100_755;
    fields[4] = 1;
    fields[6] = content.len();
    fields[11] = name.len() + 1;
    archive.extend(b"070701");
    for field in fields {
        archive.extend(format!("{field:08x}").bytes());
    }
    archive.extend(name.bytes());
    archive.push(0);
    archive.resize(archive.len().next_multiple_of(4), 0);
    archive.extend(content);
    archive.resize(archive.len().next_multiple_of(4), 0);
}

/// What an ELF file is for, as `e_type` (elf(5)).
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Object = 1,
    Program = 2,
    Library = 3,
}

/// The header of an ELF file without segments; 32-bit ones are of an i386, others of an x86_64.
pub(super) fn elf(kind: Kind, is_64_bit: bool) -> Vec<u8> {
    let mut header = vec![0; 64];
    header[..4].copy_from_slice(b"\x7fELF");
    header[4..7].copy_from_slice(&[if is_64_bit { 2 } else { 1 }, 1, 1]);
    header[16] = kind as u8;
    header[18] = if is_64_bit { 62 } else { 3 };
    header
}
