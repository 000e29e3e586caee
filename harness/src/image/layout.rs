//! Which partitions the test disk needs, so that the closure's own fstab finds what it names. Pure.

use crate::vocabulary::{BootLoader, ClosureFacts, DiskBus, FileSystem};

/// The partitions of the one disk, in order; the root is the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    pub partitions: Vec<Partition>,
    /// What had to be decided, for the report.
    pub choices: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    pub kind: PartitionKind,
    pub mount_point: String,
    pub label: Option<String>,
    /// As the fstab has it: 8-4-4-4-12 for ext4 and swap, `XXXX-XXXX` for FAT.
    pub uuid: Option<String>,
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
    #[error("the fstab of {toplevel} names no root file system")]
    NoRoot { toplevel: String },
    #[error(
        "the root file system of {toplevel} is {fs_type} on {device}: bootproof makes ext4 on a partition found by label, UUID or name so far"
    )]
    Root {
        toplevel: String,
        fs_type: String,
        device: String,
    },
}

/// The layout for a machine that runs `installed` and may get `candidate`.
///
/// The root is the installed closure's. Other file systems are those of both closures: the machine is taken to have them.
///
/// # Errors
/// When the root file system is none that bootproof can make.
pub fn layout(
    installed: &ClosureFacts,
    candidate: &ClosureFacts,
    bus: DiskBus,
) -> Result<Layout, UnsupportedDisk> {
    let root = installed
        .file_systems
        .iter()
        .find(|fs| fs.mount_point == "/")
        .ok_or_else(|| UnsupportedDisk::NoRoot {
            toplevel: installed.toplevel.to_string(),
        })?;
    let root_partition = partition(root, bus, 1).ok_or_else(|| UnsupportedDisk::Root {
        toplevel: installed.toplevel.to_string(),
        fs_type: root.fs_type.clone(),
        device: root.device.clone(),
    })?;
    if root_partition.kind != PartitionKind::Ext4 {
        return Err(UnsupportedDisk::Root {
            toplevel: installed.toplevel.to_string(),
            fs_type: root.fs_type.clone(),
            device: root.device.clone(),
        });
    }
    let mut layout = Layout {
        partitions: vec![root_partition],
        choices: Vec::new(),
    };
    let others = installed.file_systems.iter().chain(&candidate.file_systems);
    for fs in others.filter(|fs| fs.mount_point != "/" && !fs.is_optional()) {
        add(&mut layout, fs, root, bus);
    }
    Ok(layout)
}

/// More partitions than an MBR has room for need a reason to exist first.
const MAX_PARTITIONS: usize = 4;

fn add(layout: &mut Layout, fs: &FileSystem, root: &FileSystem, bus: DiskBus) {
    let index = layout.partitions.len() + 1;
    if fs.device == root.device {
        return;
    }
    let told = match partition(fs, bus, index) {
        Some(partition) if already_there(&layout.partitions, &partition) => return,
        Some(partition) if index <= MAX_PARTITIONS => {
            layout.partitions.push(partition);
            format!(
                "the test disk has an empty {} for {}",
                fs.fs_type, fs.mount_point
            )
        }
        _ => format!(
            "the test disk lacks {} ({}) for {}: bootproof cannot make it",
            fs.device, fs.fs_type, fs.mount_point
        ),
    };
    if !layout.choices.contains(&told) {
        layout.choices.push(told);
    }
}

fn already_there(partitions: &[Partition], wanted: &Partition) -> bool {
    partitions.iter().any(|p| {
        p.kind == wanted.kind
            && p.mount_point == wanted.mount_point
            && p.label == wanted.label
            && p.uuid == wanted.uuid
    })
}

/// The partition that `fs` will find as the `index`th of the disk; `None` where that cannot be arranged.
fn partition(fs: &FileSystem, bus: DiskBus, index: usize) -> Option<Partition> {
    let kind = match fs.fs_type.as_str() {
        "ext4" | "ext3" | "ext2" | "auto" => PartitionKind::Ext4,
        "vfat" | "msdos" => PartitionKind::Vfat,
        "swap" => PartitionKind::Swap,
        _ => return None,
    };
    let mut partition = Partition {
        kind,
        mount_point: fs.mount_point.clone(),
        label: None,
        uuid: None,
    };
    let device = fs.device.as_str();
    let named = |directory: &str, key: &str| {
        device
            .strip_prefix(directory)
            .map(unescape_udev)
            .or_else(|| {
                device
                    .strip_prefix(key)
                    .map(|v| v.trim_matches('"').to_owned())
            })
    };
    if let Some(label) = named("/dev/disk/by-label/", "LABEL=") {
        partition.label = Some(label);
    } else if let Some(uuid) = named("/dev/disk/by-uuid/", "UUID=") {
        partition.uuid = Some(uuid);
    } else if device != partition_device(bus, index) {
        return None;
    }
    Some(partition)
}

/// What Linux calls the `index`th partition of the first disk.
fn partition_device(bus: DiskBus, index: usize) -> String {
    let separator = if bus == DiskBus::Nvme { "p" } else { "" };
    format!("{}{separator}{index}", bus.device())
}

/// udev writes odd characters of a label as `\x20` (udev's `encode_devnode_name`).
fn unescape_udev(name: &str) -> String {
    let mut parts = name.split("\\x");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_at_checked(2) {
            Some((hex, rest)) if u8::from_str_radix(hex, 16).is_ok_and(|b| b.is_ascii()) => {
                let byte = u8::from_str_radix(hex, 16).unwrap_or(b'?');
                text.push(char::from(byte));
                text.push_str(rest);
            }
            _ => {
                text.push_str("\\x");
                text.push_str(part);
            }
        }
    }
    text
}

/// Whether the closure's bootloader is one that bootproof can install on this layout's disk.
pub fn boots_from_disk(loader: &BootLoader) -> bool {
    matches!(loader, BootLoader::Grub { efi: false, devices } if !devices.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::StorePath;

    fn facts(file_systems: &[(&str, &str, &str)]) -> ClosureFacts {
        ClosureFacts {
            toplevel: StorePath::parse(
                "/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-nixos-system-web",
            )
            .unwrap(),
            nixos_version: None,
            system: None,
            kernel: None,
            kernel_version: None,
            userland: None,
            kernel_params: Vec::new(),
            initrd_drivers: Vec::new(),
            initrd_file_systems: None,
            system_drivers: Vec::new(),
            boot_loader: BootLoader::Other {
                name: "none".to_owned(),
            },
            file_systems: file_systems
                .iter()
                .map(|(device, mount_point, fs_type)| FileSystem {
                    device: (*device).to_owned(),
                    mount_point: (*mount_point).to_owned(),
                    fs_type: (*fs_type).to_owned(),
                    options: Vec::new(),
                })
                .collect(),
            http: Vec::new(),
            unit_executables: Default::default(),
            unreadable: Vec::new(),
        }
    }

    #[test]
    fn a_root_by_label_gets_that_label() {
        let facts = facts(&[("/dev/disk/by-label/my\\x20root", "/", "ext4")]);
        let layout = layout(&facts, &facts, DiskBus::Virtio).unwrap();
        assert_eq!(layout.partitions.len(), 1);
        assert_eq!(layout.partitions[0].label.as_deref(), Some("my root"));
    }

    #[test]
    fn boot_and_swap_of_both_closures_are_made_once() {
        let uuid = "/dev/disk/by-uuid/1234-ABCD";
        let installed = facts(&[
            ("/dev/disk/by-label/nixos", "/", "ext4"),
            (uuid, "/boot", "vfat"),
        ]);
        let candidate = facts(&[
            ("/dev/disk/by-label/nixos", "/", "ext4"),
            (uuid, "/boot", "vfat"),
            ("LABEL=swap", "none", "swap"),
        ]);
        let layout = layout(&installed, &candidate, DiskBus::Sata).unwrap();
        let kinds: Vec<_> = layout.partitions.iter().map(|p| p.kind).collect();
        assert_eq!(
            kinds,
            [
                PartitionKind::Ext4,
                PartitionKind::Vfat,
                PartitionKind::Swap
            ]
        );
        assert_eq!(layout.partitions[1].uuid.as_deref(), Some("1234-ABCD"));
        assert_eq!(layout.choices.len(), 2);
    }

    #[test]
    fn a_root_by_device_name_must_be_on_the_bus_that_has_it() {
        let facts = facts(&[("/dev/sda1", "/", "ext4")]);
        assert!(layout(&facts, &facts, DiskBus::Sata).is_ok());
        assert!(layout(&facts, &facts, DiskBus::Virtio).is_err());
    }

    #[test]
    fn a_root_that_cannot_be_made_is_told_by_type_and_device() {
        let facts = facts(&[("rpool/root", "/", "zfs")]);
        let error = layout(&facts, &facts, DiskBus::Virtio)
            .unwrap_err()
            .to_string();
        assert!(error.contains("zfs on rpool/root"), "{error}");
    }

    #[test]
    fn a_file_system_that_cannot_be_made_is_told_and_left_out() {
        let facts = facts(&[
            ("/dev/disk/by-label/nixos", "/", "ext4"),
            ("/dev/mapper/data", "/data", "xfs"),
        ]);
        let layout = layout(&facts, &facts, DiskBus::Virtio).unwrap();
        assert_eq!(layout.partitions.len(), 1);
        assert!(layout.choices[0].contains("/dev/mapper/data (xfs) for /data"));
    }
}
