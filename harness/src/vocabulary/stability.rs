use std::fmt;

use serde::{Deserialize, Serialize};

/// How a unit fared over the time in which it was watched, where it was not stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Stability {
    /// It fails, and systemd restarts it again and again.
    Looping,
    /// systemd gave up restarting it.
    StartLimitHit,
    /// Somebody stops and starts it again and again.
    Flapping,
    /// It was starting for as long as it was watched.
    StuckActivating,
    /// The time was too short to tell.
    Unproven,
}

impl Stability {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Looping => "looping",
            Self::StartLimitHit => "start-limit-hit",
            Self::Flapping => "flapping",
            Self::StuckActivating => "stuck activating",
            Self::Unproven => "unproven",
        }
    }
}

impl fmt::Display for Stability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
