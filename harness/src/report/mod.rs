//! The report of a rehearsal, and the forms in which it is printed.
//!
//! Called by the command line with a plan and its recording; the same recording gives the same report. Nothing here does I/O:
//! every form is a text that the caller writes.

mod build;
mod cuts;
pub mod fingerprint;
pub mod html;
pub mod human;
pub mod json;
pub mod junit;
mod ledger;
pub mod markdown;
mod markup;
mod model;
mod normalise;
pub mod sarif;
mod select;
mod sentences;
mod specialisations;
mod stage_times;
mod state;
mod suppressions;
mod text;

pub use build::report;
pub use model::{
    AcceleratorUsed, BootReport, ClosureKind, ClosureSummary, Report, StageReached, StateReport,
    StepReport, SuppressionReport, SuppressionUse, TargetSummary,
};
pub use normalise::normalise;
// What the inspection's reports have in common with these.
pub(crate) use markup::{code, details, document, escape, quote};
pub(crate) use text::{clip, wrap};

#[cfg(test)]
mod tests;
