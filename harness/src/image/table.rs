//! The partition table of the test disk, as sfdisk(8) reads and prints it. Pure.

use base16ct::lower::encode_string;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::file_systems::uuid;
use super::layout::{Layout, Partition, PartitionKind, PartitionTable};

const SECTORS_PER_MIB: u64 = 2048;

/// Where the first partition begins: GRUB for BIOS embeds itself before it in an MBR, and has a partition of 1 MiB in a GPT.
pub(super) fn first_mib(layout: &Layout) -> u64 {
    match layout.table {
        PartitionTable::Mbr => 1,
        PartitionTable::Gpt => 2,
    }
}

/// The table as sfdisk(8) reads it; the number of a partition is that at the end of the name before the colon.
pub(super) fn table(layout: &Layout, sizes: &[u64], seed: &str) -> String {
    let mut script = match layout.table {
        PartitionTable::Mbr => {
            let id = &encode_string(&Sha256::digest(seed))[..8];
            format!("label: dos\nlabel-id: 0x{id}\nunit: sectors\n")
        }
        PartitionTable::Gpt => {
            let number = (1..).find(|n| layout.partitions.iter().all(|p| p.number != *n));
            format!(
                "label: gpt\nlabel-id: {}\nunit: sectors\np{} : start=2048, size=2048, type={BIOS_BOOT}\n",
                uuid(seed),
                number.unwrap_or(1)
            )
        }
    };
    let mut start = first_mib(layout);
    for (partition, size) in layout.partitions.iter().zip(sizes) {
        script.push_str(&format!(
            "p{} : start={}, size={}, {}\n",
            partition.number,
            start * SECTORS_PER_MIB,
            size * SECTORS_PER_MIB,
            attributes(layout.table, partition, start == first_mib(layout))
        ));
        start += size;
    }
    script
}

/// Types of the UEFI specification and of GRUB's manual ("BIOS installation").
pub(super) const BIOS_BOOT: &str = "21686148-6449-6E6F-744E-656564454649";
const ESP: &str = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";
const LINUX_DATA: &str = "0FC63DAF-8483-4772-8E79-3D69D8477DE4";

fn attributes(table: PartitionTable, partition: &Partition, is_first: bool) -> String {
    let mut text = match (table, partition.kind) {
        (PartitionTable::Mbr, PartitionKind::Ext4) => "type=83".to_owned(),
        (PartitionTable::Mbr, PartitionKind::Vfat) => "type=c".to_owned(),
        (PartitionTable::Mbr, PartitionKind::Swap) => "type=82".to_owned(),
        (PartitionTable::Gpt, PartitionKind::Vfat) => format!("type={ESP}"),
        // No type of its own for swap: systemd would start to use it unasked (systemd-gpt-auto-generator(8)).
        (PartitionTable::Gpt, PartitionKind::Ext4 | PartitionKind::Swap) => {
            format!("type={LINUX_DATA}")
        }
    };
    if table == PartitionTable::Mbr && is_first {
        text.push_str(", bootable");
    }
    if let Some(uuid) = &partition.part_uuid {
        text.push_str(&format!(", uuid={uuid}"));
    }
    if let Some(name) = &partition.part_label {
        text.push_str(&format!(", name=\"{name}\""));
    }
    text
}

/// Where a partition is on its disk, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) number: u32,
    pub(super) start: u64,
    pub(super) bytes: u64,
}

/// What `sfdisk --json` prints, as far as it is read.
#[derive(Deserialize)]
struct Printed {
    partitiontable: PrintedTable,
}

#[derive(Deserialize)]
struct PrintedTable {
    #[serde(default = "usual_sector")]
    sectorsize: u64,
    partitions: Vec<PrintedPartition>,
}

#[derive(Deserialize)]
struct PrintedPartition {
    /// The disk's own name, and the number.
    node: String,
    start: u64,
    size: u64,
}

/// Before util-linux 2.35 the size is not printed.
fn usual_sector() -> u64 {
    512
}

/// The partitions of a disk that `sfdisk --json` told of.
pub(super) fn extents(printed: &[u8]) -> Result<Vec<Extent>, String> {
    let printed: Printed = serde_json::from_slice(printed).map_err(|error| error.to_string())?;
    let table = printed.partitiontable;
    let extent = |partition: &PrintedPartition| {
        let digits = partition
            .node
            .trim_end_matches(|c: char| c.is_ascii_digit());
        Some(Extent {
            number: partition.node[digits.len()..].parse().ok()?,
            start: partition.start.checked_mul(table.sectorsize)?,
            bytes: partition.size.checked_mul(table.sectorsize)?,
        })
    };
    Ok(table.partitions.iter().filter_map(extent).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_where_sfdisk_says() {
        let printed = br#"{"partitiontable": {"label": "gpt", "sectorsize": 512, "partitions": [
            {"node": "/c/disk.raw1", "start": 4096, "size": 2048, "type": "x"}, {"node": "/c/disk.raw12", "start": 8192, "size": 1}]}}"#;
        let extent = |number, start, bytes| Extent {
            number,
            start,
            bytes,
        };
        assert_eq!(
            extents(printed),
            Ok(vec![extent(1, 2 << 20, 1 << 20), extent(12, 4 << 20, 512)])
        );
        assert!(extents(b"").is_err());
    }
}
