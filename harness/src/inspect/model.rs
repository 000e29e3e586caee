use serde::{Deserialize, Serialize};

use crate::closure::{Closure, Survey};
use crate::vocabulary::{
    Changes, ClosureFacts, Finding, Inspected, StaticCause, StorePath, System, TargetMachine,
    Unproven, Verdict,
};

/// What the closure is held against.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The platform that is meant; without it the baseline's.
    pub expected: Option<Expected>,
    /// The machine that will run it.
    pub target: TargetMachine,
    /// Compare every file with the hashes that the store recorded: takes as long as reading the closure.
    pub verify_contents: bool,
}

/// What is inspected: a closure as [`examine`](crate::closure::examine) read it.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    pub closure: &'a Closure,
    pub facts: &'a ClosureFacts,
    pub survey: &'a Survey,
}

/// Other closures that the candidate is held against.
#[derive(Debug, Clone, Copy, Default)]
pub struct Against<'a> {
    /// What the machine runs now.
    pub baseline: Option<(&'a Closure, &'a ClosureFacts)>,
    /// What was meant to be built.
    pub meant: Option<Meant<'a>>,
}

/// A closure that should be the candidate, and is so only where both have the same toplevel.
#[derive(Debug, Clone, Copy)]
pub struct Meant<'a> {
    pub closure: &'a Closure,
    pub facts: &'a ClosureFacts,
    pub by: MeantBy,
    pub built_by: BuiltBy,
}

/// Who says what was meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeantBy {
    Flake,
    /// A path that the user named.
    Path,
}

impl MeantBy {
    /// `the flake means`, for a sentence to go on with.
    pub(super) fn clause(self) -> &'static str {
        match self {
            Self::Flake => "the flake means",
            Self::Path => "you mean",
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Flake => "the flake",
            Self::Path => "--meant",
        }
    }
}

/// Who built the candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuiltBy {
    /// The user's build command.
    DeployTool,
    Unknown,
}

/// The platform that is meant, and who says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Expected {
    pub system: System,
    /// `--expect-system`, `the flake` or what else was meant, `the baseline`, or what a rehearsal's plan says.
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
            changes: self.changes.clone(),
        }
    }
}

/// The user's expectation; else what was meant; else that the platform stays what the baseline's is.
pub(super) fn expected(options: &Options, against: &Against) -> Option<Expected> {
    let of = |facts: &ClosureFacts, by: &str| {
        let system = facts.kernel.clone().or_else(|| facts.system.clone())?;
        Some(Expected {
            system,
            by: by.to_owned(),
        })
    };
    let meant = || against.meant.and_then(|m| of(m.facts, m.by.as_str()));
    let baseline = || against.baseline.and_then(|(_, f)| of(f, "the baseline"));
    options.expected.clone().or_else(meant).or_else(baseline)
}

#[cfg(test)]
mod tests {
    use super::Inspection;
    use crate::testing::published;
    use crate::vocabulary::FORMAT_VERSION;

    #[test]
    fn the_schema_of_an_inspection_that_is_published_is_that_of_its_types() {
        let title = "bootproof inspect --format json";
        published::holds::<Inspection>("inspection.schema.json", title, FORMAT_VERSION);
    }
}
