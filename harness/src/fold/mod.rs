//! Folds the recorded observations of a rehearsal into what each boot, step and state was like.
//!
//! Called by `report`, and by the tests of everything behind it. It reads raw dumps of the guest, which are hostile: what
//! cannot be read becomes an [`Unproven`](crate::vocabulary::Unproven), never silence and never a panic. It judges nothing.

mod boot;
mod boot_facts;
mod dump;
mod file_systems;
mod folding;
mod identity;
mod inspected;
mod journal;
mod ledger;
mod listeners;
mod quoted;
mod refused;
mod run;
pub mod sanitise;
mod switch;
mod units;

pub use boot::BootRecord;
pub use boot_facts::BootFacts;
pub use dump::dump_subject;
pub use file_systems::{FileSystem, Share};
pub use folding::fold;
pub use identity::Identity;
pub use inspected::sanitised;
pub use journal::JournalEntry;
pub use ledger::{HttpLedger, Replied, RunOfStep, Spell};
pub use listeners::Listeners;
pub use refused::executables as refused_executables;
pub use run::{
    AcceleratorRecord, Clock, CommandRecord, HttpProbe, ProbeRecord, Run, StateRecord, StepRecord,
    StoreSeen, state_after, steps_in_order,
};
pub use switch::refused_by_own_checks;
pub use units::{ActiveState, OWN_UNIT_PREFIX, PROPERTIES, Unit, parse as parse_units};
