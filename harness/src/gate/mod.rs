//! The gate's decision: whether a receipt lets exactly this closure be deployed to exactly this machine.
//!
//! Called by the command line, which reads receipts, keys, clock and store. Pure: what is decided depends on nothing else.

mod decide;
mod refusal;

pub use decide::{Asked, Decision, Found, decide};
pub use refusal::Refusal;

#[cfg(test)]
mod tests;
