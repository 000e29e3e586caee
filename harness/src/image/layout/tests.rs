use super::*;
use crate::vocabulary::BootLoader;
use crate::vocabulary::Firmware;
use crate::vocabulary::StorePath;

fn facts(file_systems: &[(&str, &str, &str)]) -> ClosureFacts {
    ClosureFacts {
        toplevel: StorePath::parse("/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-nixos-system-web")
            .unwrap(),
        nixos_version: None,
        system: None,
        kernel: None,
        kernel_version: None,
        userland: None,
        kernel_params: Vec::new(),
        initrd_drivers: Vec::new(),
        initrd_file_systems: None,
        initrd_modules: None,
        initrd_damage: None,
        stage_1_root: None,
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
        interfaces: Vec::new(),
        http: Vec::new(),
        unit_executables: Default::default(),
        unreadable: Vec::new(),
    }
}

#[test]
fn a_root_by_label_gets_that_label() {
    let facts = facts(&[("/dev/disk/by-label/my\\x20root", "/", "ext4")]);
    let layout = layout(&facts, &facts, DiskBus::Virtio, Firmware::Bios).unwrap();
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
    let layout = layout(&installed, &candidate, DiskBus::Sata, Firmware::Bios).unwrap();
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
    assert!(layout(&facts, &facts, DiskBus::Sata, Firmware::Bios).is_ok());
    assert!(layout(&facts, &facts, DiskBus::Virtio, Firmware::Bios).is_err());
}

#[test]
fn a_device_name_gives_the_partition_its_number() {
    let facts = facts(&[
        ("/dev/vda2", "/", "ext4"),
        ("LABEL=data", "/data", "ext4"),
        ("/dev/vda1", "/boot", "vfat"),
    ]);
    let layout = layout(&facts, &facts, DiskBus::Virtio, Firmware::Bios).unwrap();
    let numbers: Vec<_> = layout.partitions.iter().map(|p| p.number).collect();
    assert_eq!(numbers, [2, 3, 1]);
    assert_eq!(layout.table, PartitionTable::Mbr);
}

#[test]
fn partitions_that_are_found_by_their_own_names_need_a_gpt() {
    let facts = facts(&[
        ("/dev/disk/by-partlabel/disk-main-root", "/", "ext4"),
        ("/dev/disk/by-partlabel/disk-main-ESP", "/boot", "vfat"),
    ]);
    let layout = layout(&facts, &facts, DiskBus::Virtio, Firmware::Bios).unwrap();
    assert_eq!(layout.table, PartitionTable::Gpt);
    let name = layout.partitions[1].part_label.as_deref();
    assert_eq!(name, Some("disk-main-ESP"));
}

#[test]
fn a_machine_with_uefi_has_a_gpt_whatever_the_fstab_says() {
    let facts = facts(&[
        ("/dev/disk/by-label/nixos", "/", "ext4"),
        ("/dev/disk/by-label/ESP", "/boot", "vfat"),
    ]);
    let table = |firmware| {
        layout(&facts, &facts, DiskBus::Virtio, firmware)
            .unwrap()
            .table
    };
    assert_eq!(table(Firmware::Bios), PartitionTable::Mbr);
    assert_eq!(table(Firmware::Uefi), PartitionTable::Gpt);
}

#[test]
fn a_store_beside_a_root_in_memory_is_put_at_nix() {
    let facts = facts(&[
        ("/dev/disk/by-label/nix", "/nix", "ext4"),
        ("/dev/disk/by-label/boot", "/boot", "ext4"),
    ]);
    let layout = layout(&facts, &facts, DiskBus::Virtio, Firmware::Bios).unwrap();
    assert_eq!(layout.partitions[0].mount_point, "/nix");
    assert!(layout.choices[0].contains("on no disk"));
}

#[test]
fn a_candidate_that_calls_the_root_otherwise_finds_it_and_one_that_names_another_does_not() {
    let installed = facts(&[("/dev/disk/by-label/nixos", "/", "ext4")]);
    let uuid = "/dev/disk/by-uuid/f222513b-ded1-49fa-b591-20ce86a2fe7f";
    let otherwise = facts(&[(uuid, "/", "ext4")]);
    let both = layout(&installed, &otherwise, DiskBus::Virtio, Firmware::Bios).unwrap();
    assert_eq!(both.partitions.len(), 1);
    assert!(both.partitions[0].uuid.is_some() && both.partitions[0].label.is_some());
    assert!(
        both.choices[0].contains("taken to be"),
        "{:?}",
        both.choices
    );
    let another = facts(&[("/dev/disk/by-label/wrong", "/", "ext4")]);
    let alone = layout(&installed, &another, DiskBus::Virtio, Firmware::Bios).unwrap();
    assert_eq!(alone.partitions[0].label.as_deref(), Some("nixos"));
    assert!(alone.choices[0].contains("lacks"), "{:?}", alone.choices);
}

#[test]
fn a_swap_file_is_the_closures_to_make_and_gets_room() {
    let facts = facts(&[
        ("/dev/disk/by-label/nixos", "/", "ext4"),
        ("/var/lib/swapfile", "none", "swap"),
    ]);
    let layout = layout(&facts, &facts, DiskBus::Virtio, Firmware::Bios).unwrap();
    assert_eq!(layout.partitions.len(), 1);
    assert!(layout.room_mib > SWAP_FILE_MIB && layout.choices.is_empty());
}

#[test]
fn a_root_that_cannot_be_made_is_told_by_type_and_device() {
    let facts = facts(&[("rpool/root", "/", "zfs")]);
    let error = layout(&facts, &facts, DiskBus::Virtio, Firmware::Bios)
        .unwrap_err()
        .to_string();
    assert!(error.contains("zfs on rpool/root"), "{error}");
}

#[test]
fn swap_that_cannot_be_made_is_told_and_left_out() {
    let facts = facts(&[
        ("/dev/disk/by-label/nixos", "/", "ext4"),
        ("/dev/mapper/swap", "none", "swap"),
    ]);
    let layout = layout(&facts, &facts, DiskBus::Virtio, Firmware::Bios).unwrap();
    assert_eq!(layout.partitions.len(), 1);
    assert!(layout.choices[0].contains("/dev/mapper/swap (swap) for none"));
}

#[test]
fn a_file_system_that_the_boot_needs_and_that_cannot_be_made_is_no_fault_of_the_closure() {
    let mut facts = facts(&[
        ("/dev/disk/by-label/nixos", "/", "ext4"),
        ("/dev/mapper/data", "/data", "xfs"),
    ]);
    let error = layout(&facts, &facts, DiskBus::Virtio, Firmware::Bios).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("/dev/mapper/data (xfs) at /data")
    );
    facts.file_systems[1].options = vec!["x-systemd.automount".to_owned()];
    assert!(layout(&facts, &facts, DiskBus::Virtio, Firmware::Bios).is_ok());
    facts.file_systems[1].options = vec!["nofail".to_owned()];
    assert!(layout(&facts, &facts, DiskBus::Virtio, Firmware::Bios).is_ok());
}
