use serde::{Deserialize, Serialize};

use super::Changes;
use crate::vocabulary::{
    ClosureFacts, Finding, StorePath, System, TargetMachine, Unproven, Verdict,
};

/// What the closure is held against.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The platform that the user means to deploy.
    pub expect_system: Option<System>,
    /// The machine that will run it.
    pub target: TargetMachine,
}

/// The platform that is meant, and who says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    pub system: System,
    /// `--expect-system` or `the baseline`.
    pub by: String,
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
    pub unproven: Vec<Unproven>,
    pub notes: Vec<String>,
    /// Against the baseline, where one was given.
    pub changes: Option<Changes>,
}

/// The user's expectation; else that the platform stays what the baseline's is.
pub(super) fn expected(options: &Options, baseline: Option<&ClosureFacts>) -> Option<Expected> {
    let by_user = options.expect_system.clone().map(|system| Expected {
        system,
        by: "--expect-system".to_owned(),
    });
    let by_baseline = || {
        let facts = baseline?;
        let system = facts.kernel.clone().or_else(|| facts.system.clone())?;
        Some(Expected {
            system,
            by: "the baseline".to_owned(),
        })
    };
    by_user.or_else(by_baseline)
}
