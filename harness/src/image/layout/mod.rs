//! Which partitions the test disk needs, so that the closure's own fstab finds what it names. Pure.

use super::identity::Identity;
use crate::vocabulary::{ClosureFacts, DiskBus, FileSystem, Firmware};

/// The partitions of the one disk; the first has the closure's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    pub table: PartitionTable,
    pub partitions: Vec<Partition>,
    /// Room beside the closures on the first partition, in MiB: for generations, logs and data. Sparse, so that it costs
    /// nothing.
    pub room_mib: u64,
    /// What had to be decided, for the report.
    pub choices: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionTable {
    /// GRUB for BIOS embeds itself before the first partition.
    Mbr,
    /// Where partitions are found by their own names or UUIDs, as disko's are, or an MBR has no number for them. GRUB for
    /// BIOS has a partition for itself.
    Gpt,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// From 1, as in the device's name; the place on the disk is that in the list.
    pub number: u32,
    pub kind: PartitionKind,
    pub mount_point: String,
    pub label: Option<String>,
    /// As the fstab has it: 8-4-4-4-12 for ext4 and swap, `XXXX-XXXX` for FAT.
    pub uuid: Option<String>,
    /// The partition's own name and UUID, which only a GPT has.
    pub part_label: Option<String>,
    pub part_uuid: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionKind {
    Ext4,
    Vfat,
    Swap,
}

/// A disk that bootproof cannot make: nothing is said about the closure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnsupportedDisk {
    #[error("the fstab of {toplevel} names no root file system on a disk, and none at /nix")]
    NoRoot { toplevel: String },
    #[error(
        "the file system that {toplevel} has its store on is {fs_type} on {device}: bootproof makes ext4 on a partition found by label, UUID, partition name or device name so far"
    )]
    Root {
        toplevel: String,
        fs_type: String,
        device: String,
    },
    #[error(
        "{toplevel} does not boot without {device} ({fs_type}) at {mount_point}, which bootproof cannot make: give it the option `nofail`, or rehearse a closure without it"
    )]
    Needed {
        toplevel: String,
        fs_type: String,
        device: String,
        mount_point: String,
    },
}

const ROOM_MIB: u64 = 2048;
/// Swap files are made by the closure, and may be as large as the machine's memory (`nixos/modules/config/swap.nix`).
const SWAP_FILE_MIB: u64 = 16384;

/// A partition that some fstab asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    kind: PartitionKind,
    mount_point: String,
    identity: Identity,
}

/// The layout for a machine that runs `installed` and may get `candidate`.
///
/// The store is on the installed closure's root, or on its `/nix` where the root is no disk's. Other file systems are those
/// of both closures: the machine is taken to have them, under every name that either uses.
///
/// # Errors
/// When the file system of the store, or another that a boot does not go on without, is none that bootproof can make: its
/// absence must not be taken for a fault of the closure.
pub fn layout(
    installed: &ClosureFacts,
    candidate: &ClosureFacts,
    bus: DiskBus,
    firmware: Firmware,
) -> Result<Layout, UnsupportedDisk> {
    let toplevel = || installed.toplevel.to_string();
    let at = |point: &str| {
        let mut all = installed.file_systems.iter();
        all.find(|fs| fs.mount_point == point)
    };
    let store = at("/").or_else(|| at("/nix"));
    let store = store.ok_or_else(|| UnsupportedDisk::NoRoot {
        toplevel: toplevel(),
    })?;
    let unsupported = || UnsupportedDisk::Root {
        toplevel: toplevel(),
        fs_type: store.fs_type.clone(),
        device: store.device.clone(),
    };
    let first = wanted(store, bus)
        .filter(|first| first.kind == PartitionKind::Ext4)
        .ok_or_else(unsupported)?;
    let mut partitions = vec![first];
    let mut choices = Vec::new();
    if store.mount_point != "/" {
        choices.push(
            "the closure's root is on no disk: the test disk has the store at /nix, and nothing else beforehand"
                .to_owned(),
        );
    }
    let mut room_mib = ROOM_MIB;
    let of = |closure| move |fs| (closure, fs);
    let others = installed.file_systems.iter().map(of(installed));
    let others = others.chain(candidate.file_systems.iter().map(of(candidate)));
    for (closure, fs) in others.filter(|(_, fs)| !fs.is_optional()) {
        if is_swap_file(fs) {
            room_mib = ROOM_MIB + SWAP_FILE_MIB;
        } else if is_needed(fs) && wanted(fs, bus).is_none() {
            return Err(UnsupportedDisk::Needed {
                toplevel: closure.toplevel.to_string(),
                fs_type: fs.fs_type.clone(),
                device: fs.device.clone(),
                mount_point: fs.mount_point.clone(),
            });
        } else {
            add(&mut partitions, fs, store, bus, &mut choices);
        }
    }
    Ok(numbered(partitions, room_mib, choices, firmware))
}

fn is_swap_file(fs: &FileSystem) -> bool {
    fs.fs_type == "swap" && fs.device.starts_with('/') && !fs.device.starts_with("/dev/")
}

/// Whether local-fs.target fails without it, which leads to emergency mode (systemd.mount(5), "fstab").
fn is_needed(fs: &FileSystem) -> bool {
    let mounted_later = |option: &String| option == "x-systemd.automount";
    fs.fs_type != "swap" && !fs.options.iter().any(mounted_later)
}

/// More partitions than a machine has; the fstab may be absurd.
const MAX_PARTITIONS: usize = 16;

fn add(
    partitions: &mut Vec<Wanted>,
    fs: &FileSystem,
    store: &FileSystem,
    bus: DiskBus,
    choices: &mut Vec<String>,
) {
    if fs == store || (fs.device == store.device && fs.mount_point != store.mount_point) {
        return;
    }
    let told = match wanted(fs, bus) {
        Some(wanted) if partitions.contains(&wanted) => return,
        Some(wanted) => place(partitions, wanted, fs),
        None => lacks(fs),
    };
    if !choices.contains(&told) {
        choices.push(told);
    }
}

fn lacks(fs: &FileSystem) -> String {
    format!(
        "the test disk lacks {} ({}) for {}: bootproof cannot make it",
        fs.device, fs.fs_type, fs.mount_point
    )
}

/// Gives `wanted` its place among `partitions`, and tells where it is.
fn place(partitions: &mut Vec<Wanted>, wanted: Wanted, fs: &FileSystem) -> String {
    let number = wanted.identity.number;
    // A machine may have several areas of swap; of anything else only one is mounted at one place.
    let same_place = partitions.iter().position(|known| {
        known.kind == wanted.kind
            && known.kind != PartitionKind::Swap
            && known.mount_point == wanted.mount_point
    });
    let others = (0..).zip(partitions.iter());
    let is_free = number.is_none()
        || others
            .filter(|(index, _)| Some(*index) != same_place)
            .all(|(_, other)| other.identity.number != number);
    match same_place {
        _ if !is_free => lacks(fs),
        // Two closures may call one partition by different names; by two names of one sort they cannot.
        Some(index) if partitions[index].identity.absorb(&wanted.identity) => format!(
            "the partition of {} is found as {} too: the machine's is taken to be",
            fs.mount_point, fs.device
        ),
        Some(_) => format!(
            "the test disk lacks {} for {}: the machine runs with another one there",
            fs.device, fs.mount_point
        ),
        None if partitions.len() >= MAX_PARTITIONS => lacks(fs),
        None => {
            partitions.push(wanted);
            format!(
                "the test disk has an empty {} for {}",
                fs.fs_type, fs.mount_point
            )
        }
    }
}

/// Gives every partition that no device's name has numbered the lowest free number.
fn numbered(
    partitions: Vec<Wanted>,
    room_mib: u64,
    choices: Vec<String>,
    firmware: Firmware,
) -> Layout {
    let mut taken: Vec<u32> = partitions
        .iter()
        .filter_map(|p| p.identity.number)
        .collect();
    let mut next = || {
        let free = (1..).find(|n| !taken.contains(n)).unwrap_or(1);
        taken.push(free);
        free
    };
    let partitions: Vec<Partition> = partitions
        .into_iter()
        .map(|wanted| Partition {
            number: wanted.identity.number.unwrap_or_else(&mut next),
            kind: wanted.kind,
            mount_point: wanted.mount_point,
            label: wanted.identity.label,
            uuid: wanted.identity.uuid,
            part_label: wanted.identity.part_label,
            part_uuid: wanted.identity.part_uuid,
        })
        .collect();
    const MBR_NUMBERS: u32 = 4;
    let needs_gpt =
        |p: &Partition| p.part_label.is_some() || p.part_uuid.is_some() || p.number > MBR_NUMBERS;
    // The type that says which FAT is the ESP is a GPT's; systemd-boot's installer wants it so.
    let table = if firmware == Firmware::Uefi || partitions.iter().any(needs_gpt) {
        PartitionTable::Gpt
    } else {
        PartitionTable::Mbr
    };
    Layout {
        table,
        partitions,
        room_mib,
        choices,
    }
}

/// The partition that `fs` will find; `None` where that cannot be arranged.
fn wanted(fs: &FileSystem, bus: DiskBus) -> Option<Wanted> {
    let kind = match fs.fs_type.as_str() {
        "ext4" | "ext3" | "ext2" | "auto" => PartitionKind::Ext4,
        "vfat" | "msdos" => PartitionKind::Vfat,
        "swap" => PartitionKind::Swap,
        _ => return None,
    };
    Some(Wanted {
        kind,
        mount_point: fs.mount_point.clone(),
        identity: Identity::of_device(&fs.device, bus)?,
    })
}

#[cfg(test)]
mod tests;
