//! Rehearses the deploy and the reboots of a NixOS closure in a VM, and reports what it proved.

pub mod closure;
pub mod image;
pub mod nginx;
mod offspring;
pub mod probe;
pub mod rehearsal;
pub mod scenario;
pub mod vm;
pub mod vocabulary;
