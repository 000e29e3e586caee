use crate::vocabulary::System;

/// The signature of a PE file stands after a stub for DOS, whose length is small.
pub(super) const HEADER_LENGTH: u64 = 4096;

/// The platform whose EFI firmware starts this program, from the machine of its COFF header (PE Format, "Machine Types"); `None` where it
/// is no PE file.
pub(super) fn machine(bytes: &[u8]) -> Option<System> {
    const POINTER: usize = 0x3c;
    if !bytes.starts_with(b"MZ") {
        return None;
    }
    let pointer: [u8; 4] = bytes.get(POINTER..POINTER + 4)?.try_into().ok()?;
    let at = usize::try_from(u32::from_le_bytes(pointer)).ok()?;
    let header = bytes.get(at..at.checked_add(6)?)?;
    let machine = header.strip_prefix(b"PE\0\0")?;
    Some(match u16::from_le_bytes([machine[0], machine[1]]) {
        0x8664 => System::X86_64Linux,
        0x014c => System::I686Linux,
        0xaa64 => System::Other("aarch64-linux".to_owned()),
        other => System::Other(format!("EFI machine {other:#06x}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::efi_program;

    #[test]
    fn machines_are_told_apart() {
        assert_eq!(machine(&efi_program(0x8664)), Some(System::X86_64Linux));
        assert_eq!(machine(&efi_program(0x014c)), Some(System::I686Linux));
        assert!(matches!(machine(&efi_program(1)), Some(System::Other(_))));
    }

    #[test]
    fn other_files_have_none() {
        let mut wild = efi_program(0x8664);
        wild[0x3c..0x40].copy_from_slice(&u32::MAX.to_le_bytes());
        for bytes in [&b"MZ"[..], b"", b"\x7fELF", &wild] {
            assert_eq!(machine(bytes), None);
        }
    }
}
