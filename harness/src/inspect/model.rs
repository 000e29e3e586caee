use serde::{Deserialize, Serialize};

use super::Changes;
use crate::vocabulary::{
    ClosureFacts, Finding, Inspected, StaticCause, StorePath, System, TargetMachine, Unproven,
    Verdict,
};

/// What the closure is held against.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The platform that is meant; without it the baseline's.
    pub expected: Option<Expected>,
    /// The machine that will run it.
    pub target: TargetMachine,
}

/// The platform that is meant, and who says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    pub system: System,
    /// `--expect-system`, `the baseline`, or what a rehearsal's plan says.
    pub by: String,
}

impl Expected {
    /// What the user says on the command line.
    pub fn by_user(system: System) -> Self {
        Self {
            system,
            by: "--expect-system".to_owned(),
        }
    }
}

/// Everything that inspection has to say of a closure; as JSON, what `--format json` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inspection {
    pub format_version: u32,
    pub tool_version: String,
    pub toplevel: StorePath,
    pub baseline: Option<StorePath>,
    pub nixos_version: Option<String>,
    /// The closure was built by the lab: evidence about bootproof, not about NixOS.
    pub lab: bool,
    pub kernel: Option<System>,
    pub kernel_version: Option<String>,
    pub expected: Option<Expected>,
    pub verdict: Verdict,
    /// The verdict and its cause, in one sentence.
    pub headline: String,
    /// What to do about the first cause; `None` where there is none.
    pub next: Option<String>,
    /// Units that were read, and commands of theirs that were followed.
    pub units: usize,
    pub commands: usize,
    /// In the order of the rules, errors before warnings.
    pub findings: Vec<Finding>,
    /// What the errors come from, most fundamental first.
    pub causes: Vec<StaticCause>,
    pub unproven: Vec<Unproven>,
    pub notes: Vec<String>,
    /// Against the baseline, where one was given.
    pub changes: Option<Changes>,
}

impl Inspection {
    /// What a rehearsal records of it.
    pub fn recorded(&self) -> Inspected {
        Inspected {
            units: self.units,
            commands: self.commands,
            findings: self.findings.clone(),
            causes: self.causes.clone(),
            unproven: self.unproven.clone(),
            notes: self.notes.clone(),
        }
    }
}

/// The user's expectation; else that the platform stays what the baseline's is.
pub(super) fn expected(options: &Options, baseline: Option<&ClosureFacts>) -> Option<Expected> {
    options.expected.clone().or_else(|| {
        let facts = baseline?;
        let system = facts.kernel.clone().or_else(|| facts.system.clone())?;
        Some(Expected {
            system,
            by: "the baseline".to_owned(),
        })
    })
}
