//! Files of a disk while no machine runs with it: read from its file systems, without mounting anything.
//!
//! A path goes over the mount points of the layout and over links, as it would on the machine.

mod medium;
mod volume;

use std::fs::File;
use std::path::{Path, PathBuf};

use super::layout::{Layout, PartitionKind};
use super::table::{self, Extent};
use super::tools;
use medium::{Medium, Slice};
use volume::{Node, Volume};

pub use medium::Format;

/// As many links as the kernel follows (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// The disk of a machine that is off.
pub struct Offline {
    /// Those that are mounted below others come first.
    volumes: Vec<(String, Volume)>,
}

/// Whether what a file system's journal has and its blocks have not yet is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Journal {
    /// As a kernel reads it.
    Replayed,
    /// As GRUB does, whose drivers know no journal.
    Ignored,
}

/// Why there is nothing of a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    #[error("there is none")]
    Absent,
    #[error("it cannot be read: {0}")]
    Unreadable(String),
}

impl Offline {
    /// The disk `image`, in the partitions of `base`, which it was made from, and the file systems of `layout`.
    ///
    /// # Errors
    /// In words, when the image, its partitions or a file system cannot be read.
    pub fn open(
        image: &File,
        format: Format,
        base: &Path,
        layout: &Layout,
        journal: Journal,
    ) -> Result<Self, String> {
        let medium = Medium::open(image, format, base).map_err(|error| error.to_string())?;
        let extents = extents(base)?;
        let mut volumes = Vec::new();
        for partition in &layout.partitions {
            let extent = extents
                .iter()
                .find(|extent| extent.number == partition.number)
                .ok_or_else(|| format!("the disk has no partition {}", partition.number))?;
            let slice = Slice::new(medium.clone(), extent.start, extent.bytes);
            let volume = match partition.kind {
                PartitionKind::Ext4 => Volume::ext4(slice, journal),
                PartitionKind::Vfat => Volume::fat(slice),
                PartitionKind::Swap => continue,
            };
            let point = partition.mount_point.trim_end_matches('/').to_owned();
            let volume =
                volume.map_err(|reason| format!("partition {}: {reason}", extent.number))?;
            volumes.push((point, volume));
        }
        volumes.sort_by_key(|(point, _)| std::cmp::Reverse(point.len()));
        Ok(Self { volumes })
    }

    /// Where its FAT file systems are mounted.
    pub fn fat_mount_points(&self) -> impl Iterator<Item = &str> {
        let fat = self.volumes.iter().filter(|(_, v)| v.is_fat());
        fat.map(|(point, _)| point.as_str())
    }

    /// No more than `limit` bytes of the file at `path`, and how many it has.
    ///
    /// # Errors
    /// When there is no such file, or it cannot be read.
    pub fn read(&self, path: &str, limit: usize) -> Result<(Vec<u8>, u64), Unread> {
        let (volume, inner) = self.resolve(path)?;
        volume.read(&inner, limit)
    }

    /// The names in the directory at `path`; none where there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn list(&self, path: &str) -> Result<Vec<String>, Unread> {
        match self.resolve(path) {
            Ok((volume, inner)) => volume.list(&inner),
            Err(Unread::Absent) => Ok(Vec::new()),
            Err(unreadable) => Err(unreadable),
        }
    }

    /// The volume that has `path` in the end, and the path there, in which no link is left.
    fn resolve(&self, path: &str) -> Result<(&Volume, String), Unread> {
        let mut todo: Vec<String> = components(Path::new(path));
        let mut done = PathBuf::from("/");
        let mut links = 0;
        while let Some(name) = todo.pop() {
            if name == ".." {
                done.pop();
                continue;
            }
            let here = done.join(&name);
            let (volume, inner) = self.volume(&here)?;
            match volume.node(&inner)? {
                Node::Link(target) if links < MOST_LINKS => {
                    links += 1;
                    if target.is_absolute() {
                        done = PathBuf::from("/");
                    }
                    todo.extend(components(&target));
                }
                Node::Link(_) => return Err(Unread::Unreadable("too many links".to_owned())),
                Node::Other => done = here,
            }
        }
        self.volume(&done)
    }

    fn volume(&self, path: &Path) -> Result<(&Volume, String), Unread> {
        let path = path.to_string_lossy();
        let found = self.volumes.iter().find_map(|(point, volume)| {
            let inner = path.strip_prefix(point.as_str())?;
            (inner.is_empty() || inner.starts_with('/')).then_some((volume, inner))
        });
        let (volume, inner) = found.ok_or(Unread::Absent)?;
        let inner = if inner.is_empty() { "/" } else { inner };
        Ok((volume, inner.to_owned()))
    }
}

/// The names of a path, the first one last.
fn components(path: &Path) -> Vec<String> {
    let named = path.components().filter_map(|part| match part {
        std::path::Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        std::path::Component::ParentDir => Some("..".to_owned()),
        _ => None,
    });
    let mut names: Vec<String> = named.collect();
    names.reverse();
    names
}

/// Where the partitions of `disk` are, by sfdisk(8).
fn extents(disk: &Path) -> Result<Vec<Extent>, String> {
    let answer = tools::answer("sfdisk", &["--json".as_ref(), disk.as_os_str()]);
    table::extents(&answer.map_err(|error| error.to_string())?)
}

#[cfg(test)]
mod tests;
