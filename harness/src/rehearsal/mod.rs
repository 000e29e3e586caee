//! The rehearsal: makes a disk, boots it, deploys to it as a deploy tool would, reboots it, and records what it sees.
//!
//! Called by the command line. Everything async is here, in `vm/` and in `probe/`. It judges nothing: a recording goes
//! to `report::report`, now or from the run's directory later.

mod choose;
mod cksum;
mod console;
mod continuity;
mod cut_in_switch;
mod dead_ends;
mod deadlines;
mod debug;
mod deploy_parts;
mod devices;
mod disk_menu;
mod doomed_deploy;
mod dumps;
mod firmware;
mod foretell;
mod fresh_disk;
mod guest;
mod hold;
mod host_fault;
mod itinerary;
mod ladder;
mod looks;
mod menu_choice;
mod network;
mod nix_database;
mod observe;
mod power_cut;
mod power_on;
mod probes;
mod provision;
mod reboots;
mod recorder;
mod requirements;
mod rollback;
mod run;
mod run_disk;
mod senses;
mod side_by_side;
mod specialisations;
mod steps;
mod store_compared;
mod store_files;
mod switch;

pub use crate::image::{Cache, CachedDisk, Overlay, Seed, Spare, file_system_bytes, free_mib};
pub use crate::vm::{QemuBinary, prove_accelerator, uefi_images};
pub use choose::{BootRoute, Inputs, boot_route, default_steps, plan};
pub use debug::{DebugError, Happening, Session, TerminalKind};
pub use devices::likely_disk_bus;
pub use guest::GuestError;
pub use itinerary::{Journey, MOST_CYCLES, cycled, itinerary};
pub use provision::disk_key;
pub use recorder::{Progress, Recorder, RecordingError, read_recording};
pub use requirements::{is_cached, require_programs};
pub use run::{Closures, KernelFiles, Rehearsed, RunError, RunOptions, rehearse};
