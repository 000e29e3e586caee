//! The disk of the test machine: partitions, file systems, the stores of the closures, in a cache by content.
//!
//! Called by the rehearsal. Knows how a NixOS machine's disk looks; never runs a VM and judges nothing.

mod cache;
mod disk;
mod file_systems;
mod identity;
mod layout;
mod overlay;
mod qcow2;
mod seeds;
mod table;
mod tools;
mod tree;

pub use cache::{Cache, CacheEntry, CachedDisk, Contents, Reservation, Spare, Use};
pub use disk::{DiskError, build, copy_sparse, file_system_bytes, free_mib};
pub use layout::{Layout, Partition, PartitionKind, PartitionTable, UnsupportedDisk, layout};
pub use overlay::{Again, NotKept, OVERLAY_FILE, Overlay, again};
pub use seeds::Seed;
pub use tools::{ToolError, require};
pub use tree::{RootFile, RootTree, TreeError};
