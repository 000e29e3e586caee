//! The QEMU command line that makes a machine: a pure function.

use std::ffi::OsString;

use super::machine::{BootSource, CardPlace, Forward, MachineSpec, NetworkCard, Subnet, WriteLog};
use super::shell::SHELL_PORT_NAME;
use crate::vocabulary::{Accelerator, DiskBus};

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
    /// For the state of the saved machine, where one is resumed.
    pub state: i32,
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
    state: 11,
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
        let plain = if spec.write_log.is_some() && device.starts_with("virtio-blk") {
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
    if spec.resumes {
        args.extend(["-incoming".into(), "defer".into()]);
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
    let image = match spec.write_log {
        Some(log) => format!(
            "driver=blklogwrites,file.driver={format},file.file.driver=file,file.file.filename=/dev/fd/{disk},log.driver=file,\
             log.filename=/dev/fd/{},log.cache.no-flush=on{}",
            fds.write_log,
            if log == WriteLog::Continued {
                ",log-append=on"
            } else {
                ""
            }
        ),
        None => format!("file=/dev/fd/{disk},format={format}"),
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
mod tests;
