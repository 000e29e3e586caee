//! Rehearses the deploy and the reboots of a NixOS closure in a VM, and reports what it proved.

pub mod closure;
pub mod nginx;
pub mod vocabulary;
