//! Rehearses the deploy and the reboots of a NixOS closure in a VM, and reports what it proved.

// cli

pub mod image;
mod offspring;
pub mod probe;
pub mod rehearsal;
pub mod scenario;
pub mod vm;
pub mod closure;
pub mod nginx;
pub mod vocabulary;
