use crate::vocabulary::DiskDriver;

use super::modules::KernelModules;

/// What must be there for a disk driver to find its disk: the bus below it, and the SCSI disk above it.
///
/// A modular kernel loads each by the device's alias, so that one that is missing leaves the disk without a name.
const DISK_DRIVERS: &[(DiskDriver, &[&str])] = &[
    (DiskDriver::VirtioBlk, &["virtio_blk", "virtio_pci"]),
    (
        DiskDriver::VirtioScsi,
        &["virtio_scsi", "virtio_pci", "sd_mod"],
    ),
    (DiskDriver::Ahci, &["ahci", "sd_mod"]),
    (DiskDriver::Nvme, &["nvme"]),
];

/// Drivers of the devices that a VM may be given.
const VM_DRIVERS: &[&str] = &[
    "virtio_pci",
    "virtio_blk",
    "virtio_scsi",
    "virtio_net",
    "virtio_console",
    "virtio_rng",
    "virtio_balloon",
    "ahci",
    "sd_mod",
    "nvme",
    "e1000",
    "e1000e",
    "8139cp",
    "8139too",
    "9p",
    "virtiofs",
];

/// The modules of the file systems that a root can have on one disk, by the name that fstab(5) gives them.
pub(super) const FILE_SYSTEM_DRIVERS: &[&str] = &[
    "ext4", "xfs", "btrfs", "f2fs", "erofs", "squashfs", "vfat", "bcachefs", "zfs",
];

/// The disk drivers that are whole in stage 1, by a predicate that tells which modules it has.
pub(super) fn disk_drivers(has: impl Fn(&str) -> bool) -> Vec<DiskDriver> {
    DISK_DRIVERS
        .iter()
        .filter(|(_, modules)| modules.iter().all(|module| has(module)))
        .map(|(driver, _)| *driver)
        .collect()
}

/// The drivers for a VM's devices that the running system has, as modules or built in.
pub(super) fn system_drivers(modules: &KernelModules) -> Vec<String> {
    VM_DRIVERS
        .iter()
        .filter(|module| modules.has(module))
        .map(|module| (*module).to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_driver_without_its_companions_does_not_count() {
        let alone = disk_drivers(|module| ["virtio_blk", "ahci", "nvme"].contains(&module));
        assert_eq!(alone, [DiskDriver::Nvme]);
    }

    #[test]
    fn a_disk_driver_with_its_companions_counts() {
        let whole = disk_drivers(|module| ["virtio_blk", "virtio_pci"].contains(&module));
        assert_eq!(whole, [DiskDriver::VirtioBlk]);
        assert_eq!(disk_drivers(|_| true).len(), 4);
    }
}
