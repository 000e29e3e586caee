//! Decides what machine the closures are rehearsed on. Pure; each decision leaves a sentence for the report.

use jiff::civil::Date;

use super::devices::{disk_bus, firmware, foreign_devices, network_card};
use super::network::network;
use crate::image::{self, UnsupportedDisk};
use crate::vocabulary::{
    BootLoader, ByHand, ClosureFacts, Downtime, FORMAT_VERSION, Firmware, Hold, Plan, Probe,
    Seeded, Specialisation, Step, Suppression, System, TargetMachine, Times,
};

/// What the user and the closures say.
#[derive(Debug, Clone)]
pub struct Inputs {
    pub candidate: ClosureFacts,
    pub baseline: Option<ClosureFacts>,
    /// The candidate's, by name, and those that cannot be booted, with why.
    pub specialisations: Vec<Specialisation>,
    pub specialisations_left_out: Vec<(String, String)>,
    pub target: TargetMachine,
    /// The expected system, and who expects it.
    pub expect_system: Option<(System, String)>,
    pub steps: Vec<Step>,
    pub side_by_side: bool,
    pub scenario: Option<String>,
    pub lab: bool,
    pub hold: Option<Hold>,
    pub by_hand: Vec<ByHand>,
    pub seeded: Vec<Seeded>,
    pub probes: Vec<Probe>,
    pub downtime: Downtime,
    pub suppressions: Vec<Suppression>,
    pub times: Times,
    /// In UTC.
    pub today: Date,
}

/// How the guest's kernel comes to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BootRoute {
    /// Firmware, then the bootloader from the disk, installed by the closure itself.
    Bootloader,
    /// QEMU starts the kernel, because of the reason given.
    Direct { reason: String },
}

/// How long each state is watched, in seconds: the outage's services restarted every two.
const WINDOW_SECONDS: u32 = 12;

/// Makes the plan.
pub fn plan(inputs: Inputs) -> Plan {
    let Inputs {
        candidate,
        baseline,
        specialisations,
        mut specialisations_left_out,
        target,
        expect_system,
        steps,
        side_by_side,
        scenario,
        lab,
        hold,
        by_hand,
        seeded,
        probes,
        downtime,
        times,
        suppressions,
        today,
    } = inputs;
    let mut choices = Vec::new();
    let installed = baseline.as_ref().unwrap_or(&candidate);
    let disk_bus = disk_bus(&target, installed, &candidate, &mut choices);
    let firmware = firmware(&target, installed, &mut choices);
    let mut bootable = Vec::new();
    for specialisation in specialisations {
        // What a disk for the other two cannot be made for is told when it is made.
        match image::layout(installed, &specialisation.closure, disk_bus, firmware) {
            Err(needed @ UnsupportedDisk::Needed { .. }) => {
                specialisations_left_out.push((specialisation.name, needed.to_string()));
            }
            _ => bootable.push(specialisation),
        }
    }
    for (device, bus_device) in foreign_devices(installed, &candidate, disk_bus) {
        choices.push(format!(
            "GRUB's device {device} is no name that the VM's disk can have: it is made a link to {bus_device} in the guest"
        ));
    }
    if !seeded.is_empty() {
        let paths: Vec<&str> = seeded.iter().map(|seeded| seeded.path.as_str()).collect();
        choices.push(format!(
            "the configuration's files were put on the test disk: {}",
            paths.join(", ")
        ));
    }
    let (expect_system, expected_by) = expect_system
        .or_else(|| {
            let system = baseline.as_ref()?.system.clone()?;
            Some((system, "the baseline".to_owned()))
        })
        .or_else(|| Some((candidate.system.clone()?, "the candidate itself".to_owned())))
        .unwrap_or_else(|| (target.system.clone(), "the target machine".to_owned()));
    let plan = Plan {
        format_version: FORMAT_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        scenario,
        lab,
        candidate,
        baseline,
        specialisations: bootable,
        specialisations_left_out,
        expect_system,
        expected_by,
        target,
        disk_bus,
        firmware,
        choices,
        steps,
        side_by_side,
        window_seconds: times.window_seconds.unwrap_or(WINDOW_SECONDS),
        start_seconds: times.start_seconds,
        hold,
        by_hand,
        seeded,
        probes,
        downtime,
        suppressions,
        rehearsed_on: Some(today),
    };
    let card = network_card(&plan).1;
    let network = network(&plan).choices;
    Plan {
        choices: [plan.choices.clone(), card.into_iter().collect(), network].concat(),
        ..plan
    }
}

/// The steps of a run that names none.
pub fn default_steps(with_baseline: bool) -> Vec<Step> {
    if with_baseline {
        vec![Step::Boot, Step::Switch, Step::WarmReboot]
    } else {
        vec![Step::Boot, Step::WarmReboot]
    }
}

/// Whether the closure's own bootloader can be installed on the test disk.
pub fn boot_route(plan: &Plan) -> BootRoute {
    let closures = plan.baseline.iter().chain([&plan.candidate]);
    for facts in closures {
        let reason = match (&facts.boot_loader, plan.firmware) {
            (BootLoader::Grub { devices, .. }, Firmware::Bios) if !devices.is_empty() => continue,
            (BootLoader::Grub { efi: true, .. } | BootLoader::SystemdBoot, Firmware::Uefi) => {
                continue;
            }
            (BootLoader::Grub { efi: true, .. }, Firmware::Bios) => {
                "GRUB for UEFI, which a BIOS does not start".to_owned()
            }
            (BootLoader::Grub { .. }, Firmware::Bios) => {
                "GRUB without a device to install it on".to_owned()
            }
            (BootLoader::Grub { .. }, Firmware::Uefi) => {
                "GRUB for BIOS, which UEFI does not start".to_owned()
            }
            (BootLoader::SystemdBoot, Firmware::Bios) => {
                "systemd-boot, which a BIOS does not start".to_owned()
            }
            (BootLoader::Other { name }, _) => format!("another bootloader ({name})"),
        };
        return BootRoute::Direct {
            reason: format!(
                "{} has {reason}: bootproof rehearses GRUB, and systemd-boot under UEFI, so far, and started the kernel directly",
                facts.toplevel.name()
            ),
        };
    }
    BootRoute::Bootloader
}

#[cfg(test)]
mod tests {
    use super::super::devices::processor;
    use super::*;
    use crate::vm::QemuBinary;
    use crate::vocabulary::{DiskBus, DiskDriver, FileSystem, StorePath};

    fn facts(devices: &[&str], drivers: &[DiskDriver]) -> ClosureFacts {
        ClosureFacts {
            toplevel: StorePath::parse(
                "/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-nixos-system-web",
            )
            .unwrap(),
            nixos_version: None,
            system: Some(System::X86_64Linux),
            kernel: None,
            kernel_version: None,
            userland: None,
            kernel_params: vec!["console=ttyS0".to_owned()],
            initrd_drivers: drivers.to_vec(),
            initrd_file_systems: None,
            initrd_modules: None,
            initrd_damage: None,
            stage_1_root: None,
            system_drivers: vec!["virtio_net".to_owned()],
            boot_loader: BootLoader::Grub {
                devices: devices.iter().map(|d| (*d).to_owned()).collect(),
                efi: false,
            },
            file_systems: Vec::new(),
            interfaces: Vec::new(),
            http: Vec::new(),
            unit_executables: Default::default(),
            unreadable: Vec::new(),
        }
    }

    fn plan_of(candidate: ClosureFacts, baseline: Option<ClosureFacts>) -> Plan {
        plan(inputs_of(candidate, baseline))
    }

    fn inputs_of(candidate: ClosureFacts, baseline: Option<ClosureFacts>) -> Inputs {
        Inputs {
            candidate,
            baseline,
            specialisations: Vec::new(),
            specialisations_left_out: Vec::new(),
            target: TargetMachine::default(),
            expect_system: None,
            steps: default_steps(true),
            side_by_side: false,
            scenario: None,
            lab: false,
            hold: None,
            by_hand: Vec::new(),
            seeded: Vec::new(),
            probes: Vec::new(),
            downtime: Downtime::default(),
            times: Times::default(),
            suppressions: Vec::new(),
            today: Date::constant(2026, 11, 22),
        }
    }

    #[test]
    fn the_name_of_grubs_device_and_the_initrd_choose_the_bus() {
        let all = [DiskDriver::VirtioBlk, DiskDriver::Ahci, DiskDriver::Nvme];
        assert_eq!(
            plan_of(facts(&["/dev/vda"], &all), None).disk_bus,
            DiskBus::Virtio
        );
        assert_eq!(
            plan_of(facts(&["/dev/sda"], &all), None).disk_bus,
            DiskBus::Sata
        );
        assert_eq!(
            plan_of(facts(&["/dev/nvme0n1"], &all), None).disk_bus,
            DiskBus::Nvme
        );
        let scsi = [DiskDriver::VirtioScsi];
        assert_eq!(
            plan_of(facts(&["/dev/sda"], &scsi), None).disk_bus,
            DiskBus::Scsi
        );
    }

    #[test]
    fn the_name_in_the_fstab_chooses_the_bus_where_no_grub_does() {
        let mut candidate = facts(&[], &[DiskDriver::VirtioBlk, DiskDriver::Ahci]);
        candidate.boot_loader = BootLoader::SystemdBoot;
        candidate.file_systems.push(FileSystem {
            device: "/dev/sda2".to_owned(),
            mount_point: "/".to_owned(),
            fs_type: "ext4".to_owned(),
            options: Vec::new(),
        });
        assert_eq!(plan_of(candidate, None).disk_bus, DiskBus::Sata);
    }

    #[test]
    fn an_initrd_without_virtio_gets_a_disk_that_it_drives() {
        let plan = plan_of(facts(&["/dev/xvda"], &[DiskDriver::Ahci]), None);
        assert_eq!(plan.disk_bus, DiskBus::Sata);
        assert!(
            plan.choices
                .iter()
                .any(|c| c.contains("/dev/xvda") && c.contains("/dev/sda"))
        );
    }

    #[test]
    fn what_the_target_machine_says_is_not_overruled() {
        let mut inputs = Inputs {
            candidate: facts(&["/dev/vda"], &[DiskDriver::VirtioBlk]),
            baseline: None,
            specialisations: Vec::new(),
            specialisations_left_out: Vec::new(),
            target: TargetMachine::default(),
            expect_system: None,
            steps: Vec::new(),
            side_by_side: false,
            scenario: None,
            lab: false,
            hold: None,
            by_hand: Vec::new(),
            seeded: Vec::new(),
            probes: Vec::new(),
            downtime: Downtime::default(),
            times: Times::default(),
            suppressions: Vec::new(),
            today: Date::constant(2026, 11, 22),
        };
        inputs.target.disk_bus = Some(DiskBus::Nvme);
        assert_eq!(plan(inputs).disk_bus, DiskBus::Nvme);
    }

    #[test]
    fn the_baseline_is_expected_where_nothing_else_is_said() {
        let mut candidate = facts(&["/dev/vda"], &[DiskDriver::VirtioBlk]);
        candidate.system = Some(System::I686Linux);
        let with = plan_of(candidate.clone(), Some(facts(&["/dev/vda"], &[])));
        assert_eq!(
            (with.expect_system, with.expected_by.as_str()),
            (System::X86_64Linux, "the baseline")
        );
        let without = plan_of(candidate, None);
        assert_eq!(without.expect_system, System::I686Linux);
    }

    #[test]
    fn a_bootloader_that_cannot_be_rehearsed_is_named() {
        let mut candidate = facts(&["/dev/vda"], &[DiskDriver::VirtioBlk]);
        assert_eq!(
            boot_route(&plan_of(candidate.clone(), None)),
            BootRoute::Bootloader
        );
        candidate.boot_loader = BootLoader::Other {
            name: "limine".to_owned(),
        };
        let BootRoute::Direct { reason } = boot_route(&plan_of(candidate, None)) else {
            panic!("limine was taken for GRUB");
        };
        assert!(reason.contains("limine"), "{reason}");
    }

    #[test]
    fn the_bootloader_chooses_the_firmware_and_says_why() {
        let bios = facts(&["/dev/vda"], &[DiskDriver::VirtioBlk]);
        let mut uefi = bios.clone();
        uefi.boot_loader = BootLoader::SystemdBoot;
        let plan = plan_of(uefi.clone(), None);
        assert_eq!(plan.firmware, Firmware::Uefi);
        assert_eq!(boot_route(&plan), BootRoute::Bootloader);
        assert!(
            plan.choices
                .iter()
                .any(|choice| choice.contains("systemd-boot"))
        );
        // What a machine with BIOS runs already does not start what is for UEFI.
        let plan = plan_of(uefi.clone(), Some(bios));
        assert_eq!(plan.firmware, Firmware::Bios);
        assert!(matches!(boot_route(&plan), BootRoute::Direct { .. }));
        uefi.boot_loader = BootLoader::Grub {
            devices: vec!["/dev/vda".to_owned()],
            efi: true,
        };
        assert_eq!(plan_of(uefi.clone(), None).firmware, Firmware::Bios);
        uefi.file_systems.push(FileSystem {
            device: "/dev/disk/by-label/ESP".to_owned(),
            mount_point: "/boot".to_owned(),
            fs_type: "vfat".to_owned(),
            options: Vec::new(),
        });
        assert_eq!(plan_of(uefi, None).firmware, Firmware::Uefi);
    }

    #[test]
    fn an_i686_closure_on_a_64_bit_machine_gets_the_64_bit_emulator() {
        let (binary, cpu) = processor(&TargetMachine::default());
        assert_eq!((binary, cpu.as_str()), (QemuBinary::X86_64, "qemu64,-svm"));
        let old = TargetMachine {
            system: System::I686Linux,
            ..TargetMachine::default()
        };
        assert_eq!(processor(&old).0, QemuBinary::I386);
    }

    #[test]
    fn a_specialisation_that_no_disk_can_be_made_for_is_left_out() {
        let mount = |fs_type: &str, point: &str| FileSystem {
            device: format!("/dev/disk/by-label/{fs_type}"),
            mount_point: point.to_owned(),
            fs_type: fs_type.to_owned(),
            options: Vec::new(),
        };
        let with = |mounts: &[FileSystem]| ClosureFacts {
            file_systems: mounts.to_vec(),
            ..facts(&["/dev/vda"], &[DiskDriver::VirtioBlk])
        };
        let root = mount("ext4", "/");
        let specialisation = |name: &str, closure| Specialisation {
            name: name.to_owned(),
            closure,
        };
        let plan = plan(Inputs {
            specialisations: vec![
                specialisation("pool", with(&[root.clone(), mount("zfs", "/tank")])),
                specialisation("work", with(&[root.clone(), mount("ext4", "/work")])),
            ],
            ..inputs_of(with(&[root]), None)
        });
        let names: Vec<&str> = plan
            .specialisations
            .iter()
            .map(|s| s.name.as_str())
            .collect();
        assert_eq!(names, ["work"]);
        let (name, reason) = &plan.specialisations_left_out[0];
        assert!(name == "pool" && reason.contains("/tank"), "{reason}");
    }
}
