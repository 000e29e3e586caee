//! What a rule is: a row of data. `rules` has the rows, `engine` applies them.

use crate::vocabulary::{Check, Finding, Severity, State};

use super::{Case, seen};

/// One row: what it takes, how that is grouped into causes, and what is said of each.
pub(super) struct Rule {
    /// Stable, unique, in kebab case: `report.json` and the scenarios name it.
    pub(super) id: &'static str,
    /// What the causes are made of; what was taken for an earlier pattern is told first.
    pub(super) takes: &'static [Pattern],
    /// The rule applies only where one of these was found and is not explained yet; none: always.
    pub(super) needs: &'static [Pattern],
    pub(super) groups: Groups,
    /// What belongs to a cause and is told before what was taken.
    pub(super) before: &'static [Related],
    /// The same, told after it.
    pub(super) after: &'static [Related],
    pub(super) headline: Words,
    /// What follows from a cause; never of an earlier state.
    pub(super) follows: &'static [Related],
    pub(super) misleads: &'static [Misleads],
    /// What to do next, in an operator's words.
    pub(super) next: Words,
}

impl Rule {
    /// What most rows have in common.
    pub(super) const BASE: Self = Self {
        id: "",
        takes: &[],
        needs: &[],
        groups: Groups::Together,
        before: &[],
        after: &[],
        headline: &["{only summary}", "{summary} (and {others} more)"],
        follows: &[],
        misleads: &[],
        next: &[],
    };
}

/// Templates, of which the first is used whose `{values}` are all known (`values`). `{is/are}` agrees with the number of subjects.
pub(super) type Words = &'static [&'static str];

/// How what a rule takes becomes causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Groups {
    /// One cause of all.
    Together,
    OneEach,
    OnePerState,
    /// As the inspection of the files ordered them; what it gave no cause is left.
    AsInspected,
}

/// Findings of some kind.
#[derive(Clone, Copy)]
pub(super) struct Pattern {
    /// Told in this order; empty for all.
    checks: &'static [Check],
    weight: Weight,
    states: &'static [State],
    about: &'static [&'static str],
    says: &'static [&'static str],
    quotes: &'static [&'static str],
    shows: &'static [&'static str],
    logs: &'static [&'static str],
    holds: Option<Test>,
}

/// What data cannot say.
pub(super) type Test = fn(Case<'_>, &Finding) -> bool;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Weight {
    Error,
    /// One that nobody suppressed.
    Warning,
    Any,
}

/// Findings of these checks that fail the rehearsal.
pub(super) const fn errors(checks: &'static [Check]) -> Pattern {
    Pattern {
        weight: Weight::Error,
        ..any(checks)
    }
}

pub(super) const fn warnings(checks: &'static [Check]) -> Pattern {
    Pattern {
        weight: Weight::Warning,
        ..any(checks)
    }
}

/// Errors and warnings.
pub(super) const fn any(checks: &'static [Check]) -> Pattern {
    Pattern {
        checks,
        weight: Weight::Any,
        states: &[],
        about: &[],
        says: &[],
        quotes: &[],
        shows: &[],
        logs: &[],
        holds: None,
    }
}

/// Each of these narrows a pattern; of several words, one must be there.
impl Pattern {
    pub(super) const fn within(self, states: &'static [State]) -> Self {
        Self { states, ..self }
    }

    /// Their subject is one of these.
    pub(super) const fn about(self, about: &'static [&'static str]) -> Self {
        Self { about, ..self }
    }

    /// Their summary has one of these words.
    pub(super) const fn saying(self, says: &'static [&'static str]) -> Self {
        Self { says, ..self }
    }

    /// Their evidence does.
    pub(super) const fn quoting(self, quotes: &'static [&'static str]) -> Self {
        Self { quotes, ..self }
    }

    /// The console of the boot that failed does.
    pub(super) const fn showing(self, shows: &'static [&'static str]) -> Self {
        Self { shows, ..self }
    }

    /// What the journal has about the unit in that state does.
    pub(super) const fn logging(self, logs: &'static [&'static str]) -> Self {
        Self { logs, ..self }
    }

    pub(super) const fn where_it(self, test: Test) -> Self {
        Self {
            holds: Some(test),
            ..self
        }
    }

    pub(super) fn matches(&self, case: Case<'_>, finding: &Finding) -> bool {
        let weighs = match self.weight {
            Weight::Error => finding.severity == Severity::Error,
            Weight::Warning => {
                finding.severity == Severity::Warning && finding.suppressed.is_none()
            }
            Weight::Any => true,
        };
        let evidence = || finding.evidence.iter().map(|e| e.text.as_str());
        weighs
            && (self.checks.is_empty() || self.checks.contains(&finding.check))
            && (self.states.is_empty() || self.states.contains(&finding.state))
            && (self.about.is_empty() || self.about.contains(&finding.subject.as_str()))
            && one_of(self.says, || std::iter::once(finding.summary.as_str()))
            && one_of(self.quotes, evidence)
            && one_of(self.shows, || {
                seen::console(case, finding).iter().map(String::as_str)
            })
            && one_of(self.logs, || seen::messages(case, finding))
            && self.holds.is_none_or(|holds| holds(case, finding))
    }

    /// Where a finding stands among those of this pattern.
    pub(super) fn rank(&self, finding: &Finding) -> usize {
        let at = self.checks.iter().position(|check| *check == finding.check);
        at.unwrap_or(self.checks.len())
    }
}

/// Whether a text has one of the words; no word asks for nothing.
fn one_of<'a, I: Iterator<Item = &'a str>>(words: &[&str], texts: impl FnOnce() -> I) -> bool {
    words.is_empty() || texts().any(|text| words.iter().any(|word| text.contains(word)))
}

/// Findings that belong to a cause, or follow from it.
#[derive(Clone, Copy)]
pub(super) struct Related {
    pub(super) what: Pattern,
    pub(super) of: Of,
    /// What is said of them as a consequence; `{subjects}` are theirs.
    pub(super) words: Words,
}

/// How findings must be related with what a cause was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Anything,
    SameSubject,
    SameState,
    /// The same unit, or one that requires it.
    Dependents,
    /// What nginx passes the URL's requests on to is of one of the units, or requires one, or is not known.
    Behind,
    /// systemd's queue has a start of one of the units that runs, and one of the finding's that waits for it.
    Queue,
    /// In the same state, the evidence names one of the cause's subjects.
    Named,
    /// nginx is among the cause's units.
    Nginx,
}

/// What looks like another cause and is none. It is told only where the evidence was observed in this very run.
pub(super) struct Misleads {
    pub(super) evidence: Words,
    pub(super) truth: Words,
}
