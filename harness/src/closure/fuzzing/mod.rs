//! The parsers of a closure's files on any bytes, each with what must hold of its result. Called through `crate::fuzzing` only.

mod programs;
mod store;
mod texts;

pub use programs::{bzimage, elf, module_file, pe, script};
pub use store::{initrd, registration};
pub use texts::{bootspec, fstab, grub_config, grub_menu, udev, unit};

/// Plain bytes of compressed data, a bound that a fuzzer reaches in no time; the program's own are larger.
const PLAIN_LIMIT: u64 = 128 << 10;
