//! The parsers of a closure's files on any bytes, each with what must hold of its result. Called through `crate::fuzzing` only.

mod programs;
mod store;
mod texts;

pub use programs::{bzimage, elf, script};
pub use store::{initrd, registration};
pub use texts::{bootspec, fstab, grub_config, unit};
