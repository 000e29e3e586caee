use std::io::Cursor;

use super::PLAIN_LIMIT;
use crate::closure::execution::{elf as elf_file, script as start_script};
use crate::closure::{
    boot_loader, bzimage as kernel_image, executable, mentions, module_file as module,
    pe as efi_program,
};
use crate::vocabulary::{ElfClass, STORE_DIR};

/// The facts of an ELF file: its class is its header's, its names are bounded and hold no NUL.
pub fn elf(bytes: &[u8]) {
    let header = &bytes[..bytes.len().min(64)];
    let read = || elf_file::read(Cursor::new(bytes), header);
    let needs = read();
    assert_eq!(needs, read(), "the same bytes are the same program");
    let Ok(needs) = needs else { return };
    assert_eq!(Some(needs.class), ElfClass::of_header(header));
    let names = || {
        (needs.interpreter.iter())
            .chain(&needs.soname)
            .chain(&needs.needed)
            .chain(&needs.rpath)
            .chain(&needs.runpath)
    };
    assert!(names().all(|name| !name.contains('\0')));
    let total: usize = names().map(|name| name.len() + 1).sum();
    assert!(total <= 2 << 20, "{total} bytes of names");
}

/// The setup header of a kernel: a release is one printable word.
pub fn bzimage(bytes: &[u8]) {
    let image = kernel_image::parse(bytes);
    assert_eq!(image, kernel_image::parse(bytes));
    if let Some(version) = image.ok().and_then(|image| image.version) {
        assert!(!version.is_empty() && version.len() <= 256);
        assert!(version.bytes().all(|byte| byte.is_ascii_graphic()));
    }
}

/// A kernel module, compressed or not: `vermagic` is one printable line.
pub fn module_file(bytes: &[u8]) {
    let read = || module::parse(bytes, PLAIN_LIMIT).map_err(|error| error.to_string());
    let parsed = read();
    assert_eq!(parsed, read());
    let Ok(parsed) = parsed else { return };
    if bytes.starts_with(b"\x7fELF") {
        assert_eq!(Some(parsed.class), ElfClass::of_header(bytes));
    }
    if let Some(vermagic) = parsed.vermagic {
        assert!(vermagic.len() < 256);
        assert!(vermagic.chars().all(|c| c == ' ' || c.is_ascii_graphic()));
    }
}

/// The program of an EFI bootloader.
pub fn pe(bytes: &[u8]) {
    let machine = efi_program::machine(bytes);
    assert_eq!(machine, efi_program::machine(bytes));
    assert!(machine.is_none() || bytes.starts_with(b"MZ"));
}

/// Start scripts, installers and `switch-to-configuration`: whatever is taken from them is a path that stands there.
pub fn script(bytes: &[u8]) {
    let mut end = 0;
    for mention in mentions::in_bytes(bytes) {
        assert!(mention.start >= end && mention.path.starts_with(STORE_DIR));
        end = mention.start + mention.path.len();
        assert_eq!(&bytes[mention.start..end], mention.path.as_bytes());
    }
    let devices = boot_loader::devices_of_script(bytes);
    assert!(devices.iter().all(|device| device.starts_with("/dev/")));
    if let Some(installer) = boot_loader::named_installer(bytes) {
        assert!(installer.starts_with(STORE_DIR));
    }
    let text = String::from_utf8_lossy(bytes);
    let called = start_script::called(&text);
    assert!(called.iter().all(|path| path.starts_with(STORE_DIR)));
    if let Some(program) = executable::last_exec(&text) {
        assert!(program.starts_with(STORE_DIR));
    }
    if let Some(interpreter) = start_script::interpreter(&text) {
        assert!(!interpreter.is_empty() && !interpreter.contains(char::is_whitespace));
    }
}
