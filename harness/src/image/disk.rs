//! Writes a disk image: a partition table, and file systems with what belongs in them, without mounting anything.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::file_systems::{Place, ext4, set_inodes, swap, vfat};
use super::layout::{Layout, PartitionKind};
use super::seeds;
use super::table::{first_mib, table};
use super::tools::{self, ToolError};
use super::tree::{self, RootTree, TreeError};

#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    #[error(transparent)]
    Tool(#[from] ToolError),
    #[error(transparent)]
    Tree(#[from] TreeError),
    #[error("{} has {free_mib} MiB free, the disk needs {needed_mib} MiB: make room (`bootproof cache clean`), or name another place with --cache-dir", directory.display())]
    NoSpace {
        directory: PathBuf,
        free_mib: u64,
        needed_mib: u64,
    },
    #[error("{} has {free_mib} MiB free, and {needed_mib} MiB are needed to keep the disk of the run there", directory.display())]
    NoRoomToKeep {
        directory: PathBuf,
        free_mib: u64,
        needed_mib: u64,
    },
    #[error(
        "{path} cannot be put on the test disk: none of its ext4 partitions is mounted there (the root is in memory, or another file system is over it)"
    )]
    Seed { path: String },
    #[error("failed to write {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

pub(super) const MIB: u64 = 1 << 20;

const VFAT_MIB: u64 = 512;
const SWAP_MIB: u64 = 256;
const EXT4_MIB: u64 = 512;

/// Builds `image` from `tree` and `layout`; `workshop` holds what is needed meanwhile, and `seed` makes its UUIDs.
///
/// # Errors
/// When a tool is missing or fails, or the space runs out.
pub fn build(
    image: &Path,
    tree: &RootTree,
    layout: &Layout,
    workshop: &Path,
    seed: &str,
) -> Result<(), DiskError> {
    seeds::check(&tree.seeds, layout)?;
    let root = workshop.join("root");
    let mut extent = tree.measure()?;
    extent.add(seeds::extent(&seeds::of_partition(&tree.seeds, layout, 0)));
    // Once in the tree, where the store is on another file system, and once on the disk.
    require_space(workshop, 2 * extent.bytes / MIB + 256)?;
    tree.lay_out(&root)?;

    let sizes: Vec<u64> = layout
        .partitions
        .iter()
        .enumerate()
        .map(|(index, partition)| match partition.kind {
            _ if index == 0 => extent.bytes * 11 / 10 / MIB + layout.room_mib,
            PartitionKind::Ext4 => {
                let own = seeds::of_partition(&tree.seeds, layout, index);
                EXT4_MIB + seeds::extent(&own).bytes * 11 / 10 / MIB
            }
            PartitionKind::Vfat => VFAT_MIB,
            PartitionKind::Swap => SWAP_MIB,
        })
        .collect();
    let io_error = |source| DiskError::Io {
        path: image.to_owned(),
        source,
    };
    let total = first_mib(layout) + sizes.iter().sum::<u64>() + 1;
    File::create(image)
        .and_then(|file| file.set_len(total * MIB))
        .map_err(io_error)?;
    tools::run(
        "sfdisk",
        &["--quiet".as_ref(), image.as_os_str()],
        &table(layout, &sizes, seed),
    )?;

    // Of a root in memory, the disk has only what is below /nix.
    let content = match layout.partitions.first() {
        Some(first) if first.mount_point == "/nix" => root.join("nix"),
        _ => root.clone(),
    };
    let mut offset = first_mib(layout);
    for (index, (partition, size)) in layout.partitions.iter().zip(&sizes).enumerate() {
        let own = seeds::of_partition(&tree.seeds, layout, index);
        let beside = workshop.join(format!("seeds-{index}"));
        let content = if index == 0 {
            seeds::lay_out(&own, partition, &content)?;
            Some((content.as_path(), extent))
        } else if own.is_empty() {
            None
        } else {
            seeds::lay_out(&own, partition, &beside)?;
            Some((beside.as_path(), seeds::extent(&own)))
        };
        let place = Place {
            image,
            offset_mib: offset,
            size_mib: *size,
            seed: format!("{seed}-{index}"),
        };
        match partition.kind {
            PartitionKind::Ext4 => {
                ext4(&place, partition, content)?;
                set_inodes(&place, &seeds::script(&own, partition))?;
            }
            PartitionKind::Vfat => vfat(&place, partition)?,
            PartitionKind::Swap => swap(&place, partition, workshop)?,
        }
        offset += size;
    }
    tree::remove(&root);
    for index in 0..layout.partitions.len() {
        tree::remove(&workshop.join(format!("seeds-{index}")));
    }
    Ok(())
}

/// Copies a disk whose holes stay holes; on a file system that can share blocks, nothing is copied.
///
/// # Errors
/// When `cp` fails, as for want of space.
pub fn copy_sparse(from: &Path, to: &Path) -> Result<(), DiskError> {
    let options = [
        "--sparse=always",
        "--reflink=auto",
        "--no-preserve=mode",
        "--",
    ];
    let args = options.map(OsStr::new).into_iter();
    let args: Vec<&OsStr> = args.chain([from.as_os_str(), to.as_os_str()]).collect();
    Ok(tools::run("cp", &args, "")?)
}

/// Free space below `directory`, in MiB.
///
/// # Errors
/// When the file system cannot be asked.
pub fn free_mib(directory: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(directory)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize) / MIB)
}

/// The size of the file system that `directory` is on, in bytes.
///
/// # Errors
/// When the file system cannot be asked.
pub fn file_system_bytes(directory: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(directory)?;
    Ok(stat.f_blocks.saturating_mul(stat.f_frsize))
}

fn require_space(directory: &Path, needed_mib: u64) -> Result<(), DiskError> {
    let free_mib = free_mib(directory).map_err(|source| DiskError::Io {
        path: directory.to_owned(),
        source,
    })?;
    if free_mib < needed_mib {
        return Err(DiskError::NoSpace {
            directory: directory.to_owned(),
            free_mib,
            needed_mib,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
