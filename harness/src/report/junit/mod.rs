//! The report as JUnit XML, for the test pages of CI systems.
//!
//! A suite for each state, a case for each check of it, and one for each unit or URL that a finding is about. There is no standard: what
//! is written is what Jenkins' own schema (`junit-10.xsd` of its xUnit plugin) allows, which the tests hold it against.
//!
//! What a verdict depends on and was not observed is an `error`, because a page of green cases would call it proven; what else was not
//! observed is `skipped`, with its reason. A suppressed finding is `skipped` too, and a warning is told in the output of a case that passed.

mod cases;
mod rehearsal;
mod xml;

pub use rehearsal::render;
// The inspection has suites of the same kind.
pub(crate) use cases::{FILE_CHECKS, of_check, of_findings, of_unproven, of_verdict};
pub(crate) use xml::write;

/// What becomes a `testsuite`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Suite {
    pub(crate) name: String,
    /// What the suite is about, by name.
    pub(crate) properties: Vec<(&'static str, String)>,
    pub(crate) cases: Vec<Case>,
}

/// What becomes a `testcase`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) milliseconds: Option<u64>,
    pub(crate) outcome: Outcome,
}

impl Case {
    pub(crate) fn new(name: impl Into<String>, outcome: Outcome) -> Self {
        Self {
            name: name.into(),
            milliseconds: None,
            outcome,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed {
        /// What is to be said all the same; empty for nothing.
        said: String,
    },
    /// The closure's fault.
    Failed(Trouble),
    /// Not observed, and the verdict depends on it.
    Error(Trouble),
    Skipped {
        reason: String,
    },
}

impl Outcome {
    pub(crate) fn passed() -> Self {
        Self::Passed {
            said: String::new(),
        }
    }
}

/// Why a case is none that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// A word for programs: the check's name, `unproven`, `verdict`.
    pub(crate) kind: String,
    /// One line.
    pub(crate) message: String,
    /// Cause, evidence and what to do, a line each.
    pub(crate) text: String,
}

#[cfg(test)]
mod tests;
