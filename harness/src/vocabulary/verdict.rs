use std::fmt;

use serde::{Deserialize, Serialize};

/// The states in which the same invariants are evaluated, in the order in which a deploy passes through them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nothing booted: the candidate's files, read on the host.
    Inspected,
    /// Baseline booted: old kernel, old userspace.
    Before,
    /// Booted after a power cut amid a switch: what booted may be either of the two.
    CutInSwitch,
    /// Candidate activated, not rebooted: old kernel, new userspace.
    Switched,
    /// Candidate booted where no baseline was given: the first boot.
    Booted,
    /// Candidate booted by firmware and bootloader after the reboot.
    Rebooted,
    /// Powered off in order, and booted by a new power-on.
    ColdRebooted,
    /// A new userspace on the kernel that ran.
    SoftRebooted,
    /// Booted after a reset without warning.
    Reset,
    /// Booted after a panic of the kernel.
    Panicked,
    /// Booted after a power cut, from what had reached the disk.
    PowerCut,
    /// The baseline booted again, chosen in the bootloader's menu after the switch to the candidate.
    RolledBack,
    /// A specialisation of the candidate booted, chosen in the bootloader's menu; one look for each of them.
    Specialised,
}

impl State {
    /// Every state, in order.
    pub const ALL: [Self; 13] = [
        Self::Inspected,
        Self::Before,
        Self::CutInSwitch,
        Self::Switched,
        Self::Booted,
        Self::Rebooted,
        Self::ColdRebooted,
        Self::SoftRebooted,
        Self::Reset,
        Self::Panicked,
        Self::PowerCut,
        Self::RolledBack,
        Self::Specialised,
    ];

    /// Those in which a guest was seen.
    pub const OBSERVED: &[Self] = Self::ALL.split_at(1).1;

    /// Those that a kernel of the candidate's was started anew for, after the first one.
    pub const AFTER_A_BOOT: &[Self] = &[
        Self::Rebooted,
        Self::ColdRebooted,
        Self::Reset,
        Self::Panicked,
        Self::PowerCut,
    ];

    /// Whether the machine came to it by going down, one way or another, and up again.
    pub fn is_after_a_reboot(self) -> bool {
        self.way().is_some()
    }

    /// Whether a kernel of the candidate's was started to come to it.
    pub fn boots_the_candidate(&self) -> bool {
        match self {
            Self::Inspected
            | Self::Before
            | Self::CutInSwitch
            | Self::Switched
            | Self::SoftRebooted
            | Self::RolledBack
            | Self::Specialised => false,
            Self::Booted
            | Self::Rebooted
            | Self::ColdRebooted
            | Self::Reset
            | Self::Panicked
            | Self::PowerCut => true,
        }
    }

    /// What was done to come to it, as it is spoken: `the cold reboot`. `None` for what is no way down and up.
    pub fn way(self) -> Option<&'static str> {
        match self {
            Self::Inspected | Self::Before | Self::CutInSwitch | Self::Switched | Self::Booted => {
                None
            }
            Self::Rebooted => Some("the reboot"),
            Self::ColdRebooted => Some("the cold reboot"),
            Self::SoftRebooted => Some("the soft reboot"),
            Self::Reset => Some("the reset"),
            Self::Panicked => Some("the panic"),
            Self::PowerCut => Some("the power cut"),
            Self::RolledBack => Some("the rollback"),
            Self::Specialised => Some("the boot of a specialisation"),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inspected => "inspected",
            Self::Before => "before",
            Self::CutInSwitch => "cut-in-switch",
            Self::Switched => "switched",
            Self::Booted => "booted",
            Self::Rebooted => "rebooted",
            Self::ColdRebooted => "cold-rebooted",
            Self::SoftRebooted => "soft-rebooted",
            Self::Reset => "reset",
            Self::Panicked => "panicked",
            Self::PowerCut => "power-cut",
            Self::RolledBack => "rolled-back",
            Self::Specialised => "specialised",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a rehearsal says of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Pass,
    Unproven,
    Fail,
}

impl Verdict {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Unproven => "unproven",
            Self::Fail => "fail",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something that could not be observed, which is neither passed nor blamed on the closure.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Unproven {
    /// `None` for what concerns the whole rehearsal.
    pub state: Option<State>,
    /// What was to be observed, such as `http`, `console`, `bootloader`: stable, for programs.
    pub subject: String,
    /// Why it could not be, for people.
    pub reason: String,
    /// Whether the verdict depends on it: `false` for evidence that is missing while the fact was proven otherwise.
    pub decisive: bool,
}

impl Unproven {
    /// `STATE/SUBJECT`, or `SUBJECT` for what concerns the whole rehearsal.
    pub fn id(&self) -> String {
        match self.state {
            Some(state) => format!("{state}/{}", self.subject),
            None => self.subject.clone(),
        }
    }
}
