//! Stage 1 has a driver for the target machine's disk.

use super::{error, is_in_stage_1, is_of_stage_1, unread, warning};
use crate::inspect::rules::{Outcome, Subject};
use crate::vocabulary::{DiskBus, DiskDriver};

const NEXT: &str = "add the driver to `boot.initrd.availableKernelModules`";

/// Names of devices that only certain drivers give, and those drivers (the kernel's `Documentation/admin-guide/devices.txt`).
///
/// `/dev/sdX` is any of dozens of controllers, and at least the SCSI disk.
const NAMES: &[(&str, &[&str])] = &[
    ("/dev/vd", &["virtio_blk"]),
    ("/dev/sd", &["sd_mod"]),
    ("/dev/nvme", &["nvme", "nvme_core"]),
    ("/dev/mmcblk", &["mmc_block"]),
    ("/dev/xvd", &["xen_blkfront"]),
    ("/dev/mapper/", &["dm_mod"]),
    ("/dev/md", &["md_mod"]),
    ("/dev/bcache", &["bcache"]),
];

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    if unread(subject, "initrd") || unread(subject, "kernel-modules") {
        return;
    }
    let drivers = &subject.facts.initrd_drivers;
    match subject.options.target.disk_bus {
        Some(bus) if !drivers.iter().any(|driver| driver.bus() == bus) => {
            let summary = format!(
                "the target machine's disk is {}, and stage 1 has no driver for it ({})",
                bus.as_str(),
                listed(drivers)
            );
            error(outcome, "disk", summary, NEXT);
        }
        Some(bus) => told_names(subject, bus, outcome),
        None if named(subject, outcome) => {}
        None if drivers.is_empty() => warning(
            outcome,
            "disk",
            "stage 1 has a driver for none of virtio, AHCI, NVMe and SCSI disks".to_owned(),
        ),
        None => {}
    }
}

fn listed(drivers: &[DiskDriver]) -> String {
    if drivers.is_empty() {
        return "it has none that bootproof knows".to_owned();
    }
    let names: Vec<&str> = drivers.iter().map(|driver| driver.bus().as_str()).collect();
    format!("it has {}", names.join(", "))
}

/// What stage 1 waits for by a name that no driver of its gives; whether there is such a thing.
fn named(subject: &Subject, outcome: &mut Outcome) -> bool {
    for fs in &subject.facts.file_systems {
        let driver = NAMES.iter().find(|(name, _)| is_called(&fs.device, name));
        let Some((_, modules)) = driver.filter(|_| is_of_stage_1(fs) && !fs.is_optional()) else {
            continue;
        };
        let carried = |module: &&str| is_in_stage_1(subject, module) != Some(false);
        if !modules.iter().any(carried) {
            let summary = format!(
                "{} is at {}, and stage 1 has no driver that gives this name ({})",
                fs.mount_point, fs.device, modules[0]
            );
            error(outcome, "disk", summary, NEXT);
            return true;
        }
    }
    false
}

/// `/dev/vda1` is called `/dev/vd`, and `/dev/vdisk/x` is not; what ends in a letter is followed by one, what does not by a digit.
fn is_called(device: &str, name: &str) -> bool {
    let Some(rest) = device.strip_prefix(name) else {
        return false;
    };
    if name.ends_with('/') {
        return !rest.is_empty();
    }
    let lettered = ["/dev/vd", "/dev/sd", "/dev/xvd"].contains(&name);
    let suffix = rest.trim_end_matches(|c: char| c.is_ascii_digit());
    match lettered {
        true => !suffix.is_empty() && suffix.chars().all(|c| c.is_ascii_lowercase()),
        false => rest.starts_with(|c: char| c.is_ascii_digit() || c == '/'),
    }
}

/// The machine may have a second disk of another kind.
fn told_names(subject: &Subject, bus: DiskBus, outcome: &mut Outcome) {
    const BUSES: &[(&str, &[DiskBus])] = &[
        ("/dev/vd", &[DiskBus::Virtio]),
        ("/dev/sd", &[DiskBus::Sata, DiskBus::Scsi]),
        ("/dev/nvme", &[DiskBus::Nvme]),
    ];
    for fs in subject
        .facts
        .file_systems
        .iter()
        .filter(|fs| !fs.is_optional())
    {
        let buses = BUSES.iter().find(|(name, _)| is_called(&fs.device, name));
        if buses.is_some_and(|(_, buses)| !buses.contains(&bus)) {
            let summary = format!(
                "{} is at {}, which is no name of {} disk: the target machine's is called {}",
                fs.mount_point,
                fs.device,
                match bus {
                    DiskBus::Virtio | DiskBus::Sata | DiskBus::Scsi =>
                        format!("a {}", bus.as_str()),
                    DiskBus::Nvme => "an nvme".to_owned(),
                },
                bus.device()
            );
            warning(outcome, "fstab", summary);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_called;
    use crate::closure::testing::initrd;
    use crate::inspect::Options;
    use crate::inspect::testing::{ids, inspected, inspected_with, server};
    use crate::vocabulary::{DiskBus, ElfClass, TargetMachine, Verdict};

    fn with_disk(bus: DiskBus) -> Options {
        Options {
            target: TargetMachine {
                disk_bus: Some(bus),
                ..TargetMachine::default()
            },
            ..Options::default()
        }
    }

    #[test]
    fn a_disk_without_a_driver_is_found() {
        let fake = server();
        let of = |bus| ids(&inspected_with(&fake, &with_disk(bus)));
        assert_eq!(of(DiskBus::Nvme), ["inspected/boot-path/disk"]);
        assert_eq!(of(DiskBus::Virtio), [""; 0]);
        let builtin = "kernel-modules/lib/modules/6.6.63/modules.builtin";
        fake.file(builtin, "kernel/drivers/nvme/host/nvme.ko\n");
        fake.file("etc/fstab", "LABEL=nixos / ext4 defaults 0 1\n");
        assert_eq!(of(DiskBus::Nvme), [""; 0]);
    }

    #[test]
    fn an_initrd_that_drives_no_disk_is_a_warning() {
        let fake = server();
        fake.file("etc/fstab", "LABEL=nixos / ext4 defaults 0 1\n");
        fake.file("initrd", initrd(ElfClass::X86_64, &["ext4.ko"]));
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), ["inspected/boot-path/disk"]);
        assert_eq!(inspection.verdict, Verdict::Pass);
    }

    #[test]
    fn a_root_whose_name_no_driver_gives_is_found() {
        let fake = server();
        let of = |fstab: &str| {
            fake.file("etc/fstab", fstab);
            ids(&inspected(&fake))
        };
        for device in ["/dev/nvme0n1p2", "/dev/mapper/root", "/dev/sda1"] {
            let fstab = format!("{device} / ext4 defaults 0 1\n");
            assert_eq!(of(&fstab), ["inspected/boot-path/disk"], "{device}");
        }
        let other = "/dev/vda1 / ext4 defaults 0 1\n/dev/sdb1 /data ext4 defaults 0 2\n";
        assert_eq!(of(other), [""; 0]);
    }

    #[test]
    fn a_name_of_another_bus_than_the_told_one_is_a_warning() {
        let fake = server();
        fake.file("initrd", initrd(ElfClass::X86_64, &["nvme.ko", "ext4.ko"]));
        let inspection = inspected_with(&fake, &with_disk(DiskBus::Nvme));
        assert_eq!(ids(&inspection), ["inspected/boot-path/fstab"]);
        assert_eq!(inspection.verdict, Verdict::Pass);
    }

    #[test]
    fn names_of_devices_are_told_apart() {
        for (device, name) in [
            ("/dev/vda1", "/dev/vd"),
            ("/dev/md127", "/dev/md"),
            ("/dev/md/root", "/dev/md"),
            ("/dev/mapper/root", "/dev/mapper/"),
        ] {
            assert!(is_called(device, name), "{device}");
        }
        for (device, name) in [
            ("/dev/vdisk/x", "/dev/vd"),
            ("/dev/vd", "/dev/vd"),
            ("/dev/mdx", "/dev/md"),
            ("/dev/mapper/", "/dev/mapper/"),
        ] {
            assert!(!is_called(device, name), "{device}");
        }
    }
}
