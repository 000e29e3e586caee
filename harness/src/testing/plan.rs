use std::collections::BTreeMap;

use crate::vocabulary::{
    BootLoader, ClosureFacts, DiskBus, DiskDriver, ElfClass, FORMAT_VERSION, Firmware,
    HttpEndpoint, Listener, Plan, Step, StorePath, System, TargetMachine,
};

pub(crate) const BASELINE: &str =
    "/nix/store/1111111111111111111111111111111b-nixos-system-web-24.11";
pub(crate) const CANDIDATE: &str =
    "/nix/store/2222222222222222222222222222222c-nixos-system-web-24.11";

pub(crate) fn endpoint(name: &str, port: u16) -> HttpEndpoint {
    HttpEndpoint {
        listener: Listener {
            address: None,
            port: 80,
            tls: false,
        },
        server_name: format!("{name}.example"),
        path: "/".to_owned(),
        upstream: Some(format!("http://127.0.0.1:{port}")),
    }
}

pub(crate) fn endpoints() -> Vec<HttpEndpoint> {
    vec![
        endpoint("alpha", 8081),
        endpoint("beta", 8082),
        endpoint("gamma", 8083),
    ]
}

/// An x86_64 web server with three backends behind nginx.
pub(crate) fn closure(toplevel: &str) -> ClosureFacts {
    let services = ["alpha", "beta", "gamma", "nginx"];
    ClosureFacts {
        toplevel: StorePath::parse(toplevel).unwrap(),
        nixos_version: Some("24.11.lab".to_owned()),
        system: Some(System::X86_64Linux),
        kernel: Some(System::X86_64Linux),
        kernel_version: Some("6.1.0".to_owned()),
        userland: Some(ElfClass::X86_64),
        kernel_params: vec!["console=ttyS0,115200".to_owned()],
        initrd_drivers: vec![DiskDriver::VirtioBlk],
        initrd_file_systems: None,
        initrd_modules: None,
        initrd_damage: None,
        stage_1_root: None,
        system_drivers: vec!["virtio_net".to_owned()],
        boot_loader: BootLoader::Grub {
            devices: vec!["/dev/vda".to_owned()],
            efi: false,
        },
        file_systems: Vec::new(),
        interfaces: Vec::new(),
        http: endpoints(),
        unit_executables: services
            .iter()
            .map(|s| (format!("{s}.service"), ElfClass::X86_64))
            .collect::<BTreeMap<_, _>>(),
        unreadable: Vec::new(),
    }
}

pub(crate) fn plan() -> Plan {
    Plan {
        format_version: FORMAT_VERSION,
        tool_version: "0.1.0".to_owned(),
        scenario: Some("healthy".to_owned()),
        lab: true,
        candidate: closure(CANDIDATE),
        baseline: Some(closure(BASELINE)),
        specialisations: Vec::new(),
        specialisations_left_out: Vec::new(),
        expect_system: System::X86_64Linux,
        expected_by: "the scenario".to_owned(),
        target: TargetMachine::default(),
        disk_bus: DiskBus::Virtio,
        firmware: Firmware::Bios,
        choices: vec!["the disk is on virtio, which the initrd can drive".to_owned()],
        steps: vec![Step::Boot, Step::Switch, Step::WarmReboot],
        side_by_side: false,
        window_seconds: 10,
        start_seconds: None,
        hold: None,
        by_hand: Vec::new(),
        seeded: Vec::new(),
        probes: Vec::new(),
        downtime: crate::vocabulary::Downtime::default(),
        suppressions: Vec::new(),
        rehearsed_on: "2026-11-22".parse().ok(),
    }
}

pub(crate) fn without_baseline() -> Plan {
    Plan {
        baseline: None,
        steps: vec![Step::Boot, Step::WarmReboot],
        ..plan()
    }
}
