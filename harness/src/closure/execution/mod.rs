//! What is executed when a file is, from its own bytes: an interpreter, a loader, libraries; and why it cannot be. The survey follows the
//! files of a closure by it, and the initrd's reader those of an archive.

pub(super) mod elf;
pub(super) mod hop;
pub(super) mod libraries;
pub(super) mod script;

pub use hop::{Fault, Hop, Role};
pub use script::interpreter;
