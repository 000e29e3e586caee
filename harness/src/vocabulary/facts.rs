use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{DiskBus, ElfClass, StorePath, System};

/// What the files of a closure say, read once on the host; all that checks and reports know of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosureFacts {
    pub toplevel: StorePath,
    /// `toplevel/nixos-version`.
    pub nixos_version: Option<String>,
    /// `toplevel/system`: the platform of the kernel, and of nothing else.
    pub system: Option<System>,
    /// What the kernel image itself says it is.
    pub kernel: Option<System>,
    /// The kernel's version string, such as `6.1.0-44-amd64`, from the image's header.
    pub kernel_version: Option<String>,
    /// Class of the systemd that stage 2 starts.
    pub userland: Option<ElfClass>,
    /// `toplevel/kernel-params`, without `init=`.
    pub kernel_params: Vec<String>,
    /// Disk and virtio drivers that the initrd carries or the kernel has built in.
    pub initrd_drivers: Vec<DiskDriver>,
    /// File systems that stage 1 can mount a root of, by module name, of those that bootproof knows; `None` where they could not be read.
    #[serde(default)]
    pub initrd_file_systems: Option<Vec<String>>,
    /// The kernel modules that the initrd carries; `None` where a part of it could not be read.
    #[serde(default)]
    pub initrd_modules: Option<InitrdModules>,
    /// Where the initrd is cut short or corrupt.
    #[serde(default)]
    pub initrd_damage: Option<InitrdDamage>,
    /// The device that stage 1 itself mounts as the root, as the initrd has it; `None` where it does not tell.
    #[serde(default)]
    pub stage_1_root: Option<String>,
    /// Module names (with `_`) that `kernel-modules` offers to the running system, of those that a VM's devices need.
    pub system_drivers: Vec<String>,
    pub boot_loader: BootLoader,
    /// The closure's fstab, in order, pseudo file systems left out.
    pub file_systems: Vec<FileSystem>,
    /// The network interfaces that are configured by their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interfaces: Vec<Interface>,
    /// Every listener × virtual host × location of the closure's nginx configuration worth probing.
    pub http: Vec<HttpEndpoint>,
    /// For each service unit, the class of the executable that its first `ExecStart` names (scripts: of their interpreter).
    pub unit_executables: BTreeMap<String, ElfClass>,
    /// What could not be read, for the report: the subject, then why.
    pub unreadable: Vec<(String, String)>,
}

/// A network interface that a closure configures by its name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interface {
    pub name: String,
    /// Static ones, such as `192.0.2.10/24`.
    pub addresses: Vec<String>,
    /// An IPv4 address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// The hardware address by which the closure finds the card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
}

impl ClosureFacts {
    /// Whether the kernel writes to the first serial port when the closure's own bootloader starts it.
    pub fn has_serial_console(&self) -> bool {
        self.kernel_params
            .iter()
            .filter_map(|p| p.strip_prefix("console="))
            .any(|c| c == "ttyS0" || c.starts_with("ttyS0,"))
    }
}

/// A driver for the disk of a VM, as its kernel module is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiskDriver {
    VirtioBlk,
    VirtioScsi,
    Ahci,
    Nvme,
}

impl DiskDriver {
    /// The bus that this driver serves.
    pub fn bus(self) -> DiskBus {
        match self {
            Self::VirtioBlk => DiskBus::Virtio,
            Self::VirtioScsi => DiskBus::Scsi,
            Self::Ahci => DiskBus::Sata,
            Self::Nvme => DiskBus::Nvme,
        }
    }
}

/// The kernel modules that stage 1 finds in the initrd.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InitrdModules {
    /// The directories below `lib/modules`: versions of kernels.
    pub versions: BTreeSet<String>,
    /// Module names, with `_`.
    pub names: BTreeSet<String>,
}

/// How an initrd ends where it is not whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InitrdDamage {
    /// What the reader met.
    pub reason: String,
    /// Whether the archive that has `/init` ended before it.
    pub init_is_whole: bool,
}

/// Which bootloader the closure's `switch-to-configuration` installs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum BootLoader {
    /// GRUB on the named BIOS devices (`nodev` left out).
    Grub {
        devices: Vec<String>,
        efi: bool,
    },
    SystemdBoot,
    /// Any other, or none.
    Other {
        name: String,
    },
}

/// One line of fstab(5) that names a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSystem {
    /// The first field as written: `/dev/disk/by-label/nixos`, `LABEL=nixos`, `/dev/vda1`.
    pub device: String,
    /// The mount point; `none` for swap.
    pub mount_point: String,
    pub fs_type: String,
    pub options: Vec<String>,
}

impl FileSystem {
    /// Whether a boot goes on when this file system is absent.
    pub fn is_optional(&self) -> bool {
        self.options.iter().any(|o| o == "nofail" || o == "noauto")
    }
}

/// An address and port that nginx listens on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// `None` for every address; otherwise as written, without the port.
    pub address: Option<String>,
    pub port: u16,
    pub tls: bool,
}

/// One thing to ask nginx for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpEndpoint {
    pub listener: Listener,
    /// The `Host` to send: a `server_name`, or `localhost` for a server without a usable one.
    pub server_name: String,
    /// The path to ask for, beginning with `/`.
    pub path: String,
    /// Where nginx passes it on, as written: `http://127.0.0.1:8081`, or `None` where nginx answers itself.
    pub upstream: Option<String>,
}

impl HttpEndpoint {
    /// `http://alpha.example/path`, with the port where it is not the scheme's own.
    pub fn url(&self) -> String {
        let Listener { port, tls, .. } = self.listener;
        let (scheme, own_port) = if tls { ("https", 443) } else { ("http", 80) };
        let port = if port == own_port {
            String::new()
        } else {
            format!(":{port}")
        };
        format!("{scheme}://{}{port}{}", self.server_name, self.path)
    }
}
