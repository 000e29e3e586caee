//! Files of the user's on the test disk: on the partition that their place is on, with the mode and the owner that they are given.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::disk::DiskError;
use super::layout::{Layout, Partition, PartitionKind};
use super::tree::Extent;

/// A file for the test disk.
#[derive(Clone, PartialEq, Eq)]
pub struct Seed {
    /// Absolute, of plain characters: see `config`.
    pub path: String,
    pub content: Vec<u8>,
    /// Permission bits.
    pub mode: u32,
    pub owner: u32,
    pub group: u32,
}

/// Contents are secrets, or stand for them.
impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Seed({})", self.path)
    }
}

/// The seeds of the partition with this number in the layout's list.
pub(super) fn of_partition<'a>(seeds: &'a [Seed], layout: &Layout, index: usize) -> Vec<&'a Seed> {
    let here = |seed: &&Seed| home(&seed.path, layout) == Some(index);
    seeds.iter().filter(here).collect()
}

/// Whether every seed has a partition that can hold it.
///
/// # Errors
/// For the first that has none, with the reason.
pub(super) fn check(seeds: &[Seed], layout: &Layout) -> Result<(), DiskError> {
    let lost = seeds.iter().find(|seed| {
        let home = home(&seed.path, layout).and_then(|index| layout.partitions.get(index));
        home.is_none_or(|partition| partition.kind != PartitionKind::Ext4)
    });
    match lost {
        None => Ok(()),
        Some(seed) => Err(DiskError::Seed {
            path: seed.path.clone(),
        }),
    }
}

/// The partition that a path is on: that with the longest mount point.
fn home(path: &str, layout: &Layout) -> Option<usize> {
    let partitions = layout.partitions.iter().enumerate();
    partitions
        .filter(|(_, partition)| below(path, partition).is_some())
        .max_by_key(|(_, partition)| partition.mount_point.len())
        .map(|(index, _)| index)
}

/// The path as the partition has it, beginning with `/`.
fn below<'a>(path: &'a str, partition: &Partition) -> Option<&'a str> {
    let mount_point = partition.mount_point.trim_end_matches('/');
    path.strip_prefix(mount_point)
        .filter(|rest| rest.starts_with('/') && partition.mount_point.starts_with('/'))
}

/// Writes the seeds below a directory of the host, readable by nobody else.
pub(super) fn lay_out(
    seeds: &[&Seed],
    partition: &Partition,
    root: &Path,
) -> Result<(), DiskError> {
    for seed in seeds {
        let Some(path) = below(&seed.path, partition) else {
            continue;
        };
        let place = root.join(path.trim_start_matches('/'));
        let write = || -> io::Result<()> {
            if let Some(parent) = place.parent() {
                fs::create_dir_all(parent)?;
            }
            // Whatever the umask is here: services of the guest must come through.
            for directory in place.ancestors().skip(1).take_while(|d| *d != root) {
                fs::set_permissions(directory, fs::Permissions::from_mode(0o755))?;
            }
            fs::write(&place, &seed.content)
        };
        write().map_err(|source| DiskError::Io {
            path: seed.path.clone().into(),
            source,
        })?;
    }
    Ok(())
}

/// How much the seeds take.
pub(super) fn extent(seeds: &[&Seed]) -> Extent {
    let mut extent = Extent::default();
    for seed in seeds {
        let bytes = u64::try_from(seed.content.len()).unwrap_or(u64::MAX);
        extent.bytes = extent.bytes.saturating_add(bytes.next_multiple_of(4096));
        // The file, and each directory above it.
        extent.inodes += u64::try_from(seed.path.matches('/').count()).unwrap_or(0);
    }
    extent
}

/// The commands for debugfs(8) that give each file its mode and owner.
pub(super) fn script(seeds: &[&Seed], partition: &Partition) -> String {
    const REGULAR: u32 = 0o100_000;
    let lines = seeds.iter().filter_map(|seed| {
        let path = below(&seed.path, partition)?;
        let mode = REGULAR | seed.mode;
        let (owner, group) = (seed.owner, seed.group);
        // Ids beyond 65535 have their upper half elsewhere in the inode; debugfs knows that of `uid` and `gid`.
        Some(format!(
            "sif {path} mode 0{mode:o}\nsif {path} uid {owner}\nsif {path} gid {group}\n"
        ))
    });
    lines.collect()
}
