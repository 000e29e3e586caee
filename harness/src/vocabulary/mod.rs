//! The words that every other module speaks: what is rehearsed, what was observed, what was found.
//!
//! Plain data, serialisable, without I/O. Everything else depends on this module, and it on nothing of ours.

mod boot_id;
mod changes;
mod continuity;
mod downtime;
mod facts;
mod finding;
mod finding_pattern;
mod identity;
mod inspected;
mod observation;
mod place;
mod plan;
mod prediction;
mod probe;
pub mod size;
mod stability;
mod store_damage;
mod store_path;
mod suppression;
mod system;
mod target;
mod times;
mod verdict;

pub use boot_id::BootId;
pub use changes::{Changes, Replaced};
pub use continuity::{Replies, Reply};
pub use downtime::Downtime;
pub use facts::{
    BootLoader, ClosureFacts, DiskDriver, FileSystem, HttpEndpoint, InitrdDamage, InitrdModules,
    Interface, Listener,
};
pub use finding::{Check, Evidence, Finding, Severity};
pub use finding_pattern::{FindingPattern, FindingPatternError};
pub use identity::ClosureIdentity;
pub use inspected::{Inspected, StaticCause};
pub use observation::{
    Accelerator, Dump, HttpAnswer, Observation, ProbeRoute, Recorded, Stage, StepOutcome,
    screen_file,
};
pub use place::Place;
pub use plan::{ByHand, FORMAT_VERSION, Hold, Plan, Seeded, Specialisation, Step};
pub use prediction::Prediction;
pub use probe::{Asks, Certificate, Probe};
pub use stability::Stability;
pub use store_damage::DamagedPath;
pub use store_path::{STORE_DIR, StorePath, StorePathError};
pub use suppression::Suppression;
pub use system::{ElfClass, System};
pub use target::{DiskBus, Firmware, TargetMachine};
pub use times::Times;
pub use verdict::{State, Unproven, Verdict};
