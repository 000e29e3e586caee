//! What a machine said of itself.

use std::collections::BTreeMap;

use crate::fold::Unit;
use crate::next_boot::NextBoot;
use crate::vocabulary::{ElfClass, System};

/// A live machine as the scripts saw it; `None` and absent entries are what could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// The running kernel, by `uname -m`.
    pub kernel: Option<System>,
    /// `uname -r`.
    pub release: Option<String>,
    pub boot_id: Option<String>,
    pub uptime_seconds: Option<u64>,
    /// Whether the script ran as root, who can read everything.
    pub as_root: bool,
    /// Toplevels: what `/run/booted-system`, `/run/current-system` and the system profile lead to.
    pub booted: Option<String>,
    pub current: Option<String>,
    pub profile: Option<String>,
    /// What differs between the booted and the current system that only a boot can change: `kernel`, `initrd`, `kernel-modules`.
    pub reboot_for: Vec<&'static str>,
    /// The answer of `systemctl is-system-running`.
    pub system_state: Option<String>,
    /// What the next boot will start, or why it is not known.
    pub next: Result<NextBoot, String>,
    /// The platform of the kernel that its entry loads, or, where that cannot be read, of its toplevel's.
    pub next_kernel: Option<System>,
    pub toplevels: BTreeMap<String, Toplevel>,
    /// Specialisations of the next boot's toplevel: their toplevels by name.
    pub specialisations: BTreeMap<String, String>,
    /// The services that the next boot's toplevel has, by name; `None` where they could not be listed.
    pub services: Option<BTreeMap<String, Service>>,
    /// Units of all kinds at two times.
    pub units_first: Option<BTreeMap<String, Unit>>,
    pub units_last: Option<BTreeMap<String, Unit>>,
    /// Bytes that are free on the file system of `/boot`.
    pub boot_free: Option<u64>,
    /// What could not be read: the subject, then why.
    pub unreadable: Vec<(String, String)>,
}

/// What a toplevel is built for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Toplevel {
    /// Whether its `init` is there; `None` where that was not told.
    pub is_there: Option<bool>,
    /// The file `system`.
    pub system: Option<System>,
    /// What the kernel image says of itself.
    pub kernel: Option<System>,
    /// The class of its systemd.
    pub userland: Option<ElfClass>,
    /// Kernel and initrd together, in bytes.
    pub boot_bytes: Option<u64>,
}

impl Machine {
    /// The toplevel that the next boot starts: what its entry names, or, where that is not known, what the profile leads to.
    pub fn next_toplevel(&self) -> Option<&str> {
        match &self.next {
            Ok(next) => next.toplevel.as_deref(),
            Err(_) => self.profile.as_deref(),
        }
    }

    /// What is known of a toplevel.
    pub fn of(&self, toplevel: Option<&str>) -> Option<&Toplevel> {
        self.toplevels.get(toplevel?)
    }
}

impl Toplevel {
    /// By its image, and where that is of a form that bootproof does not read, by `system`.
    pub fn platform(&self) -> Option<&System> {
        self.kernel.as_ref().or(self.system.as_ref())
    }
}

/// A service of the next boot, with what its starting commands execute.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Service {
    /// Whether a target's directory pulls it in.
    pub wanted: bool,
    /// Whether it may be skipped by `Condition…=` or `Assert…=`.
    pub conditional: bool,
    /// Programs that must start for it to start, in order of their commands: what is executed at last, behind scripts.
    pub programs: Vec<Program>,
}

/// The end of a command: what the kernel loads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// `ExecStart` or `ExecStartPre`.
    pub key: String,
    pub path: String,
    pub image: Image,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Image {
    Elf(ElfClass),
    Missing,
    /// Neither ELF nor script, or not readable.
    Unknown,
}
