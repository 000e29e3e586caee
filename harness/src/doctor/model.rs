use std::collections::BTreeMap;

use serde::Serialize;

use crate::vocabulary::Accelerator;

/// What was found out of a machine.
#[derive(Debug, Clone)]
pub struct Probed {
    pub kvm: Kvm,
    /// What a tiny guest ran under, or why none ran.
    pub accelerator: Result<ProvenAccelerator, String>,
    /// By name; those that are not installed are not in it.
    pub tools: BTreeMap<String, Tool>,
    pub firmware: Firmware,
    pub places: Vec<Place>,
    /// What can be had without swapping, in bytes; `None` where the system does not say.
    pub memory_available: Option<u64>,
    pub cores: usize,
    pub is_root: bool,
    /// The target machine's.
    pub guest_memory_mib: u32,
    pub guest_cores: u32,
}

/// What `/dev/kvm` is to this user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kvm {
    Absent,
    NotPermitted,
    Opens,
}

/// An accelerator that a guest ran under.
#[derive(Debug, Clone, PartialEq)]
pub struct ProvenAccelerator {
    pub accelerator: Accelerator,
    pub reason: String,
    /// How many times slower guests run than on the reference machine under TCG.
    pub factor: f64,
    pub qemu_version: String,
}

/// A program that is installed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tool {
    /// What it printed when it was asked for its version or its options.
    pub told: String,
}

/// Firmware images, by where they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Firmware {
    pub seabios: Option<String>,
    pub ovmf: Option<String>,
    /// For 32-bit machines.
    pub ovmf_ia32: Option<String>,
}

/// A directory that a rehearsal writes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub role: Role,
    pub path: String,
    /// In bytes, or why nothing can be written there.
    pub free: Result<u64, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Cache,
    Runs,
    Temporary,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cache => "cache",
            Self::Runs => "runs",
            Self::Temporary => "temporary files",
        }
    }
}

/// What `bootproof doctor` says; `--format json` prints it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Examination {
    pub can_rehearse: bool,
    pub lines: Vec<Line>,
    pub rehearsal: Use,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    pub level: Level,
    pub subject: String,
    pub told: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    Ok,
    /// Something is slower, or a part of bootproof is not to be had.
    Note,
    /// No rehearsal can run.
    Missing,
}

/// What a rehearsal with a baseline, of closures of the given size, would use here.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Use {
    pub closure_mib: u64,
    pub memory_mib: u32,
    pub cores: u32,
    /// In the cache, once.
    pub disk_mib: u64,
    /// Where the cache has no disk yet; `None` where no guest runs.
    pub first_seconds: Option<u32>,
    /// Where it has.
    pub later_seconds: Option<u32>,
}
