//! What `--format json-lines` says, an object a line.
//!
//! The wire form of what a run tells while it works: smaller than `observations.jsonl`, whose raw dumps stay in the run's directory, and
//! kept stable by a `format_version` of its own.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::vocabulary::{
    Accelerator, BootId, Dump, Finding, HttpAnswer, Observation, Prediction, ProbeRoute, Severity,
    Stage, State, Step, StepOutcome, StorePath, Unproven, Verdict,
};

/// The version of these lines: raised where a key or a kind goes away or changes its meaning, and not where one is added.
pub(in crate::cli) const FORMAT_VERSION: u32 = 1;

/// One line on stdout.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Line {
    pub(in crate::cli) format_version: u32,
    /// What is worked on: the name of a scenario, host or toplevel; `null` for what concerns the command as such. Several runs of one
    /// command follow each other.
    pub(in crate::cli) run: Option<String>,
    /// Milliseconds since the run began.
    pub(in crate::cli) at_ms: u64,
    pub(in crate::cli) event: Event,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub(in crate::cli) enum Event {
    /// The first line of a rehearsal.
    Begun {
        tool_version: String,
        candidate: StorePath,
        baseline: Option<StorePath>,
        /// Where the recording goes.
        run_directory: String,
        steps: Vec<Step>,
    },
    /// The candidate's files were read.
    Inspected {
        units: usize,
        commands: usize,
        findings: usize,
        /// The first cause, where there is one.
        cause: Option<String>,
    },
    Accelerator {
        accelerator: Accelerator,
        reason: String,
        factor: f64,
        qemu: String,
    },
    StepStarted {
        step: Step,
    },
    StepFinished {
        step: Step,
        outcome: StepOutcome,
    },
    PoweredOn {
        boot: u32,
    },
    Stage {
        boot: u32,
        stage: Stage,
    },
    /// A line of the serial console. Only with `--verbose`.
    Console {
        boot: u32,
        line: String,
    },
    /// An event of QEMU's monitor. Only with `--verbose`.
    Qemu {
        boot: u32,
        event: String,
    },
    QemuExited {
        boot: u32,
        status: String,
    },
    /// A picture of the guest's screen was taken: a file of the run's directory has it.
    Screen {
        boot: u32,
    },
    ChannelOpened {
        boot: u32,
        boot_id: BootId,
        transport: String,
    },
    /// What a command of the closure printed is in `observations.jsonl`. Only with `--verbose`.
    Dumped {
        state: State,
        dump: Dump,
        exit_code: i32,
        bytes: usize,
        truncated: bool,
    },
    CommandRan {
        step: Step,
        command: String,
        exit_code: i32,
    },
    /// The guest's clock and the host's, in seconds since 1970.
    Clock {
        state: State,
        guest: i64,
        host: i64,
    },
    Http {
        state: State,
        round: u32,
        url: String,
        route: ProbeRoute,
        answer: HttpAnswer,
    },
    /// A request of the user's.
    Probed {
        state: State,
        url: String,
        route: ProbeRoute,
        answer: HttpAnswer,
    },
    /// What a URL replied since the line of it before, asked at a fixed rate: how many replies of each kind.
    Continuity {
        url: String,
        replies: BTreeMap<String, u64>,
    },
    BegunAgain {
        reason: String,
    },
    /// What the bootloader is going to start next; `state` is `null` after its installation on the fresh disk.
    Predicted {
        state: Option<State>,
        prediction: Prediction,
    },
    /// What the bootloader is going to start at this power-on, read from the disk.
    Foretold {
        boot: u32,
        prediction: Prediction,
    },
    Note {
        text: String,
    },
    Unproven {
        unproven: Unproven,
    },
    /// The run waits for an event.
    Waiting {
        what: String,
        at_most_seconds: u64,
    },
    /// Work on the host begins.
    Working {
        what: String,
    },
    /// The guest is left to the user; `port` on the loopback of the host leads to it.
    Held {
        state: State,
        port: Option<u16>,
    },
    /// What was found, told before the verdict.
    Found {
        /// `STATE/CHECK/SUBJECT`, of an audit `CHECK/SUBJECT`.
        id: String,
        severity: Severity,
        summary: String,
        latent: bool,
        suppressed: bool,
    },
    /// The last line of a run.
    Verdict {
        verdict: Verdict,
        headline: String,
        /// What the process ends with, where this run is its only one.
        exit_code: u8,
    },
    /// The last line where host or user failed.
    Failed {
        error: String,
        exit_code: u8,
    },
}

impl Event {
    /// Whether it is told only to those who want all.
    pub(in crate::cli) fn is_detail(&self) -> bool {
        matches!(
            self,
            Self::Console { .. }
                | Self::Qemu { .. }
                | Self::Dumped { .. }
                | Self::Continuity { .. }
        )
    }

    /// What is told of an observation.
    pub(in crate::cli) fn of(observation: &Observation) -> Self {
        match observation.clone() {
            Observation::Inspected(inspected) => Self::Inspected {
                units: inspected.units,
                commands: inspected.commands,
                findings: inspected.findings.len(),
                cause: inspected.causes.first().map(|cause| cause.headline.clone()),
            },
            Observation::Accelerator {
                accelerator,
                reason,
                factor,
                qemu,
            } => Self::Accelerator {
                accelerator,
                reason,
                factor,
                qemu,
            },
            Observation::PowerCut { cut, kept, lost } => Self::Note {
                text: format!("{cut}: {kept} writes are on the disk, {lost} are lost"),
            },
            Observation::StoreCompared {
                state,
                compared,
                damaged,
                more,
            } => Self::Note {
                text: match damaged.len() as u64 + more {
                    0 => format!("{state}: {compared} files of the store are as on the host"),
                    damaged => format!("{state}: {damaged} store paths are not as on the host"),
                },
            },
            Observation::Specialisation { name, in_menu } => Self::Note {
                text: match in_menu {
                    true => format!("the specialisation `{name}` is booted next"),
                    false => format!("the boot menu has no entry of the specialisation `{name}`"),
                },
            },
            Observation::Look { state, occasion } => Self::Note {
                text: format!("{state}: {occasion}"),
            },
            Observation::StepStarted { step } => Self::StepStarted { step },
            Observation::StepFinished { step, outcome } => Self::StepFinished { step, outcome },
            Observation::PoweredOn { boot, .. } => Self::PoweredOn { boot },
            Observation::Stage { boot, stage } => Self::Stage { boot, stage },
            // Who watches need not know which of the guest's two voices it is.
            Observation::Console { boot, line } | Observation::ScreenText { boot, line } => {
                Self::Console { boot, line }
            }
            Observation::Qemu { boot, event, .. } => Self::Qemu { boot, event },
            Observation::Screen { boot, .. } => Self::Screen { boot },
            Observation::QemuExited { boot, status, .. } => Self::QemuExited { boot, status },
            Observation::ChannelOpened {
                boot,
                boot_id,
                transport,
            } => Self::ChannelOpened {
                boot,
                boot_id,
                transport,
            },
            Observation::Dumped {
                state,
                dump,
                exit_code,
                output,
                truncated,
            } => Self::Dumped {
                state,
                dump,
                exit_code,
                bytes: output.len(),
                truncated,
            },
            Observation::CommandRan {
                step,
                command,
                exit_code,
                ..
            } => Self::CommandRan {
                step,
                command,
                exit_code,
            },
            Observation::Clock { state, guest, host } => Self::Clock { state, guest, host },
            Observation::Http {
                state,
                round,
                endpoint,
                route,
                answer,
            } => Self::Http {
                state,
                round,
                url: endpoint.url(),
                route,
                answer,
            },
            Observation::Probed {
                state,
                endpoint,
                route,
                answer,
                ..
            } => Self::Probed {
                state,
                url: endpoint.url(),
                route,
                answer,
            },
            Observation::Continuity { endpoint, runs, .. } => {
                let mut replies: BTreeMap<String, u64> = BTreeMap::new();
                for run in runs {
                    *replies.entry(run.reply.word()).or_default() += run.count;
                }
                Self::Continuity {
                    url: endpoint.url(),
                    replies,
                }
            }
            Observation::BegunAgain { reason } => Self::BegunAgain { reason },
            Observation::Predicted { state, prediction } => Self::Predicted { state, prediction },
            Observation::Foretold { boot, prediction } => Self::Foretold { boot, prediction },
            Observation::Note { text } => Self::Note { text },
            Observation::Unproven(unproven) => Self::Unproven { unproven },
        }
    }

    pub(in crate::cli) fn found(finding: &Finding) -> Self {
        Self::Found {
            id: finding.id(),
            severity: finding.severity,
            summary: finding.summary.clone(),
            latent: finding.latent,
            suppressed: finding.suppressed.is_some(),
        }
    }
}
