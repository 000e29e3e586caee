use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::vocabulary::{
    Accelerator, ClosureIdentity, Probe, Step, Suppression, System, TargetMachine, Verdict,
};

/// What one rehearsal proved, of what, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// When the rehearsal ended, in UTC.
    pub made_at: Timestamp,
    pub tool_version: String,
    pub verdict: Verdict,
    /// The host of the configuration that it was made for; `None` where none was named.
    pub host: Option<String>,
    pub candidate: ClosureIdentity,
    /// `None` where the candidate was rehearsed without a baseline.
    pub baseline: Option<ClosureIdentity>,
    pub target: TargetMachine,
    pub expect_system: System,
    pub accelerator: Accelerator,
    /// As QEMU gives it: `7.2.22`.
    pub qemu: String,
    /// As the guest's tables give it: `SeaBIOS 1.16.2-debian-1.16.2-1`; `None` where they give none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware: Option<String>,
    /// Every step that was done, in order.
    pub steps: Vec<Step>,
    /// What was asked for in every state.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub probes: Vec<Probe>,
    /// Those without which the verdict would be `fail`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suppressions: Vec<Suppression>,
    /// SHA-256, in hex, of `report.json`.
    pub report: String,
    /// SHA-256, in hex, of the approved report that it is equal to; `None` where it was held against none.
    #[serde(default)]
    pub approved: Option<String>,
}

impl Receipt {
    /// How often the guest was rebooted.
    pub fn cycles(&self) -> usize {
        self.steps.iter().filter(|step| step.is_reboot()).count()
    }
}
