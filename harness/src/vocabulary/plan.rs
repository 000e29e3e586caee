use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    ClosureFacts, DiskBus, Downtime, Firmware, Probe, StorePath, Suppression, System, TargetMachine,
};

/// All that a rehearsal needs to know, and all that its report needs beside the observations: `plan.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub format_version: u32,
    pub tool_version: String,
    /// The lab scenario that this run belongs to.
    pub scenario: Option<String>,
    /// The closures were built by the lab: evidence about bootproof, not about NixOS.
    pub lab: bool,
    pub candidate: ClosureFacts,
    pub baseline: Option<ClosureFacts>,
    /// The candidate's, by name, where a step boots them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub specialisations: Vec<Specialisation>,
    /// Those that are not booted, with why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub specialisations_left_out: Vec<(String, String)>,
    pub expect_system: System,
    /// Where the expectation comes from: `--expect-system`, `the baseline`, `the scenario`, `the candidate itself`.
    pub expected_by: String,
    pub target: TargetMachine,
    /// The bus that the disk is attached to.
    pub disk_bus: DiskBus,
    #[serde(default, skip_serializing_if = "Firmware::is_bios")]
    pub firmware: Firmware,
    /// What was chosen for the VM and why, one sentence each.
    pub choices: Vec<String>,
    pub steps: Vec<Step>,
    /// Whether the last steps, which are ways down and up, each go on from one and the same machine, instead of one after another.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub side_by_side: bool,
    /// How long each state is watched for restarts, in seconds of the guest's time.
    pub window_seconds: u32,
    /// How long systemd may take to call its start finished, on the reference machine, where somebody says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_seconds: Option<u32>,
    /// Where the rehearsal waits for its user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// What is done in the guest by hand, as an operator might: only scenarios have it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_hand: Vec<ByHand>,
    /// The user's files on the test disk.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seeded: Vec<Seeded>,
    /// What the user asks for in every state; what the baseline answers is only compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub probes: Vec<Probe>,
    /// How long an endpoint may be without service while a step takes it down.
    #[serde(default, skip_serializing_if = "Downtime::is_unlimited")]
    pub downtime: Downtime,
    /// What somebody answers for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suppressions: Vec<Suppression>,
    /// The day of the rehearsal, in UTC, by which suppressions expire; without it none counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rehearsed_on: Option<Date>,
}

/// A variant of the candidate, with a boot entry of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Specialisation {
    /// Of the link in `TOPLEVEL/specialisation`.
    pub name: String,
    /// Its own.
    pub closure: ClosureFacts,
}

/// A state in which the guest is left to the user, for as long as the user wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    pub state: super::State,
    /// The guest's TCP port that the host can reach meanwhile, beside nginx's.
    pub port: u16,
}

/// A command that is run as root in one state, before that state is looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByHand {
    pub state: super::State,
    /// For the guest's shell.
    pub command: String,
}

/// A file that the user has put on the test disk; what it holds, which may be a secret, is no part of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seeded {
    pub path: String,
    /// Of its content, mode and owner, in hex.
    pub sha256: String,
}

/// The version of `plan.json`, `observations.jsonl` and `report.json`.
pub const FORMAT_VERSION: u32 = 1;

impl Plan {
    /// No machine boots so often on one of several ways that are gone side by side.
    pub const BOOTS_OF_A_WAY: u32 = 100;

    /// Which way a boot belongs to, from 1 on; 0 for what comes before the ways part.
    pub fn way_of(&self, boot: u32) -> u32 {
        match self.side_by_side {
            true => boot / Self::BOOTS_OF_A_WAY,
            false => 0,
        }
    }

    /// The closure that the machine must run in `state`; after a power cut amid a switch, and where specialisations are booted, that is for each
    /// look to tell, and this is what the machine ran before, and what the specialisations are variants of.
    pub fn closure_in(&self, state: super::State) -> &ClosureFacts {
        match (state, &self.baseline) {
            (
                super::State::Before | super::State::CutInSwitch | super::State::RolledBack,
                Some(baseline),
            ) => baseline,
            _ => &self.candidate,
        }
    }

    /// Every closure that may boot: the baseline, the candidate and its specialisations.
    pub fn closures(&self) -> impl Iterator<Item = &ClosureFacts> {
        let specialisations = self.specialisations.iter().map(|known| &known.closure);
        let both = self.baseline.iter().chain([&self.candidate]);
        both.chain(specialisations)
    }

    /// The closure that the system profile names in `state`, and the bootloader starts by itself: a choice in its menu changes neither.
    pub fn default_in(&self, state: super::State) -> &ClosureFacts {
        match (state, &self.baseline) {
            (super::State::Before | super::State::CutInSwitch, Some(baseline)) => baseline,
            _ => &self.candidate,
        }
    }

    /// The same of one look: after a power cut amid a switch the machine must run what it `booted`, if that is the baseline or the candidate; of
    /// several specialisations, the one that is the look's `occasion`.
    pub fn closure_of_look(
        &self,
        state: super::State,
        occasion: Option<&str>,
        booted: Option<&str>,
    ) -> &ClosureFacts {
        match state {
            super::State::CutInSwitch if booted == Some(self.candidate.toplevel.as_str()) => {
                &self.candidate
            }
            super::State::Specialised => {
                let mut all = self.specialisations.iter();
                let of_look = all.find(|known| Some(known.name.as_str()) == occasion);
                of_look.map_or(&self.candidate, |known| &known.closure)
            }
            state => self.closure_in(state),
        }
    }

    /// The toplevel whose kernel must be running in `state`.
    pub fn booted_in(&self, state: super::State) -> &StorePath {
        match (state, &self.baseline) {
            (
                super::State::Before
                | super::State::CutInSwitch
                | super::State::Switched
                | super::State::RolledBack,
                Some(baseline),
            ) => &baseline.toplevel,
            (super::State::SoftRebooted, Some(baseline)) if !self.soft_reboots_the_candidate() => {
                &baseline.toplevel
            }
            _ => &self.candidate.toplevel,
        }
    }

    /// Whether the candidate's own kernel runs already when userspace alone is rebooted.
    fn soft_reboots_the_candidate(&self) -> bool {
        let switched = self.steps.iter().skip_while(|step| **step != Step::Switch);
        let booted = switched
            .take_while(|step| **step != Step::SoftReboot)
            .filter(|step| step.is_reboot());
        booted.last().is_some_and(|step| *step != Step::Rollback)
    }
}

/// One thing done to the VM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Install the bootloader on a fresh disk, by the closure's own installer. Not part of a scenario's list.
    Provision,
    /// Power on: firmware, bootloader, baseline (or candidate where there is no baseline).
    Boot,
    /// The deploy, as the power goes at several of its points; afterwards it was never begun.
    PowerCutInSwitch,
    /// Set the profile and run the candidate's `switch-to-configuration switch`.
    Switch,
    /// `systemctl reboot` in the same QEMU.
    WarmReboot,
    /// `systemctl poweroff`, and a new QEMU on the same disk.
    ColdReboot,
    /// `systemctl soft-reboot`: the same kernel, and a new userspace.
    SoftReboot,
    /// The machine's reset button, without warning.
    Reset,
    /// A panic of the kernel, by sysrq; the reset button where the kernel does not reboot by itself.
    Panic,
    /// The power goes at rest, and with it what the guest never flushed.
    PowerCut,
    /// The same in the first seconds of a boot.
    PowerCutInBoot,
    /// `systemctl reboot`, with the baseline chosen in the bootloader's menu for this one boot.
    Rollback,
    /// The same with each specialisation of the candidate, one after another.
    Specialisations,
}

impl Step {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provision => "provision",
            Self::Boot => "boot",
            Self::PowerCutInSwitch => "power-cut-in-switch",
            Self::Switch => "switch",
            Self::WarmReboot => "warm-reboot",
            Self::ColdReboot => "cold-reboot",
            Self::SoftReboot => "soft-reboot",
            Self::Reset => "reset",
            Self::Panic => "panic",
            Self::PowerCut => "power-cut",
            Self::PowerCutInBoot => "power-cut-in-boot",
            Self::Rollback => "rollback",
            Self::Specialisations => "specialisations",
        }
    }

    /// Every way down and up.
    pub const REBOOTS: [Self; 9] = [
        Self::WarmReboot,
        Self::ColdReboot,
        Self::SoftReboot,
        Self::Reset,
        Self::Panic,
        Self::PowerCut,
        Self::PowerCutInBoot,
        Self::Rollback,
        Self::Specialisations,
    ];

    /// Whether it takes the machine down and up again.
    pub fn is_reboot(self) -> bool {
        Self::REBOOTS.contains(&self)
    }

    /// Whether a kernel starts in it.
    pub fn starts_a_kernel(self) -> bool {
        self == Self::Boot || (self.is_reboot() && self != Self::SoftReboot)
    }

    /// Whether it takes the power away.
    pub fn cuts_power(self) -> bool {
        matches!(
            self,
            Self::PowerCut | Self::PowerCutInBoot | Self::PowerCutInSwitch
        )
    }

    /// The state that a way down and up leads to, where the candidate is what boots; and a power cut in the switch, whatever boots.
    pub fn state_after_reboot(self) -> Option<super::State> {
        Some(match self {
            Self::Provision | Self::Boot | Self::Switch => return None,
            Self::PowerCutInSwitch => super::State::CutInSwitch,
            Self::WarmReboot => super::State::Rebooted,
            Self::ColdReboot => super::State::ColdRebooted,
            Self::SoftReboot => super::State::SoftRebooted,
            Self::Reset => super::State::Reset,
            Self::Panic => super::State::Panicked,
            Self::PowerCut | Self::PowerCutInBoot => super::State::PowerCut,
            Self::Rollback => super::State::RolledBack,
            Self::Specialisations => super::State::Specialised,
        })
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
