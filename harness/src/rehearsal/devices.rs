//! Which devices the VM gets, so that the closures find what they can drive and what they name. Pure.

use crate::vm::{Forward, NetworkCard, QemuBinary};
use crate::vocabulary::{
    Asks, BootLoader, ClosureFacts, DiskBus, Firmware, Plan, System, TargetMachine,
};

/// The bus that the disk of a rehearsal of this closure has, where nothing is said of the target machine.
pub fn likely_disk_bus(facts: &ClosureFacts) -> DiskBus {
    disk_bus(&TargetMachine::default(), facts, facts, &mut Vec::new())
}

/// The bus of the one disk: the target machine's, or what the installed closure can drive and calls its device; leaves a
/// sentence in `choices`.
pub(super) fn disk_bus(
    target: &TargetMachine,
    installed: &ClosureFacts,
    candidate: &ClosureFacts,
    choices: &mut Vec<String>,
) -> DiskBus {
    if let Some(bus) = target.disk_bus {
        return bus;
    }
    let drives = |facts: &ClosureFacts, bus| facts.initrd_drivers.iter().any(|d| d.bus() == bus);
    // An fstab with `/dev/vda2` finds its disk on one bus only, whatever installs the bootloader.
    let in_fstab = installed.file_systems.iter().map(|fs| &fs.device);
    let named = grub_devices(installed)
        .iter()
        .chain(in_fstab)
        .find_map(|device| bus_of_name(device));
    const PREFERENCE: [DiskBus; 4] = [DiskBus::Virtio, DiskBus::Sata, DiskBus::Nvme, DiskBus::Scsi];
    let named_buses = match named {
        Some(Name::Scsi) => vec![DiskBus::Sata, DiskBus::Scsi],
        Some(Name::Virtio) => vec![DiskBus::Virtio],
        Some(Name::Nvme) => vec![DiskBus::Nvme],
        None => Vec::new(),
    };
    let candidates = || named_buses.iter().chain(&PREFERENCE).copied();
    let chosen = candidates()
        .find(|bus| drives(installed, *bus) && drives(candidate, *bus))
        .or_else(|| candidates().find(|bus| drives(installed, *bus)));
    let (bus, why) = match chosen {
        Some(bus) if named_buses.contains(&bus) => {
            (bus, "the closure calls it so, and the initrd drives it")
        }
        Some(bus) => (bus, "the initrd drives it"),
        None => (
            candidates().next().unwrap_or(DiskBus::Virtio),
            "no disk driver was recognised in the initrd",
        ),
    };
    choices.push(format!(
        "the disk is {} ({}): {why}",
        bus.as_str(),
        bus.device()
    ));
    bus
}

/// The target machine's firmware, or what the installed closure's bootloader is for; leaves a sentence in `choices` where that is not
/// the usual.
pub(super) fn firmware(
    target: &TargetMachine,
    installed: &ClosureFacts,
    choices: &mut Vec<String>,
) -> Firmware {
    if let Some(told) = target.firmware {
        return told;
    }
    let has_esp = || installed.file_systems.iter().any(|fs| fs.fs_type == "vfat");
    let why = match &installed.boot_loader {
        BootLoader::SystemdBoot => "systemd-boot is for nothing else",
        BootLoader::Grub { devices, efi: true } if devices.is_empty() => {
            "GRUB is installed for nothing else"
        }
        // A disk that boots either way.
        BootLoader::Grub { efi: true, .. } if has_esp() => {
            "GRUB is installed for it, and an ESP is mounted"
        }
        BootLoader::Grub { .. } | BootLoader::Other { .. } => return Firmware::Bios,
    };
    choices.push(format!(
        "the firmware is UEFI (OVMF, Secure Boot off): {why}"
    ));
    Firmware::Uefi
}

/// What a device's name says of its bus.
enum Name {
    Virtio,
    Scsi,
    Nvme,
}

fn bus_of_name(device: &str) -> Option<Name> {
    let name = device.strip_prefix("/dev/")?;
    if name.starts_with("vd") {
        Some(Name::Virtio)
    } else if name.starts_with("sd") {
        Some(Name::Scsi)
    } else if name.starts_with("nvme") {
        Some(Name::Nvme)
    } else {
        None
    }
}

fn grub_devices(facts: &ClosureFacts) -> &[String] {
    match &facts.boot_loader {
        BootLoader::Grub { devices, .. } => devices,
        BootLoader::SystemdBoot | BootLoader::Other { .. } => &[],
    }
}

/// GRUB's devices that are not the VM's disk, each with the name that the disk has.
pub(super) fn foreign_devices(
    installed: &ClosureFacts,
    candidate: &ClosureFacts,
    bus: DiskBus,
) -> Vec<(String, &'static str)> {
    let mut devices: Vec<String> = grub_devices(installed)
        .iter()
        .chain(grub_devices(candidate))
        .filter(|device| *device != bus.device() && device.starts_with("/dev/"))
        .cloned()
        .collect();
    devices.sort();
    devices.dedup();
    devices
        .into_iter()
        .map(|device| (device, bus.device()))
        .collect()
}

/// The network card that the closures have a driver for, and a sentence where it is not the usual one.
pub(super) fn network_card(plan: &Plan) -> (NetworkCard, Option<String>) {
    let closures = || plan.baseline.iter().chain([&plan.candidate]);
    let has =
        |driver: &str| closures().all(|facts| facts.system_drivers.iter().any(|d| d == driver));
    for (driver, card) in [
        ("virtio_net", NetworkCard::Virtio),
        ("e1000e", NetworkCard::E1000e),
        ("e1000", NetworkCard::E1000),
    ] {
        if has(driver) {
            let usual = card == NetworkCard::Virtio;
            let choice =
                format!("the network card is {driver}: the closure has no driver for virtio's");
            return (card, (!usual).then_some(choice));
        }
    }
    (
        NetworkCard::Virtio,
        Some(
            "no driver for any network card of the VM was recognised in kernel-modules".to_owned(),
        ),
    )
}

/// Every TCP port that nginx of any of the closures listens on, those that the user's probes name, and the one that a user wants.
pub(super) fn forwards(plan: &Plan) -> Vec<Forward> {
    let probed = plan.probes.iter().filter_map(|probe| match &probe.asks {
        Asks::Url { port, .. } => Some(*port),
        Asks::Path(_) => None,
    });
    let mut ports: Vec<u16> = plan
        .closures()
        .flat_map(|facts| &facts.http)
        .map(|endpoint| endpoint.listener.port)
        .chain(plan.hold.map(|hold| hold.port))
        .chain(probed)
        .collect();
    ports.sort_unstable();
    ports.dedup();
    ports
        .into_iter()
        .map(|guest_port| Forward { guest_port })
        .collect()
}

/// Emulator and CPU: the target machine's, never the candidate's.
pub(super) fn processor(target: &TargetMachine) -> (QemuBinary, String) {
    let (binary, plain) = match target.system {
        System::I686Linux => (QemuBinary::I386, "qemu32"),
        System::X86_64Linux | System::Other(_) => (QemuBinary::X86_64, "qemu64,-svm"),
    };
    (
        binary,
        target.cpu.clone().unwrap_or_else(|| plain.to_owned()),
    )
}
