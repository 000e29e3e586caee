//! What a machine is made of.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use super::firmware::Uefi;
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
    pub write_log: Option<WriteLog>,
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
    /// The machine goes on as a saved one was, instead of being powered on.
    pub resumes: bool,
}

#[cfg(test)]
impl MachineSpec {
    /// A machine for tests, with an empty raw disk.
    pub(super) fn smallest() -> Self {
        Self {
            binary: QemuBinary::X86_64,
            accelerator: Accelerator::Tcg,
            cpu: "qemu64,-svm".to_owned(),
            cores: 1,
            memory_mib: 32,
            uefi: None,
            disk_bus: DiskBus::Virtio,
            disk_format: "raw",
            write_log: None,
            throwaway: false,
            network_card: NetworkCard::Virtio,
            card_place: None,
            mac: None,
            subnet: None,
            forwards: Vec::new(),
            boot: BootSource::Disk,
            no_reboot: false,
            resumes: false,
        }
    }
}

/// The log of what a machine writes to its disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteLog {
    New,
    /// One that another machine began.
    Continued,
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
