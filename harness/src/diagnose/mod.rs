//! Orders findings by cause: what is most fundamental first, what follows from it under it.
//!
//! Called by `report`. The rules are a table, tried in order; each takes the findings that it explains, and the last one takes
//! the rest, so that no finding is ever lost. It does no I/O and changes no severity.

mod architecture;
mod boot;
mod claims;
mod inspected;
mod pool;
mod rest;
mod units;
mod words;

use serde::{Deserialize, Serialize};

use crate::fold::Run;
use crate::vocabulary::{Finding, Plan, Severity, State};

use pool::Pool;

/// Why a rehearsal found what it found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Diagnosis {
    /// Those that fail the rehearsal first, and of them the most fundamental first.
    pub causes: Vec<Cause>,
}

/// One fault, with what follows from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Cause {
    /// One sentence in lower case without a period.
    pub headline: String,
    pub severity: Severity,
    /// Where it does its harm: the state of what fails, which may be later than where its first sign shows.
    pub state: State,
    pub latent: bool,
    /// Somebody answers for all of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suppressed: bool,
    /// The ids of the findings that are this cause, most telling first.
    pub findings: Vec<String>,
    pub consequences: Vec<Consequence>,
    /// What to do next, for people.
    pub next: String,
}

/// What follows from a cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Consequence {
    pub summary: String,
    /// The ids of the findings.
    pub findings: Vec<String>,
}

/// What a rule may look at beside the findings.
#[derive(Clone, Copy)]
struct Case<'a> {
    plan: &'a Plan,
    run: &'a Run,
}

/// Takes what it explains out of the pool.
type Rule = fn(Case<'_>, &mut Pool<'_>) -> Vec<Cause>;

/// Most fundamental first.
const RULES: &[Rule] = &[
    architecture::foreign_executables,
    architecture::other_platform,
    inspected::boot_path,
    boot::bootloader_install,
    boot::boot_failed,
    boot::switch_failed,
    boot::wrong_generation,
    inspected::nginx,
    units::exec_failed,
    rest::kernel_trouble,
    units::failed,
    units::looping,
    units::inactive,
    units::switch_of_failed_units,
    rest::system_state,
    rest::http,
    inspected::the_rest,
    rest::everything_else,
];

/// Orders the findings of a run. Every id is in exactly one place of the result.
pub fn diagnose(plan: &Plan, run: &Run, findings: &[Finding]) -> Diagnosis {
    let mut pool = Pool::new(findings);
    let case = Case { plan, run };
    let mut causes: Vec<Cause> = RULES
        .iter()
        .flat_map(|rule| rule(case, &mut pool))
        .collect();
    // A stable sort: within a severity the order of the rules stands.
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.severity));
    Diagnosis { causes }
}

impl Cause {
    /// A cause of these findings, of which there is at least one; `None` where there is none.
    fn of(findings: &[&Finding], headline: impl Into<String>, next: &str) -> Option<Self> {
        let lead = findings.first()?;
        Some(Self {
            headline: headline.into(),
            severity: findings.iter().map(|f| f.severity).max()?,
            state: lead.state,
            latent: lead.latent,
            suppressed: findings.iter().all(|f| f.suppressed.is_some()),
            findings: findings.iter().map(|f| f.id()).collect(),
            consequences: Vec::new(),
            next: next.to_owned(),
        })
    }

    /// Has the headline say that it is latent, where its words do not.
    fn saying_when(mut self) -> Self {
        if self.latent {
            self.headline
                .push_str(", and it shows only after the reboot");
        }
        self
    }
}

#[cfg(test)]
mod tests;
