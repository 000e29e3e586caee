use std::net::Ipv4Addr;
use std::sync::Arc;

use super::*;
use crate::vm::Uefi;

fn spec() -> MachineSpec {
    MachineSpec {
        disk_format: "qcow2",
        cores: 2,
        memory_mib: 1024,
        forwards: vec![Forward { guest_port: 80 }],
        ..MachineSpec::smallest()
    }
}

fn text(spec: &MachineSpec) -> String {
    argv(spec, CHILD_FDS)
        .iter()
        .map(|a| a.to_str().unwrap())
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn no_traffic_leaves_the_machine() {
    let text = text(&spec());
    assert!(text.contains("-netdev user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:0-:80"));
    assert!(text.contains("-nodefaults"));
}

#[test]
fn a_machine_that_boots_from_disk_is_given_no_kernel() {
    let mut spec = spec();
    assert!(!text(&spec).contains("-kernel"));
    spec.boot = BootSource::Kernel {
        kernel: "/k".into(),
        initrd: "/i".into(),
        command_line: "init=/x console=ttyS0".to_owned(),
    };
    assert!(text(&spec).contains("-append init=/x console=ttyS0 -kernel /k -initrd /i"));
}

#[test]
fn each_bus_has_a_disk_that_boots_first() {
    for bus in [DiskBus::Virtio, DiskBus::Sata, DiskBus::Scsi, DiskBus::Nvme] {
        let spec = MachineSpec {
            disk_bus: bus,
            ..spec()
        };
        assert!(text(&spec).contains("drive=disk") && text(&spec).contains("bootindex=1"));
    }
}

#[test]
fn a_card_with_a_place_comes_before_what_would_take_it() {
    let with = |place| MachineSpec {
        card_place: Some(place),
        ..spec()
    };
    let bus0 = text(&with(CardPlace::Bus0(3)));
    let card = bus0
        .find("virtio-net-pci,netdev=net,bus=pcie.0,addr=0x3")
        .unwrap();
    assert!(card < bus0.find("virtio-serial-pci").unwrap());
    assert_eq!(bus0.matches("netdev=net").count(), 1);
    let slot = text(&with(CardPlace::HotplugSlot(5)));
    assert!(slot.contains("chassis=1,slot=5") && slot.contains("netdev=net,bus=port1"));
    let port = text(&with(CardPlace::Port(2)));
    assert!(port.contains("id=port2") && port.contains("netdev=net,bus=port2"));
}

#[test]
fn a_guest_with_an_address_of_its_own_is_reached_there() {
    let of = |last| Ipv4Addr::new(192, 0, 2, last);
    let spec = MachineSpec {
        subnet: Some(Subnet {
            network: of(0),
            prefix: 24,
            guest: of(10),
            host: of(1),
            dns: of(2),
        }),
        mac: Some("52:54:00:00:00:05".to_owned()),
        ..spec()
    };
    let text = text(&spec);
    assert!(text.contains("net=192.0.2.0/24,host=192.0.2.1"));
    assert!(text.contains("hostfwd=tcp:127.0.0.1:0-192.0.2.10:80"));
    assert!(text.contains("virtio-net-pci,netdev=net,mac=52:54:00:00:00:05"));
}

#[test]
fn only_a_machine_with_uefi_has_flash_and_its_code_is_never_written() {
    assert!(!text(&spec()).contains("pflash"));
    let with = |smm| MachineSpec {
        uefi: Some(Arc::new(Uefi {
            code: tempfile::tempfile().unwrap(),
            variables: tempfile::tempfile().unwrap(),
            smm,
        })),
        ..spec()
    };
    let plain = text(&with(false));
    assert!(plain.contains("unit=0,readonly=on,file=/dev/fd/8"));
    assert!(plain.contains("unit=1,file=/dev/fd/9") && !plain.contains("smm=on"));
    assert!(text(&with(true)).contains("-machine q35,smm=on"));
}

#[test]
fn what_is_written_is_logged_where_that_is_wanted() {
    assert!(text(&spec()).contains("file=/dev/fd/7,format=qcow2,cache=writeback"));
    let logged = MachineSpec {
        write_log: Some(WriteLog::New),
        ..spec()
    };
    assert!(text(&logged).contains("driver=blklogwrites,file.driver=qcow2"));
    assert!(text(&logged).contains("log.filename=/dev/fd/10"));
    let throwaway = MachineSpec {
        throwaway: true,
        disk_format: "raw",
        ..spec()
    };
    assert!(text(&throwaway).contains("format=raw,cache=writeback,discard=unmap,snapshot=on"));
}

#[test]
fn a_machine_that_goes_on_writes_its_log_on() {
    let resumed = MachineSpec {
        write_log: Some(WriteLog::Continued),
        resumes: true,
        ..spec()
    };
    let text = text(&resumed);
    assert!(text.contains("log.cache.no-flush=on,log-append=on,cache=writeback"));
    assert!(text.contains("-incoming defer"));
    assert!(!super::argv_text(&spec()).join(" ").contains("-incoming"));
}

#[test]
fn nothing_of_the_harness_is_a_path_in_the_file_system() {
    assert!(!text(&spec()).contains("path="));
}
