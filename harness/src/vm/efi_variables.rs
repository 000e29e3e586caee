//! The variables that a UEFI firmware keeps in flash, as edk2 lays them out (`MdeModulePkg/Include/Guid/VariableFormat.h`,
//! `MdePkg/Include/Pi/PiFirmwareVolume.h`): a firmware volume with a store of variables, one after another.

/// A GUID's bytes: three little-endian numbers and eight bytes (UEFI specification, appendix A).
pub type GuidBytes = [u8; 16];

/// The vendor of the Boot Loader Interface, 4a67b082-0a4c-41cf-b6c7-440b29bb8c4f (systemd's `docs/BOOT_LOADER_INTERFACE.md`).
pub const BOOT_LOADER_INTERFACE: GuidBytes = [
    0x82, 0xb0, 0x67, 0x4a, 0x4c, 0x0a, 0xcf, 0x41, 0xb6, 0xc7, 0x44, 0x0b, 0x29, 0xbb, 0x8c, 0x4f,
];

/// aaf32c78-947b-439a-a180-2e144ec37792, whose variables have what authenticates them.
const AUTHENTICATED_STORE: GuidBytes = [
    0x78, 0x2c, 0xf3, 0xaa, 0x7b, 0x94, 0x9a, 0x43, 0xa1, 0x80, 0x2e, 0x14, 0x4e, 0xc3, 0x77, 0x92,
];
/// ddcf3616-3275-4164-98b6-fe85707ffe7d.
const PLAIN_STORE: GuidBytes = [
    0x16, 0x36, 0xcf, 0xdd, 0x75, 0x32, 0x64, 0x41, 0x98, 0xb6, 0xfe, 0x85, 0x70, 0x7f, 0xfe, 0x7d,
];

const VOLUME_SIGNATURE: usize = 40;
const VOLUME_HEADER_LENGTH: usize = 48;
const STORE_HEADER: usize = 28;
const VARIABLE_START: u16 = 0x55aa;
/// Of what follows the start, the state, a byte of nothing and the attributes: counter, time and key where they are authenticated.
const AUTHENTICATION: usize = 28;

/// A bit is cleared with each step of a variable's life.
const ADDED: u8 = 0x3f;
/// It is about to be replaced, and counts as long as what replaces it is not there.
const BEING_DELETED: u8 = 0x3e;

/// The value of the variable `name` of `vendor`, with its attributes before it as efivarfs has them; `None` where the flash has none.
pub fn efi_variable(flash: &[u8], vendor: GuidBytes, name: &str) -> Option<Vec<u8>> {
    let mut replaced = None;
    for variable in variables(flash)? {
        let mut units = name.encode_utf16().chain([0]).flat_map(u16::to_le_bytes);
        let is_meant = variable.vendor == vendor
            && variable.name.len() == 2 * (name.encode_utf16().count() + 1)
            && variable.name.iter().all(|byte| units.next() == Some(*byte));
        match variable.state {
            ADDED if is_meant => return Some(variable.value()),
            BEING_DELETED if is_meant => replaced = Some(variable.value()),
            _ => {}
        }
    }
    replaced
}

struct Variable<'a> {
    state: u8,
    attributes: [u8; 4],
    vendor: GuidBytes,
    name: &'a [u8],
    data: &'a [u8],
}

impl Variable<'_> {
    fn value(&self) -> Vec<u8> {
        [&self.attributes, self.data].concat()
    }
}

/// All that stand in the first store, deleted ones too; `None` where there is no store.
fn variables(flash: &[u8]) -> Option<impl Iterator<Item = Variable<'_>>> {
    if flash.get(VOLUME_SIGNATURE..)?.first_chunk() != Some(b"_FVH") {
        return None;
    }
    let header = flash.get(VOLUME_HEADER_LENGTH..)?.first_chunk()?;
    let store = flash.get(usize::from(u16::from_le_bytes(*header))..)?;
    let is_authenticated = match *store.first_chunk::<16>()? {
        AUTHENTICATED_STORE => true,
        PLAIN_STORE => false,
        _ => return None,
    };
    let size = u32::from_le_bytes(*store.get(16..)?.first_chunk()?);
    let size = usize::try_from(size).map_or(store.len(), |size| size.min(store.len()));
    let mut rest = store.get(STORE_HEADER..size)?;
    Some(std::iter::from_fn(move || {
        let (variable, length) = variable(rest, is_authenticated)?;
        // The next one begins at a multiple of four bytes, as the store does.
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(variable)
    }))
}

/// The variable that `bytes` begin with, and how long it is; `None` behind the last one.
fn variable(bytes: &[u8], is_authenticated: bool) -> Option<(Variable<'_>, usize)> {
    let mut at = 0;
    let mut take = |length: usize| {
        let part = bytes.get(at..)?.get(..length)?;
        at += length;
        Some(part)
    };
    if take(2)? != VARIABLE_START.to_le_bytes() {
        return None;
    }
    let state = take(2)?[0];
    let attributes = *take(4)?.first_chunk()?;
    if is_authenticated {
        take(AUTHENTICATION)?;
    }
    let name_length = u32::from_le_bytes(*take(4)?.first_chunk()?);
    let data_length = u32::from_le_bytes(*take(4)?.first_chunk()?);
    let vendor = *take(16)?.first_chunk()?;
    let name = take(usize::try_from(name_length).ok()?)?;
    let data = take(usize::try_from(data_length).ok()?)?;
    let variable = Variable {
        state,
        attributes,
        vendor,
        name,
        data,
    };
    Some((variable, at))
}

/// Asserts of any bytes that they are read without harm, and that no value is longer than they are.
pub fn fuzz(flash: &[u8]) {
    for name in ["", "LoaderEntryDefault", "LoaderEntryOneShot"] {
        if let Some(value) = efi_variable(flash, BOOT_LOADER_INTERFACE, name) {
            assert!(value.len() <= flash.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A flash with these variables, as edk2 writes it.
    fn flash(store: GuidBytes, variables: &[(u8, &str, &[u8])]) -> Vec<u8> {
        let mut flash = vec![0; 72];
        flash[VOLUME_SIGNATURE..][..4].copy_from_slice(b"_FVH");
        flash[VOLUME_HEADER_LENGTH] = 72;
        let mut body = Vec::new();
        for (state, name, data) in variables {
            let name: Vec<u8> = name
                .encode_utf16()
                .chain([0])
                .flat_map(u16::to_le_bytes)
                .collect();
            body.extend(VARIABLE_START.to_le_bytes());
            body.extend([*state, 0, 7, 0, 0, 0]);
            if store == AUTHENTICATED_STORE {
                body.extend([0; AUTHENTICATION]);
            }
            for length in [name.len(), data.len()] {
                body.extend(u32::try_from(length).unwrap().to_le_bytes());
            }
            body.extend(BOOT_LOADER_INTERFACE);
            body.extend(name);
            body.extend(*data);
            body.resize(body.len().next_multiple_of(4), 0xff);
        }
        body.resize(body.len() + 64, 0xff);
        flash.extend(store);
        flash.extend(
            u32::try_from(STORE_HEADER + body.len())
                .unwrap()
                .to_le_bytes(),
        );
        flash.extend([0x5a, 0xfe, 0, 0, 0, 0, 0, 0]);
        flash.extend(body);
        flash
    }

    fn value(flash: &[u8], name: &str) -> Option<Vec<u8>> {
        efi_variable(flash, BOOT_LOADER_INTERFACE, name)
    }

    #[test]
    fn the_variable_that_was_added_last_counts_and_deleted_ones_do_not() {
        const DELETED: u8 = 0x3c;
        for store in [AUTHENTICATED_STORE, PLAIN_STORE] {
            let flash = flash(
                store,
                &[
                    (DELETED, "A", b"old"),
                    (BEING_DELETED, "A", b"before"),
                    (ADDED, "AB", b"another"),
                    (ADDED, "A", b"new"),
                    (BEING_DELETED, "B", b"left"),
                ],
            );
            assert_eq!(value(&flash, "A").unwrap(), b"\x07\0\0\0new");
            assert_eq!(value(&flash, "B").unwrap(), b"\x07\0\0\0left");
            assert_eq!(value(&flash, "C"), None);
            assert_eq!(efi_variable(&flash, PLAIN_STORE, "A"), None);
            (0..flash.len()).for_each(|length| fuzz(&flash[..length]));
        }
    }

    #[test]
    fn the_variables_of_a_real_firmware_are_read() {
        let places = [
            "/usr/share/OVMF/OVMF_VARS_4M.fd",
            "/usr/share/OVMF/OVMF_VARS.fd",
        ];
        let Some(flash) = places.iter().find_map(|place| std::fs::read(place).ok()) else {
            eprintln!("skipped: there is no OVMF here");
            return;
        };
        assert!(variables(&flash).is_some());
        assert_eq!(value(&flash, "LoaderEntryDefault"), None);
    }
}
