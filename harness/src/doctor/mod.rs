//! Whether this machine can rehearse, what a rehearsal would use, and roughly how long it takes.
//!
//! The command line asks the machine, and what it found is judged here. Pure: it asks nothing itself.

mod estimate;
mod human;
mod judge;
mod model;
mod tools;

pub use estimate::{Work, seconds};
pub use human::render;
pub use judge::examine;
pub use model::{
    Examination, Firmware, Kvm, Level, Line, Place, Probed, ProvenAccelerator, Role, Tool, Use,
};
pub use tools::{TOOLS, ToolRule};
