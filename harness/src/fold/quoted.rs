//! What an observation quotes of the guest, fit to be printed.

use super::sanitise;
use crate::vocabulary::{Prediction, StepOutcome};

/// A prediction quotes files of the guest's.
pub(super) fn prediction(told: &Prediction) -> Prediction {
    let path = |path: &Option<String>| path.as_deref().map(sanitise::line);
    match told {
        Prediction::Entry {
            loader,
            entry,
            chosen_by,
            toplevel,
            fallback,
            offered,
        } => Prediction::Entry {
            loader: sanitise::line(loader),
            entry: sanitise::line(entry),
            chosen_by: sanitise::line(chosen_by),
            toplevel: path(toplevel),
            fallback: path(fallback),
            offered: offered.iter().map(|path| sanitise::line(path)).collect(),
        },
        Prediction::Unknown { reason } => Prediction::Unknown {
            reason: sanitise::line(reason),
        },
    }
}

/// An outcome quotes the guest's console.
pub(super) fn outcome(came: &StepOutcome) -> StepOutcome {
    match came {
        StepOutcome::GuestFailed {
            stage,
            reason,
            last_line,
        } => StepOutcome::GuestFailed {
            stage: *stage,
            reason: sanitise::line(reason),
            last_line: last_line.as_deref().map(sanitise::line),
        },
        StepOutcome::Unobservable { reason } => StepOutcome::Unobservable {
            reason: sanitise::line(reason),
        },
        StepOutcome::NotOffered { reason } => StepOutcome::NotOffered {
            reason: sanitise::line(reason),
        },
        StepOutcome::Done | StepOutcome::Skipped => came.clone(),
    }
}
