//! The devices of the fstab can exist, and what the bootloader writes to is among them. Guesses from names are no more than warnings.

use std::collections::BTreeSet;

use super::{unread, warning};
use crate::inspect::rules::{Outcome, Subject};
use crate::vocabulary::FileSystem;

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    if unread(subject, "fstab") {
        return;
    }
    let mut points = BTreeSet::new();
    for fs in &subject.facts.file_systems {
        if fs.mount_point.starts_with('/') && !points.insert(fs.mount_point.as_str()) {
            let summary = format!("the fstab mounts two devices at {}", fs.mount_point);
            warning(outcome, "fstab", summary);
        }
        if let Some(trouble) = implausible(fs) {
            let summary = format!("{} is at {}, {trouble}", place(fs), fs.device);
            warning(outcome, "fstab", summary);
        }
    }
    esp(subject, outcome);
}

fn place(fs: &FileSystem) -> &str {
    match fs.fs_type.as_str() {
        "swap" => "swap",
        _ => &fs.mount_point,
    }
}

/// What a device is named by (systemd.device(5), `fstab_node_to_udev_node`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    Uuid,
    Label,
    PartUuid,
    PartLabel,
}

pub(super) fn tagged(device: &str) -> Option<(Tag, &str)> {
    const TAGS: &[(&str, Tag)] = &[
        ("UUID=", Tag::Uuid),
        ("LABEL=", Tag::Label),
        ("PARTUUID=", Tag::PartUuid),
        ("PARTLABEL=", Tag::PartLabel),
        ("/dev/disk/by-uuid/", Tag::Uuid),
        ("/dev/disk/by-label/", Tag::Label),
        ("/dev/disk/by-partuuid/", Tag::PartUuid),
        ("/dev/disk/by-partlabel/", Tag::PartLabel),
    ];
    TAGS.iter().find_map(|(prefix, tag)| {
        let value = device.strip_prefix(prefix)?;
        Some((*tag, value.trim_matches('"')))
    })
}

fn implausible(fs: &FileSystem) -> Option<String> {
    let (tag, value) = tagged(&fs.device)?;
    if value.is_empty() {
        return Some("which names no device".to_owned());
    }
    match tag {
        Tag::Uuid => uuid(value, &fs.fs_type),
        // Of a GPT partition, or the disk's signature and the partition's number of an MBR.
        Tag::PartUuid if is_hex(value, &[8, 4, 4, 4, 12]) || is_hex(value, &[8, 2]) => None,
        Tag::PartUuid => Some("which has the form of no partition's UUID".to_owned()),
        // The longest that any file system has is btrfs's with 255 bytes.
        Tag::Label if value.len() <= 255 => label(value, &fs.fs_type),
        // 36 characters of UTF-16 in a GPT.
        Tag::PartLabel if value.chars().count() <= 36 || value.contains("\\x") => None,
        Tag::Label | Tag::PartLabel => Some("which is longer than any label".to_owned()),
    }
}

/// Those types whose UUIDs have one form only, as libblkid prints them.
fn uuid(value: &str, fs_type: &str) -> Option<String> {
    const LONG: &[usize] = &[8, 4, 4, 4, 12];
    let fits = match fs_type {
        "vfat" | "msdos" | "exfat" => is_hex(value, &[4, 4]),
        "ext2" | "ext3" | "ext4" | "xfs" | "btrfs" | "f2fs" | "swap" | "bcachefs" => {
            is_hex(value, LONG)
        }
        _ => true,
    };
    (!fits).then(|| format!("which has the form of no {fs_type} UUID"))
}

fn label(value: &str, fs_type: &str) -> Option<String> {
    let longest = match fs_type {
        "vfat" | "msdos" => 11,
        "xfs" => 12,
        "ext2" | "ext3" | "ext4" => 16,
        _ => return None,
    };
    // An escaped character of a link's name is longer than the character.
    (value.len() > longest && !value.contains("\\x"))
        .then(|| format!("and {fs_type} has no label of more than {longest} bytes"))
}

fn is_hex(value: &str, groups: &[usize]) -> bool {
    let lengths = value.split('-').map(str::len);
    lengths.eq(groups.iter().copied()) && value.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

/// systemd-boot's builder and `grub-install` want the EFI system partition to be mounted. Something else than the fstab may mount it.
fn esp(subject: &Subject, outcome: &mut Outcome) {
    let installation = &subject.survey.boot.installation;
    let Some(esp) = installation.esp.as_deref() else {
        return;
    };
    let mut mounts = subject.facts.file_systems.iter();
    match mounts.find(|fs| fs.mount_point == esp) {
        Some(fs) if !["vfat", "msdos", "auto"].contains(&fs.fs_type.as_str()) => {
            let summary = format!(
                "the bootloader is installed to {esp}, which is {}: EFI firmware reads FAT",
                fs.fs_type
            );
            warning(outcome, "fstab", summary);
        }
        Some(_) => {}
        None if has_unit(subject, esp) => {}
        None => {
            let summary = format!(
                "the bootloader is installed to {esp}, and no line of the fstab mounts anything there"
            );
            warning(outcome, "fstab", summary);
        }
    }
}

fn has_unit(subject: &Subject, mount_point: &str) -> bool {
    let name = mount_point.trim_matches('/').replace('/', "-");
    ["mount", "automount"]
        .iter()
        .any(|kind| subject.survey.units.contains_key(&format!("{name}.{kind}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::testing::{ids, inspected, install_by, server};
    use crate::vocabulary::Verdict;

    const ROOT: &str = "/dev/vda1 / ext4 defaults 0 1\n";

    fn found(lines: &str) -> Vec<String> {
        let fake = server();
        fake.file("etc/fstab", format!("{ROOT}{lines}"));
        let inspection = inspected(&fake);
        assert_eq!(inspection.verdict, Verdict::Pass);
        ids(&inspection)
    }

    fn trouble(device: &str, fs_type: &str) -> Option<String> {
        implausible(&FileSystem {
            device: device.to_owned(),
            mount_point: "/x".to_owned(),
            fs_type: fs_type.to_owned(),
            options: Vec::new(),
        })
    }

    #[test]
    fn devices_that_cannot_exist_are_warnings() {
        for line in [
            "/dev/disk/by-uuid/CHANGE-ME /data ext4 nofail 0 2\n",
            "UUID=1234-ABCD /data ext4 nofail 0 2\n",
            "/dev/disk/by-label/ /data ext4 nofail 0 2\n",
            "LABEL=a /data ext4 nofail 0 2\nLABEL=b /data ext4 nofail 0 2\n",
        ] {
            assert_eq!(found(line), ["inspected/boot-path/fstab"], "{line}");
        }
    }

    #[test]
    fn devices_that_can_exist_are_silent() {
        for (device, fs_type) in [
            ("/dev/disk/by-uuid/1234-ABCD", "vfat"),
            (
                "/dev/disk/by-uuid/0e8d3f52-8f1c-4b7d-9b52-2b7d1a3f5a11",
                "ext4",
            ),
            ("UUID=\"0e8d3f52-8f1c-4b7d-9b52-2b7d1a3f5a11\"", "btrfs"),
            ("/dev/disk/by-uuid/01D9F6F0A1B2C3D4", "ntfs3"),
            ("/dev/disk/by-uuid/2024-01-01-00-00-00-00", "iso9660"),
            ("PARTUUID=89abcdef-01", "ext4"),
            ("/dev/disk/by-partlabel/disk-main-root", "ext4"),
            ("/dev/disk/by-label/a\\x20label\\x20with\\x20blanks", "ext4"),
            ("/dev/disk/by-id/ata-X", "ext4"),
            ("rpool/root", "zfs"),
            ("/swapfile", "swap"),
        ] {
            assert_eq!(trouble(device, fs_type), None, "{device}");
        }
        let swap = "/dev/vda2 none swap defaults 0 0\n/dev/vda3 none swap defaults 0 0\n";
        assert_eq!(found(swap), [""; 0]);
    }

    #[test]
    fn an_esp_that_nothing_mounts_is_a_warning() {
        let fake = server();
        let builder = "#!/x\nEFI_SYS_MOUNT_POINT = Path(\"/boot\")\n";
        let builder = fake.store_file("systemd-boot", "", builder);
        let script = format!("#!/x\n{builder}\n");
        let installer = fake.store_file("install-systemd-boot.sh", "", script);
        install_by(&fake, &installer);
        let of = |line: &str| {
            fake.file("etc/fstab", format!("{ROOT}{line}"));
            ids(&inspected(&fake))
        };
        assert_eq!(of(""), ["inspected/boot-path/fstab"]);
        let ext4 = "LABEL=boot /boot ext4 defaults 0 2\n";
        assert_eq!(of(ext4), ["inspected/boot-path/fstab"]);
        fake.file(
            "kernel-modules/lib/modules/6.6.63/modules.dep",
            "kernel/fs/fat/vfat.ko.xz:\n",
        );
        let vfat = "UUID=1234-ABCD /boot vfat defaults,nofail 0 2\n";
        assert_eq!(of(vfat), [""; 0]);
    }
}
