//! Rehearses the deploy and the reboots of a NixOS closure in a VM, and reports what it proved.

pub mod approval;
pub mod audit;
pub mod check;
pub mod cli;
pub mod closure;
pub mod config;
pub mod deploy;
pub mod diagnose;
pub mod doctor;
pub mod fold;
#[doc(hidden)]
pub mod fuzzing;
pub mod gate;
pub mod image;
pub mod inspect;
pub mod next_boot;
pub mod nginx;
pub mod probe;
pub mod receipt;
pub mod rehearsal;
pub mod report;
pub mod scenario;
pub mod shell;
pub mod vm;
pub mod vocabulary;

mod offspring;
#[cfg(test)]
mod testing;
