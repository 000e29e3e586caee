//! A live NixOS machine, looked at without changing anything: what runs, what the next boot will start, and whether that can run.
//!
//! The command line calls [`gather`] with a shell on the machine and [`audit`] with what came of it. The scripts print raw bytes in frames;
//! all reading and judging is done here, and nothing here does I/O. What could not be read is told as unproven, and never passed.

mod gather;
pub mod human;
mod machine;
pub mod markdown;
pub mod metrics;
mod model;
mod pulled_in;
mod read;
mod rules;
mod scripts;
mod services;
#[cfg(test)]
pub(crate) mod testing;

pub use gather::{GatherError, gather};
pub use machine::{Machine, Service, Toplevel};
pub use model::{Audit, AuditCheck, AuditFinding, Subject};
pub use rules::audit;
