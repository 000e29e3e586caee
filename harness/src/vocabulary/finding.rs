use std::fmt;

use serde::{Deserialize, Serialize};

use super::{State, Suppression};

/// A fault of the closure, as one check found it in one or more states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Finding {
    pub check: Check,
    pub severity: Severity,
    /// The state in which it appeared first.
    pub state: State,
    /// Later states that have it too, in order.
    pub also_in: Vec<State>,
    /// What it is about: a unit, a URL, a store path's role such as `kernel`.
    pub subject: String,
    /// One sentence in lower case without a period.
    pub summary: String,
    pub evidence: Vec<Evidence>,
    /// Seen only after the reboot, although the states before it were observed.
    pub latent: bool,
    /// Whoever answers for it, where it would fail the rehearsal otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppressed: Option<Suppression>,
}

impl Finding {
    /// A finding as a check makes it, in one state; merging over states fills in the rest.
    pub fn new(
        check: Check,
        state: State,
        subject: impl Into<String>,
        summary: impl Into<String>,
    ) -> Self {
        Self {
            check,
            severity: Severity::Error,
            state,
            also_in: Vec::new(),
            subject: subject.into(),
            summary: summary.into(),
            evidence: Vec::new(),
            latent: false,
            suppressed: None,
        }
    }

    #[must_use]
    pub fn with_evidence(mut self, source: impl Into<String>, text: impl Into<String>) -> Self {
        self.evidence.push(Evidence {
            source: source.into(),
            text: text.into(),
        });
        self
    }

    #[must_use]
    pub fn as_warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// `STATE/CHECK/SUBJECT`, what scenarios expect and suppressions name.
    pub fn id(&self) -> String {
        format!("{}/{}/{}", self.state, self.check, self.subject)
    }
}

/// A quotation that a finding rests on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Where it was seen: `journal`, `console`, `systemctl show`, `http`, or a path of the closure.
    pub source: String,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Told, and does not fail the rehearsal.
    Warning,
    /// Fails the rehearsal.
    Error,
}

/// Every check there is; the text form is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// The guest did not come up: no kernel, a panic, an initrd prompt, emergency mode, a deadline.
    BootFailed,
    /// The closure's own bootloader installer failed.
    BootloaderInstall,
    /// `switch-to-configuration switch` said that it failed.
    SwitchFailed,
    /// `toplevel/system` of the running system against the expected system.
    SystemString,
    /// The running kernel's machine against the expected system.
    KernelArchitecture,
    /// The class of PID 1 against the expected system.
    UserlandArchitecture,
    /// Booted, current or profile is not the toplevel that it must be.
    WrongGeneration,
    /// The boot menu has no entry any more that starts what ran before the switch.
    NoWayBack,
    /// The boot menu has no entry that starts a specialisation of the candidate.
    NoBootEntry,
    /// systemd did not finish starting, or calls itself something else than `running` or `degraded`.
    SystemState,
    /// A unit in the state `failed`.
    UnitFailed,
    /// A unit that the boot target wants and that is not active.
    UnitInactive,
    /// A service that was restarted during the observation window.
    RestartLoop,
    /// A service that somebody stops and starts again and again.
    UnitFlapping,
    /// A service that ran before the reboot and that nothing starts after it.
    UnitLost,
    /// Two boots of one generation did not come to the same.
    BootsDiffer,
    /// The guest's clock against the host's.
    ClockOff,
    /// A file system that is written to and has no room left.
    DiskFull,
    /// The way from the word to reboot to the reset took minutes.
    ShutdownSlow,
    /// An executable that the kernel refused to run (`203/EXEC`).
    ExecFailed,
    /// Store paths that a power cut left other than they were built.
    StoreDamaged,
    /// A known bad line of the journal or the console.
    LogSignature,
    /// 502, 503 or 504.
    HttpGateway,
    /// 502, 503 or 504 at first, and an answer later.
    HttpLate,
    /// 200 with an empty body, where the baseline's has something in it.
    HttpEmpty,
    /// Refused, reset, or no answer in time.
    HttpUnanswered,
    /// No service between two looks at it, or for longer than planned downtime may take.
    HttpGap,
    /// A request of the user's that is not answered as the user says.
    ProbeFailed,
    /// By its files: a unit's command that this closure's kernel cannot run, or that is not there.
    Executability,
    /// By its files: kernel, `system`, `boot.json`, userland, expected system and target machine against each other.
    Architecture,
    /// By its files: `init`, kernel, initrd and modules, and what they need of each other.
    BootPath,
    /// By its files: a link that leads nowhere, a path that the closure does not contain.
    Reference,
    /// By its files: nginx passes requests on to where nothing of the closure listens, or reads a file that is not there.
    NginxConfig,
    /// By its files: a store path that is not what the store recorded of it.
    StoreContents,
    /// By its files: what was built is not what was meant.
    BuildDifference,
}

impl Check {
    /// Every check, in the order in which they are told.
    pub const ALL: [Self; 35] = [
        Self::BootFailed,
        Self::BootloaderInstall,
        Self::SwitchFailed,
        Self::SystemString,
        Self::KernelArchitecture,
        Self::UserlandArchitecture,
        Self::WrongGeneration,
        Self::NoWayBack,
        Self::NoBootEntry,
        Self::SystemState,
        Self::UnitFailed,
        Self::UnitInactive,
        Self::RestartLoop,
        Self::UnitFlapping,
        Self::UnitLost,
        Self::BootsDiffer,
        Self::ClockOff,
        Self::DiskFull,
        Self::ShutdownSlow,
        Self::ExecFailed,
        Self::StoreDamaged,
        Self::LogSignature,
        Self::HttpGateway,
        Self::HttpLate,
        Self::HttpEmpty,
        Self::HttpUnanswered,
        Self::HttpGap,
        Self::ProbeFailed,
        Self::Executability,
        Self::Architecture,
        Self::BootPath,
        Self::Reference,
        Self::NginxConfig,
        Self::StoreContents,
        Self::BuildDifference,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::BootFailed => "boot-failed",
            Self::BootloaderInstall => "bootloader-install",
            Self::SwitchFailed => "switch-failed",
            Self::SystemString => "system-string",
            Self::KernelArchitecture => "kernel-architecture",
            Self::UserlandArchitecture => "userland-architecture",
            Self::WrongGeneration => "wrong-generation",
            Self::NoWayBack => "no-way-back",
            Self::NoBootEntry => "no-boot-entry",
            Self::SystemState => "system-state",
            Self::UnitFailed => "unit-failed",
            Self::UnitInactive => "unit-inactive",
            Self::RestartLoop => "restart-loop",
            Self::UnitFlapping => "unit-flapping",
            Self::UnitLost => "unit-lost",
            Self::BootsDiffer => "boots-differ",
            Self::ClockOff => "clock-off",
            Self::DiskFull => "disk-full",
            Self::ShutdownSlow => "shutdown-slow",
            Self::ExecFailed => "exec-failed",
            Self::StoreDamaged => "store-damaged",
            Self::LogSignature => "log-signature",
            Self::HttpGateway => "http-gateway",
            Self::HttpLate => "http-late",
            Self::HttpEmpty => "http-empty",
            Self::HttpUnanswered => "http-unanswered",
            Self::HttpGap => "http-gap",
            Self::ProbeFailed => "probe-failed",
            Self::Executability => "executability",
            Self::Architecture => "architecture",
            Self::BootPath => "boot-path",
            Self::Reference => "reference",
            Self::NginxConfig => "nginx-config",
            Self::StoreContents => "store-contents",
            Self::BuildDifference => "build-difference",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
