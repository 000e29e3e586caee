use serde::{Deserialize, Serialize};

use super::{Changes, Finding, Unproven};

/// What the files of the candidate prove, read before anything is booted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inspected {
    /// Units that were read, and commands of theirs that were followed.
    pub units: usize,
    pub commands: usize,
    /// In the order of the rules, errors before warnings; all of the state `inspected`.
    pub findings: Vec<Finding>,
    /// What the errors among the findings come from, most fundamental first.
    pub causes: Vec<StaticCause>,
    pub unproven: Vec<Unproven>,
    pub notes: Vec<String>,
    /// Against the baseline, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Changes>,
}

/// One fault of the files, with all the findings that it explains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StaticCause {
    /// One sentence in lower case without a period.
    pub headline: String,
    /// What to do next, for people.
    pub next: String,
    /// The ids of the findings, most telling first.
    pub findings: Vec<String>,
}
