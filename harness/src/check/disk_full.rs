//! No file system that is written to may be full, of bytes or of inodes.
//!
//! Whoever fails by it says `No space left on device`, or nothing; that one is full is seen before anybody fails.

use crate::fold::{FileSystem, Share};
use crate::vocabulary::{Check, Finding};

use super::Scene;

/// Others are made as large as what is in them (squashfs, iso9660), or hold nothing of the system's (efivarfs).
const WRITTEN_TO: &[&str] = &[
    "ext2", "ext3", "ext4", "xfs", "btrfs", "bcachefs", "f2fs", "jfs", "zfs", "vfat", "tmpfs",
];
/// Full: less than this many KiB, and less than a hundredth.
const SPARE_KIB: u64 = 1024;
const SPARE_INODES: u64 = 16;

pub(super) fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let written_to = scene.record.file_systems.iter().filter(|fs| {
        let is_closures_own = !fs.mount_point.starts_with("/run/credentials/");
        WRITTEN_TO.contains(&fs.kind.as_str()) && is_closures_own
    });
    written_to.filter_map(|fs| full(scene, fs)).collect()
}

fn full(scene: &Scene<'_>, fs: &FileSystem) -> Option<Finding> {
    let lacks = |share: Share, spare: u64| {
        share.available < spare && share.available.saturating_mul(100) < share.total
    };
    let (of_what, share) = if lacks(fs.space, SPARE_KIB) {
        ("KiB", fs.space)
    } else {
        let inodes = fs.inodes.filter(|inodes| lacks(*inodes, SPARE_INODES))?;
        ("inodes", inodes)
    };
    let place = &fs.mount_point;
    let summary = match of_what {
        "KiB" => format!("the file system at {place} is full"),
        _ => format!("the file system at {place} has no inode left for another file"),
    };
    let shown = format!(
        "{place} ({}): {} of {} {of_what} are free",
        fs.kind, share.available, share.total
    );
    let mut finding =
        Finding::new(Check::DiskFull, scene.state, place, summary).with_evidence("df", shown);
    // A file system in memory is as large as on the machine, if the memory is; the disk is as large as bootproof made it.
    if fs.kind != "tmpfs" {
        finding.summary.push_str(
            "; the test disk is as large as bootproof made it, and the machine's may be larger",
        );
        return Some(finding.as_warning());
    }
    Some(finding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use crate::vocabulary::{Severity, State};

    fn found(blocks: &[&str], inodes: &[&str]) -> Vec<Finding> {
        let (plan, mut recording) = testing::healthy_recording();
        recording.guest(State::Rebooted).file_systems = format!(
            "Filesystem Type 1024-blocks Used Available Capacity Mounted on\n{}\n\
             Filesystem Type Inodes IUsed IFree IUse% Mounted on\n{}\n",
            blocks.join("\n"),
            inodes.join("\n")
        );
        testing::findings(&plan, &recording)
    }

    #[test]
    fn a_full_disk_is_a_warning_and_full_memory_an_error() {
        let findings = found(
            &[
                "/dev/vda1 ext4 2000000 1900000 0 100% /",
                "tmpfs tmpfs 500000 499900 100 100% /run",
            ],
            &[],
        );
        let told: Vec<_> = findings.iter().map(|f| (f.id(), f.severity)).collect();
        assert_eq!(
            told,
            [
                ("rebooted/disk-full//".to_owned(), Severity::Warning),
                ("rebooted/disk-full//run".to_owned(), Severity::Error),
            ]
        );
        assert!(findings[1].summary.ends_with("at /run is full"));
    }

    #[test]
    fn a_disk_without_inodes_is_full() {
        let findings = found(
            &["/dev/vda1 ext4 2000000 900000 1000000 45% /"],
            &["/dev/vda1 ext4 20000 20000 0 100% /"],
        );
        assert!(findings[0].summary.contains("no inode left"));
        assert_eq!(
            findings[0].evidence[0].text,
            "/ (ext4): 0 of 20000 inodes are free"
        );
    }

    #[test]
    fn what_has_room_or_is_never_written_to_is_silent() {
        let blocks = [
            "/dev/vda1 ext4 2000000 1900000 2000 99% /",
            "/dev/loop0 squashfs 50000 50000 0 100% /nix/.ro-store",
            "none tmpfs 64 4 60 7% /run/lock",
            "tmpfs tmpfs 0 0 0 - /proc/x",
            "ramfs ramfs 0 0 0 - /run/keys",
            "tmpfs tmpfs 1024 1024 0 100% /run/credentials/a.service",
            "efivarfs efivarfs 56 56 0 100% /sys/firmware/efi/efivars",
        ];
        assert_eq!(found(&blocks, &["btrfs btrfs 0 0 0 - /"]), []);
    }
}
