//! Rehearses the deploy and the reboots of a NixOS closure in a VM, and reports what it proved.

pub mod check;
pub mod diagnose;
pub mod fold;
pub mod report;
#[cfg(test)]
mod testing;
pub mod vocabulary;
