//! What an audit says.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::next_boot::NextBoot;
use crate::vocabulary::{Evidence, Severity, System, Unproven, Verdict};

/// Everything that an audit has to say of a machine; as JSON, what `--format json` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Audit {
    pub format_version: u32,
    pub tool_version: String,
    /// `this machine`, or what ssh was given.
    pub machine: String,
    pub verdict: Verdict,
    /// The verdict and its cause, in one sentence.
    pub headline: String,
    /// What to do about the first cause; `None` where there is none.
    pub advice: Option<String>,
    /// The kernel that runs.
    pub kernel: Option<System>,
    pub release: Option<String>,
    pub boot_id: Option<String>,
    pub uptime_seconds: Option<u64>,
    pub booted: Subject,
    pub current: Subject,
    /// What the system profile leads to.
    pub profile: Option<String>,
    /// `None` where the bootloader's menu could not be read; `next` is then what the profile has.
    pub next_boot: Option<NextBoot>,
    pub next: Subject,
    /// Services of the next boot that were read, and units of this one.
    pub services: usize,
    pub units: usize,
    /// Errors before warnings.
    pub findings: Vec<AuditFinding>,
    pub unproven: Vec<Unproven>,
    pub notes: Vec<String>,
    /// The first line of the inspection of the next boot's files, where the whole closure is in a store here.
    pub inspection: Option<String>,
}

/// A system, and the platform of its kernel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Subject {
    pub toplevel: Option<String>,
    pub kernel: Option<System>,
}

/// A fault of the machine, or of what it will boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AuditFinding {
    pub check: AuditCheck,
    pub severity: Severity,
    /// A unit, `kernel`, a path.
    pub subject: String,
    /// One sentence in lower case without a period.
    pub summary: String,
    pub evidence: Vec<Evidence>,
}

impl AuditFinding {
    /// An error; others are made of it.
    pub(super) fn new(
        check: AuditCheck,
        subject: impl Into<String>,
        summary: impl Into<String>,
    ) -> Self {
        Self {
            check,
            severity: Severity::Error,
            subject: subject.into(),
            summary: summary.into(),
            evidence: Vec::new(),
        }
    }

    pub(super) fn with_evidence(
        mut self,
        source: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        self.evidence.push(Evidence {
            source: source.into(),
            text: text.into(),
        });
        self
    }

    pub(super) fn into_warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// `CHECK/SUBJECT`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.check, self.subject)
    }
}

/// Every check of an audit; the text form is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AuditCheck {
    /// The kernel of the next boot against the one that runs.
    NextKernel,
    /// Programs of the next boot against its kernel.
    NextExecutability,
    /// What the boot entry names is there.
    NextEntry,
    /// What the next boot starts against what was activated last.
    NextGeneration,
    /// The files of the next boot, by the rules of `inspect`.
    NextInspection,
    /// Room on `/boot` for one more generation.
    BootSpace,
    /// A unit in the state `failed`.
    UnitFailed,
    /// A service that systemd starts again and again.
    RestartLoop,
    /// What systemd says of itself.
    SystemState,
}

impl AuditCheck {
    pub const ALL: [Self; 9] = [
        Self::NextKernel,
        Self::NextExecutability,
        Self::NextEntry,
        Self::NextGeneration,
        Self::NextInspection,
        Self::BootSpace,
        Self::UnitFailed,
        Self::RestartLoop,
        Self::SystemState,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::NextKernel => "next-kernel",
            Self::NextExecutability => "next-executability",
            Self::NextEntry => "next-entry",
            Self::NextGeneration => "next-generation",
            Self::NextInspection => "next-inspection",
            Self::BootSpace => "boot-space",
            Self::UnitFailed => "unit-failed",
            Self::RestartLoop => "restart-loop",
            Self::SystemState => "system-state",
        }
    }
}

impl fmt::Display for AuditCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Audit;
    use crate::testing::published;
    use crate::vocabulary::FORMAT_VERSION;

    #[test]
    fn the_schema_of_an_audit_that_is_published_is_that_of_its_types() {
        let title = "bootproof audit --format json";
        published::holds::<Audit>("audit.schema.json", title, FORMAT_VERSION);
    }
}
