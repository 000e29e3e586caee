//! What `bootproof deploy` asks of a host, what it has done there, and what the answers prove.
//!
//! The command line calls it, and runs the [`script`]s through `shell`. Pure: texts in, decisions out. Nothing that a host says is trusted
//! further than it is compared with what was proven.

mod activation;
mod answers;
mod foreign;
mod host;
mod override_record;
mod proof;
mod proposal;
pub mod script;

pub use activation::{Activation, NotActivated};
pub use answers::{Answers, CutShort, is_answer};
pub use foreign::{NoToplevel, with_toplevel};
pub use host::HostState;
pub use override_record::{NoOverride, Override, made};
pub use proof::{Proof, Switch, judge};
pub use proposal::proposed;
