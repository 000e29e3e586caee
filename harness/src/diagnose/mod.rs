//! Orders findings by cause: what is most fundamental first, what follows from it under it.
//!
//! Called by `report`. The rules are data (`rule`), in tables by subject (`rules`), and are applied in order by one small `engine`:
//! each takes the findings that it explains, with what follows from them, and the last one takes the rest, so that no finding is
//! ever lost. What a headline names beside its findings are `values`, of the recording alone. It does no I/O and changes no severity.

mod console;
mod engine;
mod misled;
mod pool;
mod rule;
mod rules;
mod seen;
mod specialisations;
mod upstream;
mod values;
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
    /// The id of the rule that made it: stable. Empty in reports of older builds.
    #[serde(default)]
    pub rule: String,
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
    /// What was observed in this run and points at another cause.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub misleading: Vec<Misleading>,
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

/// Evidence that misleads, with what it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Misleading {
    /// What was seen, and where.
    pub evidence: String,
    pub truth: String,
}

/// What a rule may look at beside the findings.
#[derive(Clone, Copy)]
struct Case<'a> {
    plan: &'a Plan,
    run: &'a Run,
}

/// The ids of all rules, in their order: the values of [`Cause::rule`].
pub fn rule_ids() -> impl Iterator<Item = &'static str> {
    rules::all().map(|rule| rule.id)
}

/// Orders the findings of a run. Every id is in exactly one place of the result.
pub fn diagnose(plan: &Plan, run: &Run, findings: &[Finding]) -> Diagnosis {
    let mut pool = Pool::new(findings);
    let case = Case { plan, run };
    let mut causes: Vec<Cause> = rules::all()
        .flat_map(|rule| engine::apply(rule, case, &mut pool))
        .collect();
    // A stable sort: within a severity the order of the rules stands.
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.severity));
    Diagnosis { causes }
}

impl Cause {
    /// Has the headline say that it is latent, where its words do not: after which ways down and up `lead` was found.
    fn saying_when(mut self, lead: &Finding) -> Self {
        let states = std::iter::once(&lead.state).chain(&lead.also_in);
        let ways: Vec<&str> = states.filter_map(|state| state.way()).collect();
        let first = ways.first().copied().unwrap_or_default();
        if self.latent && !self.headline.contains(first) {
            // The plain reboot stands for all of them.
            let when = if lead.state == State::Rebooted {
                first.to_owned()
            } else {
                ways.join(" and ")
            };
            self.headline
                .push_str(&format!(", and it shows only after {when}"));
        }
        self
    }
}

#[cfg(test)]
mod tests;
