//! What a machine is made of, and the QEMU command line that makes it: a pure function.

use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use super::firmware::Uefi;
use super::shell::SHELL_PORT_NAME;
use crate::vocabulary::{Accelerator, DiskBus};

/// A virtual machine as QEMU is asked for it.
#[derive(Debug, Clone)]
pub struct MachineSpec {
    pub binary: QemuBinary,
    pub accelerator: Accelerator,
    /// A QEMU CPU model with its flags.
    pub cpu: String,
    pub cores: u32,
    pub memory_mib: u32,
    /// `None` for SeaBIOS.
    pub uefi: Option<Arc<Uefi>>,
    pub disk_bus: DiskBus,
    /// The format of the image behind the disk's file descriptor: `raw` or `qcow2`.
    pub disk_format: &'static str,
    /// Whether all that is written to the disk is logged too.
    pub write_log: bool,
    /// Whether what is written to the disk is forgotten with the machine.
    pub throwaway: bool,
    pub network_card: NetworkCard,
    /// Where the card is put; `None` leaves it to QEMU.
    pub card_place: Option<CardPlace>,
    pub mac: Option<String>,
    /// `None` for QEMU's own, where the guest has its address by DHCP.
    pub subnet: Option<Subnet>,
    pub forwards: Vec<Forward>,
    pub boot: BootSource,
    /// A reset ends QEMU instead of starting the guest again.
    pub no_reboot: bool,
}

/// Which emulator runs the guest: decided by the target machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QemuBinary {
    X86_64,
    I386,
}

impl QemuBinary {
    pub fn program(self) -> &'static str {
        match self {
            Self::X86_64 => "qemu-system-x86_64",
            Self::I386 => "qemu-system-i386",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkCard {
    Virtio,
    E1000,
    E1000e,
}

/// Where on the machine's PCI buses a card is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardPlace {
    /// This slot of bus 0.
    Bus0(u8),
    /// Behind a port, as the only card of this bus.
    Port(u8),
    /// In the hotplug slot of this number.
    HotplugSlot(u8),
    /// The firmware's tables call it the card of this number.
    Onboard(u8),
}

/// An IPv4 network with a guest that has its address by its own configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnet {
    pub network: Ipv4Addr,
    pub prefix: u8,
    pub guest: Ipv4Addr,
    /// The gateway: QEMU itself.
    pub host: Ipv4Addr,
    pub dns: Ipv4Addr,
}

/// A TCP port of the guest that the host can reach on a loopback port which QEMU chooses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    pub guest_port: u16,
}

#[derive(Debug, Clone)]
pub enum BootSource {
    /// Firmware, then whatever the disk says.
    Disk,
    /// QEMU's own loader starts this kernel.
    Kernel {
        kernel: PathBuf,
        initrd: PathBuf,
        command_line: String,
    },
}

/// The file descriptors that the QEMU process inherits, by the number that they have there.
#[derive(Debug, Clone, Copy)]
pub struct ChildFds {
    pub qmp: i32,
    pub console: i32,
    pub shell_virtio: i32,
    pub shell_serial: i32,
    pub disk: i32,
    pub firmware: i32,
    pub firmware_variables: i32,
    /// For the log of what is written to it, where there is one.
    pub write_log: i32,
}

/// The numbers that every QEMU of ours uses, so that equal machines have equal command lines.
pub(super) const CHILD_FDS: ChildFds = ChildFds {
    qmp: 3,
    console: 4,
    shell_virtio: 5,
    shell_serial: 6,
    disk: 7,
    firmware: 8,
    firmware_variables: 9,
    write_log: 10,
};

/// The arguments of the QEMU process, without the program itself.
///
/// Everything reaches QEMU by inherited descriptors: there is no socket in the file system that could outlive the run.
pub fn argv(spec: &MachineSpec, fds: ChildFds) -> Vec<OsString> {
    let mut args: Vec<OsString> = Vec::new();
    let mut push = |option: &str, value: String| {
        args.push(option.into());
        args.push(value.into());
    };
    let with_smm = spec.uefi.as_ref().is_some_and(|uefi| uefi.smm);
    push(
        "-machine",
        format!("q35{}", if with_smm { ",smm=on" } else { "" }),
    );
    push("-accel", accelerator(spec.accelerator));
    push("-cpu", spec.cpu.clone());
    push("-smp", spec.cores.to_string());
    push("-m", format!("{}M", spec.memory_mib));
    push("-display", "none".to_owned());
    push("-vga", "std".to_owned());
    push("-rtc", "base=utc".to_owned());

    if spec.uefi.is_some() {
        let flash = "if=pflash,format=raw,unit";
        let (code, variables) = (fds.firmware, fds.firmware_variables);
        push(
            "-drive",
            format!("{flash}=0,readonly=on,file=/dev/fd/{code}"),
        );
        push("-drive", format!("{flash}=1,file=/dev/fd/{variables}"));
    }
    if with_smm {
        // Nobody but the firmware may write its variables, and it does not sleep (edk2's OvmfPkg/README, "SMM support").
        push(
            "-global",
            "driver=cfi.pflash01,property=secure,value=on".to_owned(),
        );
        push("-global", "ICH9-LPC.disable_s3=1".to_owned());
    }

    // Before all other devices, so that none of them takes its place.
    let devices = placed_card(spec);
    for device in &devices {
        push("-device", device.clone());
    }
    if let Some(CardPlace::HotplugSlot(_)) = spec.card_place {
        // By ACPI every port would have a slot of its own numbering.
        push(
            "-global",
            "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off".to_owned(),
        );
    }

    push("-chardev", socket("qmp", fds.qmp));
    push("-mon", "chardev=qmp,mode=control".to_owned());
    push("-chardev", socket("console", fds.console));
    push("-serial", "chardev:console".to_owned());
    push("-chardev", socket("shell-serial", fds.shell_serial));
    push("-serial", "chardev:shell-serial".to_owned());
    push("-chardev", socket("shell-virtio", fds.shell_virtio));
    push("-device", "virtio-serial-pci".to_owned());
    push(
        "-device",
        format!("virtserialport,chardev=shell-virtio,name={SHELL_PORT_NAME}"),
    );
    push("-device", "virtio-rng-pci".to_owned());

    push("-drive", drive(spec, fds));
    for device in disk_devices(spec.disk_bus) {
        // QEMU before 9.0 mixes what it logs up where zeroes are written without their bytes (`block/blklogwrites.c`).
        let plain = if spec.write_log && device.starts_with("virtio-blk") {
            ",write-zeroes=off"
        } else {
            ""
        };
        push("-device", format!("{device}{plain}"));
    }
    push("-netdev", netdev(&spec.forwards, spec.subnet.as_ref()));
    if devices.is_empty() {
        push("-device", card_device(spec, ""));
    }
    if let BootSource::Kernel {
        kernel,
        initrd,
        command_line,
    } = &spec.boot
    {
        push("-append", command_line.clone());
        args.push("-kernel".into());
        args.push(kernel.into());
        args.push("-initrd".into());
        args.push(initrd.into());
    }
    if spec.no_reboot {
        args.push("-no-reboot".into());
    }
    args.extend(["-nodefaults".into(), "-no-user-config".into()]);
    args
}

/// The whole command line, for the recording.
pub fn argv_text(spec: &MachineSpec) -> Vec<String> {
    let program = std::iter::once(spec.binary.program().to_owned());
    let args = argv(spec, CHILD_FDS);
    program
        .chain(args.iter().map(|a| a.to_string_lossy().into_owned()))
        .collect()
}

fn accelerator(accelerator: Accelerator) -> String {
    match accelerator {
        Accelerator::Kvm => "kvm".to_owned(),
        Accelerator::Tcg => "tcg,thread=multi,tb-size=256".to_owned(),
    }
}

fn socket(id: &str, fd: i32) -> String {
    format!("socket,id={id},fd={fd},server=off")
}

/// A log takes each write when the disk has finished it, and each flush of the guest's (QEMU's `blklogwrites`).
fn drive(spec: &MachineSpec, fds: ChildFds) -> String {
    let (disk, format) = (fds.disk, spec.disk_format);
    let image = if spec.write_log {
        format!(
            "driver=blklogwrites,file.driver={format},file.file.driver=file,file.file.filename=/dev/fd/{disk},log.driver=file,\
             log.filename=/dev/fd/{},log.cache.no-flush=on",
            fds.write_log
        )
    } else {
        format!("file=/dev/fd/{disk},format={format}")
    };
    let forgotten = if spec.throwaway { ",snapshot=on" } else { "" };
    format!("id=disk,if=none,{image},cache=writeback,discard=unmap{forgotten}")
}

/// The controller and the disk on it; the first disk of each bus has the name that `DiskBus::device` tells.
fn disk_devices(bus: DiskBus) -> &'static [&'static str] {
    match bus {
        DiskBus::Virtio => &["virtio-blk-pci,drive=disk,bootindex=1"],
        // The q35 chipset has an AHCI controller of its own, bus `ide`.
        DiskBus::Sata => &["ide-hd,bus=ide.0,drive=disk,bootindex=1"],
        DiskBus::Scsi => &[
            "virtio-scsi-pci,id=scsi",
            "scsi-hd,bus=scsi.0,drive=disk,bootindex=1",
        ],
        DiskBus::Nvme => &["nvme,drive=disk,serial=bootproof,bootindex=1"],
    }
}

fn card(card: NetworkCard) -> &'static str {
    match card {
        NetworkCard::Virtio => "virtio-net-pci",
        NetworkCard::E1000 => "e1000",
        NetworkCard::E1000e => "e1000e",
    }
}

fn card_device(spec: &MachineSpec, place: &str) -> String {
    let mac = spec.mac.as_ref().map(|mac| format!(",mac={mac}"));
    let card = card(spec.network_card);
    format!("{card},netdev=net{place}{}", mac.unwrap_or_default())
}

/// The card, with the ports that lead to it, where it has a place of its own.
fn placed_card(spec: &MachineSpec) -> Vec<String> {
    let port = |number: u8, slot: u8| {
        format!("pcie-root-port,id=port{number},bus=pcie.0,chassis={number},slot={slot}")
    };
    match spec.card_place {
        None => Vec::new(),
        Some(CardPlace::Bus0(slot)) => {
            vec![card_device(spec, &format!(",bus=pcie.0,addr={slot:#x}"))]
        }
        Some(CardPlace::Onboard(index)) => vec![card_device(spec, &format!(",acpi-index={index}"))],
        Some(CardPlace::HotplugSlot(slot)) => {
            vec![port(1, slot), card_device(spec, ",bus=port1")]
        }
        // Buses are numbered as the ports come.
        Some(CardPlace::Port(bus)) => {
            let ports = (1..=bus).map(|number| port(number, 0));
            let card = card_device(spec, &format!(",bus=port{bus}"));
            ports.chain([card]).collect()
        }
    }
}

/// User-mode networking that lets nothing out; QEMU picks the host's ports, so that two runs never compete for one.
fn netdev(forwards: &[Forward], subnet: Option<&Subnet>) -> String {
    let mut text = "user,id=net,restrict=on".to_owned();
    let mut guest = String::new();
    if let Some(subnet) = subnet {
        let Subnet {
            network,
            prefix,
            host,
            dns,
            ..
        } = subnet;
        guest = subnet.guest.to_string();
        text.push_str(&format!(
            ",net={network}/{prefix},host={host},dns={dns},dhcpstart={guest}"
        ));
    }
    for Forward { guest_port } in forwards {
        text.push_str(&format!(",hostfwd=tcp:127.0.0.1:0-{guest}:{guest_port}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> MachineSpec {
        MachineSpec {
            binary: QemuBinary::X86_64,
            accelerator: Accelerator::Tcg,
            cpu: "qemu64,-svm".to_owned(),
            cores: 2,
            memory_mib: 1024,
            uefi: None,
            disk_bus: DiskBus::Virtio,
            disk_format: "qcow2",
            write_log: false,
            throwaway: false,
            network_card: NetworkCard::Virtio,
            card_place: None,
            mac: None,
            subnet: None,
            forwards: vec![Forward { guest_port: 80 }],
            boot: BootSource::Disk,
            no_reboot: false,
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
            write_log: true,
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
    fn nothing_of_the_harness_is_a_path_in_the_file_system() {
        assert!(!text(&spec()).contains("path="));
    }
}
