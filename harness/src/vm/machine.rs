//! What a machine is made of, and the QEMU command line that makes it: a pure function.

use std::ffi::OsString;
use std::path::PathBuf;

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
    pub disk_bus: DiskBus,
    /// The format of the image behind the disk's file descriptor: `raw` or `qcow2`.
    pub disk_format: &'static str,
    pub network_card: NetworkCard,
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
}

/// The numbers that every QEMU of ours uses, so that equal machines have equal command lines.
pub(super) const CHILD_FDS: ChildFds = ChildFds {
    qmp: 3,
    console: 4,
    shell_virtio: 5,
    shell_serial: 6,
    disk: 7,
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
    push("-machine", "q35".to_owned());
    push("-accel", accelerator(spec.accelerator));
    push("-cpu", spec.cpu.clone());
    push("-smp", spec.cores.to_string());
    push("-m", format!("{}M", spec.memory_mib));
    push("-display", "none".to_owned());
    push("-vga", "std".to_owned());
    push("-rtc", "base=utc".to_owned());

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

    push(
        "-drive",
        format!(
            "id=disk,if=none,file=/dev/fd/{},format={},cache=writeback,discard=unmap",
            fds.disk, spec.disk_format
        ),
    );
    for device in disk_devices(spec.disk_bus) {
        push("-device", (*device).to_owned());
    }
    push("-netdev", netdev(&spec.forwards));
    push("-device", format!("{},netdev=net", card(spec.network_card)));
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

/// User-mode networking that lets nothing out; QEMU picks the host's ports, so that two runs never compete for one.
fn netdev(forwards: &[Forward]) -> String {
    let mut text = "user,id=net,restrict=on".to_owned();
    for Forward { guest_port } in forwards {
        text.push_str(&format!(",hostfwd=tcp:127.0.0.1:0-:{guest_port}"));
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
            disk_bus: DiskBus::Virtio,
            disk_format: "qcow2",
            network_card: NetworkCard::Virtio,
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
    fn nothing_of_the_harness_is_a_path_in_the_file_system() {
        assert!(!text(&spec()).contains("path="));
    }
}
