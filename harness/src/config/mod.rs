//! `bootproof.toml`: the hosts, what must be proven before a deploy to each, and whose receipts count.
//!
//! The command line reads it for `gate` and `test --host`. Unknown keys are refused with the nearest known one.

pub(crate) mod fuzzing;
mod model;
mod parse;
mod probes;
mod propose;
mod seeds;
mod suppressions;

pub use model::{Configuration, Host, HostSettings, Policy};
pub use parse::{ConfigurationError, parse};
pub use probes::{WrittenProbe, read as read_probes};
pub use propose::{Proposal, propose};
pub use seeds::{Content, SeededFile};

#[cfg(test)]
mod tests;
