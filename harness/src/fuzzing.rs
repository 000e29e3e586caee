//! Every parser of hostile bytes as one function that asserts what must hold of its result, whatever the bytes.
//!
//! The targets of `fuzz/` and the test of their corpus call it; the program does not. A parser that breaks a promise panics here.

pub use crate::closure::fuzzing::{
    bootspec, bzimage, elf, fstab, grub_config, grub_menu, initrd, module_file, pe, registration,
    script, udev, unit,
};
pub use crate::config::fuzzing::configuration;
pub use crate::image::fuzz_write_log as write_log;
pub use crate::nginx::fuzzing::nginx;
pub use crate::receipt::fuzzing::receipt;
pub use crate::vm::fuzz_efi_variables as efi_variables;

/// A parser with the name of its fuzz target and of its directory in `fuzz/corpus`.
pub struct Target {
    pub name: &'static str,
    pub run: fn(&[u8]),
}

/// One row a target of `fuzz/`.
pub const TARGETS: &[Target] = &[
    target("bootspec", bootspec),
    target("bzimage", bzimage),
    target("configuration", configuration),
    target("efi_variables", efi_variables),
    target("elf", elf),
    target("fstab", fstab),
    target("grub_config", grub_config),
    target("grub_menu", grub_menu),
    target("initrd", initrd),
    target("module_file", module_file),
    target("nginx", nginx),
    target("pe", pe),
    target("receipt", receipt),
    target("registration", registration),
    target("script", script),
    target("udev", udev),
    target("unit", unit),
    target("write_log", write_log),
];

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run }
}
