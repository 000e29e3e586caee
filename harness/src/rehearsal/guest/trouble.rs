//! What a wait for the guest ends with instead of what it waited for.

use std::io;

use crate::vm::VmError;
use crate::vocabulary::{Stage, StepOutcome};

/// Why the guest did not do what was waited for: a fact about it, not an error of the host.
#[derive(Debug, Clone)]
pub(in crate::rehearsal) struct GuestTrouble {
    pub(in crate::rehearsal) kind: TroubleKind,
    pub(in crate::rehearsal) stage: Option<Stage>,
    pub(in crate::rehearsal) reason: String,
    pub(in crate::rehearsal) last_line: Option<String>,
}

/// What a trouble says of the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rehearsal) enum TroubleKind {
    /// It went off, was reset, or cannot go on.
    Gone,
    /// Its shell did not do what it was asked for; the machine runs on, and may answer the next command.
    ShellOnly,
    /// Nothing that could be seen of it is wrong, and too little could be seen.
    Unseen,
    /// It has no such thing, which is no fault of it, and it runs on.
    NotOffered,
}

impl GuestTrouble {
    /// The trouble is the shell's, and the machine runs on.
    pub(in crate::rehearsal) fn of_a_live_machine(self) -> Self {
        self.of_kind(TroubleKind::ShellOnly)
    }

    pub(in crate::rehearsal) fn of_kind(self, kind: TroubleKind) -> Self {
        Self { kind, ..self }
    }

    pub(in crate::rehearsal) fn machine_runs_on(&self) -> bool {
        self.kind == TroubleKind::ShellOnly
    }

    /// How a step ends that it happened to.
    pub(in crate::rehearsal) fn outcome(&self) -> StepOutcome {
        match self.kind {
            TroubleKind::Gone | TroubleKind::ShellOnly => StepOutcome::GuestFailed {
                stage: self.stage,
                reason: self.reason.clone(),
                last_line: self.last_line.clone(),
            },
            TroubleKind::Unseen => StepOutcome::Unobservable {
                reason: self.reason.clone(),
            },
            TroubleKind::NotOffered => StepOutcome::NotOffered {
                reason: self.reason.clone(),
            },
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum GuestError {
    #[error(transparent)]
    Vm(#[from] VmError),
    #[error("failed to write the recording: {0}")]
    Record(#[from] io::Error),
    /// Not the guest's doing: QEMU 7.2 under TCG does it now and then at a reset, when one virtual CPU runs while another
    /// changes the memory map.
    #[error("QEMU itself crashed in boot {boot}, {status} {stderr}")]
    Crashed {
        boot: u32,
        status: String,
        stderr: String,
    },
    /// Not the guest's doing either: its emulated clock stood still.
    #[error(
        "the host gave QEMU too little time in boot {boot}: the guest's kernel found its timer not working (run fewer things beside it)"
    )]
    Starved { boot: u32 },
}

impl GuestError {
    /// Whether it says nothing about the closure and nothing about the host's set-up: another attempt may go well.
    pub(in crate::rehearsal) fn may_pass(&self) -> bool {
        matches!(self, Self::Crashed { .. } | Self::Starved { .. })
    }
}

/// A wait either gets what it waits for or tells the guest's trouble.
pub(in crate::rehearsal) type Waited<T> = Result<Result<T, GuestTrouble>, GuestError>;
