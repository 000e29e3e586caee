use std::fs;

use super::*;
use crate::image::Partition;
use crate::image::PartitionTable;
use crate::image::Seed;
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
        seeds: vec![
            seed("/var/lib/a/key", 0o640, 33, 70_000),
            seed("/persist/secret", 0o000, 0, 0),
        ],
    };
    let mut persist = partition(PartitionKind::Ext4, "persist");
    persist.mount_point = "/persist".to_owned();
    persist.number = 3;
    let mut swap = partition(PartitionKind::Swap, "swap");
    swap.mount_point = "none".to_owned();
    let layout = Layout {
        table: PartitionTable::Mbr,
        room_mib: 64,
        partitions: vec![partition(PartitionKind::Ext4, "nixos"), swap, persist],
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

    let stat = |path: &str, mib: u64| {
        let device = format!("{}?offset={}", image.display(), mib * MIB);
        let output = std::process::Command::new("debugfs")
            .env("PATH", "/usr/sbin:/sbin")
            .args(["-R", &format!("stat {path}"), &device])
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let key = stat("/var/lib/a/key", 1);
    for words in ["Mode:  0640", "User:    33", "Group: 70000", "Size: 5"] {
        assert!(key.contains(words), "{words}: {key}");
    }
    let secret = stat("/secret", 1 + 64 + SWAP_MIB);
    for words in ["Mode:  0000", "User:     0", "Size: 5"] {
        assert!(secret.contains(words), "{words}: {secret}");
    }
    assert!(!directory.path().join("seeds-2").exists());
}

fn seed(path: &str, mode: u32, owner: u32, group: u32) -> Seed {
    Seed {
        path: path.to_owned(),
        content: b"dummy".to_vec(),
        mode,
        owner,
        group,
    }
}

#[test]
fn a_file_that_no_partition_would_show_is_refused() {
    let mut nix = partition(PartitionKind::Ext4, "nix");
    nix.mount_point = "/nix".to_owned();
    let mut boot = partition(PartitionKind::Vfat, "boot");
    boot.mount_point = "/efi".to_owned();
    let layout = Layout {
        table: PartitionTable::Mbr,
        room_mib: 64,
        partitions: vec![nix, boot],
        choices: Vec::new(),
    };
    for path in ["/var/lib/key", "/efi/key"] {
        let told = seeds::check(&[seed(path, 0o600, 0, 0)], &layout).unwrap_err();
        assert!(told.to_string().contains(path), "{told}");
    }
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
        seeds: Vec::new(),
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
