//! The shape of `report.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::diagnose::Diagnosis;
use crate::vocabulary::{
    Accelerator, BootId, DiskBus, ElfClass, Finding, Firmware, Prediction, ProbeRoute, Replies,
    Stability, Stage, State, Step, StepOutcome, StorePath, Suppression, System, TargetMachine,
    Unproven, Verdict,
};

/// What a rehearsal proved of a candidate, for one target machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Report {
    pub format_version: u32,
    pub tool_version: String,
    pub verdict: Verdict,
    /// The verdict and its reason, in one line.
    pub headline: String,
    pub closure: ClosureKind,
    pub scenario: Option<String>,
    pub candidate: ClosureSummary,
    pub baseline: Option<ClosureSummary>,
    pub expect_system: System,
    pub expected_by: String,
    pub target: TargetSummary,
    /// What was read of the candidate's files before anything was booted; `None` where they were not inspected.
    #[serde(default)]
    pub inspected: Option<InspectedSummary>,
    pub accelerator: Option<AcceleratorUsed>,
    /// How the root shell of the guest was reached (`virtio-serial`, `serial`); `None` where it was not.
    pub rung: Option<String>,
    /// What started the guest, by its own tables: `SeaBIOS 1.16.2-debian-1.16.2-1`; `None` where it was not seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware: Option<String>,
    /// Every step that was planned or began, in order.
    pub steps: Vec<StepReport>,
    /// Every state that was observed, in order.
    pub states: Vec<StateReport>,
    pub findings: Vec<Finding>,
    pub diagnosis: Diagnosis,
    /// What came of each suppression: expired ones first, then unused ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suppressions: Vec<SuppressionReport>,
    /// What the verdict depends on comes first.
    pub unproven: Vec<Unproven>,
    /// What was chosen for the test machine, done to it, or left out, one sentence each.
    pub notes: Vec<String>,
    /// Why earlier attempts of the run were set aside: crashes of QEMU itself, which say nothing about the closure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub begun_again: Vec<String>,
    pub boots: Vec<BootReport>,
    /// What every endpoint replied when it was asked at a fixed rate; empty where none was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub http_ledger: Vec<LedgerEntry>,
    /// How long the stages of the boots took, where a way down and up was gone more than once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stage_times: Vec<StageTimes>,
    /// What came of each power cut in a switch, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cuts: Vec<CutReport>,
    /// What came of each specialisation that was to be booted, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub specialisations: Vec<SpecialisationReport>,
}

/// A variant of the candidate, with a boot entry of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SpecialisationReport {
    pub name: String,
    /// What its entry must start; `None` where that could not be read.
    pub toplevel: Option<StorePath>,
    /// What `/run/booted-system` led to.
    pub booted: Option<String>,
    /// The name, and what was seen.
    pub text: String,
}

/// A machine after a power cut in a switch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CutReport {
    /// The moment: `cut in the activation (flush 1 of 2)`.
    pub cut: String,
    /// What `/run/booted-system` led to.
    pub booted: Option<String>,
    /// The moment, which generation boots, and whether the store is whole.
    pub text: String,
}

/// What one endpoint replied, from its first request through every step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LedgerEntry {
    pub url: String,
    /// What nginx passes its requests on to.
    pub upstream: Option<String>,
    /// The unit that was seen to listen there.
    pub unit: Option<String>,
    /// From one request to the next, where no reply took longer.
    pub beat_ms: u64,
    /// How many replies of each kind: `200`, `502`, `refused`, `timed out`.
    pub replies: BTreeMap<String, u64>,
    /// Replies that no run has, because there were too many.
    pub dropped: u64,
    /// When it did not serve, once nginx had answered.
    pub spells: Vec<SpellReport>,
    /// Equal replies in a row, in order.
    pub runs: Vec<Replies>,
}

/// A time without service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SpellReport {
    /// Milliseconds since the run began.
    pub from_ms: u64,
    /// When it served again; `None` where that was not seen.
    pub to_ms: Option<u64>,
    pub step: Option<Step>,
    /// Whether it began while the step did what takes services down.
    pub planned: bool,
    pub replies: BTreeMap<String, u64>,
    /// What systemd says of the unit behind it, in the state that the step leads to.
    pub unit_state: Option<String>,
}

/// A suppression, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SuppressionReport {
    pub suppression: Suppression,
    pub came_of_it: SuppressionUse,
    /// The ids of the findings that it means and that fail the rehearsal, or would.
    pub findings: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SuppressionUse {
    /// Its day has passed: what it means fails the rehearsal.
    Expired,
    /// It means nothing that would fail the rehearsal.
    Unused,
    Used,
}

/// Whose closures these are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ClosureKind {
    /// The lab's: regression evidence about bootproof, no evidence about NixOS.
    Lab,
    Nixos,
}

/// What the files of a closure say, as far as a report tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ClosureSummary {
    pub toplevel: StorePath,
    pub nixos_version: Option<String>,
    pub system: Option<System>,
    pub kernel: Option<System>,
    pub kernel_version: Option<String>,
    pub userland: Option<ElfClass>,
}

/// How long the boots of one way down and up took to reach a stage, from the reset or power-on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StageTimes {
    pub step: Step,
    pub stage: Stage,
    /// How many of them reached it.
    pub boots: usize,
    pub minimum_ms: u64,
    pub median_ms: u64,
    pub maximum_ms: u64,
}

/// How much of the candidate was inspected; what came of it is among the findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct InspectedSummary {
    pub units: usize,
    /// Commands of units that were followed to their programs.
    pub commands: usize,
}

/// The machine that was rehearsed for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TargetSummary {
    pub machine: TargetMachine,
    /// The bus that the VM's disk was on.
    pub disk_bus: DiskBus,
    /// The VM's.
    #[serde(default, skip_serializing_if = "Firmware::is_bios")]
    pub firmware: Firmware,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AcceleratorUsed {
    pub accelerator: Accelerator,
    pub reason: String,
    /// How many times slower than the reference machine.
    pub factor: f64,
    pub qemu: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StepReport {
    pub step: Step,
    /// The state that it leads to.
    pub state: Option<State>,
    /// `None` where the recording does not have its end.
    pub outcome: Option<StepOutcome>,
    pub milliseconds: Option<u64>,
}

/// One state, in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StateReport {
    pub state: State,
    pub boot: Option<u32>,
    /// `uname -m`.
    pub kernel_machine: Option<String>,
    /// `uname -r`.
    pub kernel_release: Option<String>,
    /// The class of PID 1.
    pub userland: Option<ElfClass>,
    /// `toplevel/system` of the current system.
    pub system: Option<String>,
    /// The word of `systemctl is-system-running`.
    pub system_state: Option<String>,
    pub units_failed: Option<usize>,
    pub units_looping: Option<usize>,
    /// How many endpoints answered what in the last round: a status, or `refused`, `reset`, `timed out`, `failed`.
    pub http: BTreeMap<String, usize>,
    /// From where the deciding answers came.
    pub http_routes: Vec<ProbeRoute>,
    /// What each endpoint answered in the last round, by its URL.
    #[serde(default)]
    pub answers: BTreeMap<String, String>,
    /// What the boot target wants and what is active: services, what starts them, and mounts. `None` where it was not seen.
    #[serde(default)]
    pub active: Option<Vec<String>>,
    /// How units fared that were not stable while they were watched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unstable: Vec<UnstableUnit>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UnstableUnit {
    pub unit: String,
    pub stability: Stability,
    pub why: String,
}

/// What a boot came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Fingerprint {
    /// Of the lines, each with its end, in hex.
    pub sha256: String,
    /// Equal in equal boots.
    pub lines: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BootReport {
    pub number: u32,
    pub step: Option<Step>,
    pub boot_id: Option<BootId>,
    pub transport: Option<String>,
    pub stages: Vec<StageReached>,
    /// What the bootloader was going to start, read from the disk before the power-on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foretold: Option<Prediction>,
    /// How QEMU ended, where it did.
    pub exit: Option<String>,
    /// `None` where the boot was not looked at before something was done to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StageReached {
    pub stage: Stage,
    /// Milliseconds since the run began.
    pub at_ms: u64,
}
