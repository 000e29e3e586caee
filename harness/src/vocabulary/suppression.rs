use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::FindingPattern;

/// Findings that somebody answers for until a day, so that they are told and do not fail the rehearsal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Suppression {
    pub finding: FindingPattern,
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The last day on which it counts, in UTC.
    #[cfg_attr(test, schemars(with = "String"))]
    pub expires: Date,
}

impl Suppression {
    /// Whether it counts on that day.
    pub fn counts_on(&self, day: Date) -> bool {
        day <= self.expires
    }
}

/// `suppressed until 2026-12-01 by anna: the backend is moved next week`.
impl fmt::Display for Suppression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            reason,
            owner,
            expires,
            ..
        } = self;
        write!(f, "suppressed until {expires} by {owner}: {reason}")
    }
}
