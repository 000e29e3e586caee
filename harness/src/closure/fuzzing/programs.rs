use std::io::Cursor;

use crate::closure::survey::{elf as elf_file, script as start_script};
use crate::closure::{boot_loader, bzimage as kernel_image, executable, mentions};
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
