//! The disk of the test machine: partitions, file systems, the stores of the closures, in a cache by content.
//!
//! Called by the rehearsal. Knows how a NixOS machine's disk looks; never runs a VM and judges nothing.

mod cache;
mod cut_points;
mod disk;
mod file_systems;
mod identity;
mod layout;
mod offline;
mod overlay;
mod power_cut;
mod qcow2;
mod seeds;
mod table;
mod tools;
mod tree;
mod write_log;

pub use cache::{Cache, CacheEntry, CachedDisk, Contents, Reservation, Spare, Use};
pub use cut_points::{CutPoints, Moments, Part, cut_points};
pub use disk::{DiskError, build, copy_sparse, file_system_bytes, free_mib};
pub use layout::{Layout, Partition, PartitionKind, PartitionTable, UnsupportedDisk, layout};
pub use offline::{Format, Journal, Offline, Unread};
pub use overlay::{Again, NotKept, OVERLAY_FILE, Overlay, again};
pub use power_cut::{Cut, cuts, replay};
pub use seeds::Seed;
pub use tools::{ToolError, require};
pub use tree::{RootFile, RootTree, TreeError};
pub use write_log::{LogError, Logged, fuzz as fuzz_write_log, read_log};
