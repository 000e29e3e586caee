//! Writes a disk image: a partition table, and file systems with what belongs in them, without mounting anything.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use super::file_systems::{Place, ext4, swap, vfat};
use super::layout::{Layout, PartitionKind};
use super::table::{first_mib, table};
use super::tools::{self, ToolError};
use super::tree::{self, RootTree, TreeError};

#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    #[error(transparent)]
    Tool(#[from] ToolError),
    #[error(transparent)]
    Tree(#[from] TreeError),
    #[error("{} has {free_mib} MiB free, the disk needs {needed_mib} MiB: make room, or name another place with --cache-dir", directory.display())]
    NoSpace {
        directory: PathBuf,
        free_mib: u64,
        needed_mib: u64,
    },
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
    let root = workshop.join("root");
    let extent = tree.measure()?;
    // Once in the tree, where the store is on another file system, and once on the disk.
    require_space(workshop, 2 * extent.bytes / MIB + 256)?;
    tree.lay_out(&root)?;

    let sizes: Vec<u64> = layout
        .partitions
        .iter()
        .enumerate()
        .map(|(index, partition)| match partition.kind {
            _ if index == 0 => extent.bytes * 11 / 10 / MIB + layout.room_mib,
            PartitionKind::Ext4 => EXT4_MIB,
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
        let content = (index == 0).then_some((content.as_path(), extent));
        let place = Place {
            image,
            offset_mib: offset,
            size_mib: *size,
            seed: format!("{seed}-{index}"),
        };
        match partition.kind {
            PartitionKind::Ext4 => ext4(&place, partition, content)?,
            PartitionKind::Vfat => vfat(&place, partition)?,
            PartitionKind::Swap => swap(&place, partition, workshop)?,
        }
        offset += size;
    }
    tree::remove(&root);
    Ok(())
}

/// Makes a qcow2 overlay on `base`, opens it, and takes its name away unless `keep`: it cannot outlive the run.
///
/// # Errors
/// When qemu-img is missing or fails.
pub fn overlay(base: &Path, place: &Path, keep: bool) -> Result<OwnedFd, DiskError> {
    let mut options = std::ffi::OsString::from("backing_fmt=raw,backing_file=");
    // A comma in a value of qemu-img's is written twice.
    options.push(base.display().to_string().replace(',', ",,"));
    let args = [
        "create".as_ref(),
        "-q".as_ref(),
        "-f".as_ref(),
        "qcow2".as_ref(),
        "-o".as_ref(),
        options.as_os_str(),
        place.as_os_str(),
    ];
    tools::run("qemu-img", &args, "")?;
    let open = || -> io::Result<OwnedFd> {
        let file = OpenOptions::new().read(true).write(true).open(place)?;
        if !keep {
            fs::remove_file(place)?;
        }
        Ok(file.into())
    };
    open().map_err(|source| DiskError::Io {
        path: place.to_owned(),
        source,
    })
}

/// Free space below `directory`, in MiB.
///
/// # Errors
/// When the file system cannot be asked.
pub fn free_mib(directory: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(directory)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize) / MIB)
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
mod tests {
    use super::*;
    use crate::image::Partition;
    use crate::image::PartitionTable;
    use crate::image::table::BIOS_BOOT;

    fn partition(kind: PartitionKind, label: &str) -> Partition {
        Partition {
            number: if kind == PartitionKind::Ext4 { 1 } else { 2 },
            kind,
            mount_point: "/".to_owned(),
            label: Some(label.to_owned()),
            uuid: None,
            part_label: None,
            part_uuid: None,
        }
    }

    fn blkid(image: &Path, offset: u64) -> String {
        let output = std::process::Command::new("blkid")
            .env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin")
            .args([
                "--probe",
                "--offset",
                &offset.to_string(),
                "--output",
                "export",
            ])
            .arg(image)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn a_built_disk_has_the_labelled_file_systems() {
        let directory = tempfile::tempdir().unwrap();
        let store_path = directory.path().join("0-a");
        fs::write(&store_path, "hello").unwrap();
        let tree = RootTree {
            store_paths: vec![(store_path, "0-a".to_owned())],
            toplevel: "/nix/store/0-a".to_owned(),
            files: Vec::new(),
        };
        let layout = Layout {
            table: PartitionTable::Mbr,
            room_mib: 64,
            partitions: vec![
                partition(PartitionKind::Ext4, "nixos"),
                partition(PartitionKind::Swap, "swap"),
            ],
            choices: Vec::new(),
        };
        let image = directory.path().join("disk.raw");
        build(&image, &tree, &layout, directory.path(), "seed").unwrap();
        let root = blkid(&image, MIB);
        assert!(
            root.contains("LABEL=nixos") && root.contains("TYPE=ext4"),
            "{root}"
        );
        let swap = blkid(&image, (1 + 64) * MIB);
        assert!(
            swap.contains("LABEL=swap") && swap.contains("TYPE=swap"),
            "{swap}"
        );

        let device = format!("{}?offset={MIB}", image.display());
        let output = std::process::Command::new("debugfs")
            .env("PATH", "/usr/sbin:/sbin")
            .args(["-R", "stat /nix/store/0-a", &device])
            .output()
            .unwrap();
        let stat = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            stat.contains("User:     0") && stat.contains("Size: 5"),
            "{stat}"
        );
        assert!(!directory.path().join("root").exists());
    }

    #[test]
    fn a_disk_with_a_gpt_has_the_named_partitions_and_the_store_at_nix() {
        let directory = tempfile::tempdir().unwrap();
        let store_path = directory.path().join("0-a");
        fs::write(&store_path, "hello").unwrap();
        let tree = RootTree {
            store_paths: vec![(store_path, "0-a".to_owned())],
            toplevel: "/nix/store/0-a".to_owned(),
            files: Vec::new(),
        };
        let mut store = partition(PartitionKind::Ext4, "nix");
        store.number = 3;
        store.mount_point = "/nix".to_owned();
        store.part_label = Some("disk-main nix".to_owned());
        let mut boot = partition(PartitionKind::Swap, "swap");
        boot.part_uuid = Some("F222513B-DED1-49FA-B591-20CE86A2FE7F".to_owned());
        let layout = Layout {
            table: PartitionTable::Gpt,
            room_mib: 64,
            partitions: vec![store, boot],
            choices: Vec::new(),
        };
        let image = directory.path().join("disk.raw");
        build(&image, &tree, &layout, directory.path(), "seed").unwrap();
        let output = std::process::Command::new("sfdisk")
            .env("PATH", "/usr/sbin:/sbin")
            .args(["--dump".as_ref(), image.as_os_str()])
            .output()
            .unwrap();
        let dump = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = |number: u32| {
            let end = format!("disk.raw{number} :");
            let mut lines = dump.lines();
            lines.find(|l| l.contains(&end)).unwrap_or_default()
        };
        assert!(line(1).contains(BIOS_BOOT), "{dump}");
        assert!(
            line(2).contains("F222513B-DED1-49FA-B591-20CE86A2FE7F"),
            "{dump}"
        );
        assert!(line(3).contains("name=\"disk-main nix\""), "{dump}");
        let device = format!("{}?offset={}", image.display(), 2 * MIB);
        let output = std::process::Command::new("debugfs")
            .env("PATH", "/usr/sbin:/sbin")
            .args(["-R", "stat /store/0-a", &device])
            .output()
            .unwrap();
        assert!(String::from_utf8_lossy(&output.stdout).contains("Size: 5"));
    }

    #[test]
    fn too_little_space_is_told_before_anything_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let error = require_space(directory.path(), u64::MAX)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("MiB free") && error.contains("--cache-dir"),
            "{error}"
        );
    }
}
