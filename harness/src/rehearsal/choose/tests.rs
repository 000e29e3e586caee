use super::super::devices::processor;
use super::*;
use crate::vm::QemuBinary;
use crate::vocabulary::{DiskBus, DiskDriver, FileSystem, StorePath};

fn facts(devices: &[&str], drivers: &[DiskDriver]) -> ClosureFacts {
    ClosureFacts {
        toplevel: StorePath::parse("/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-nixos-system-web")
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
