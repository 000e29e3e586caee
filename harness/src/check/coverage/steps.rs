//! What planned steps left unproven, and whom that is to be blamed on.

use crate::fold::{Run, state_after, steps_in_order};
use crate::vocabulary::{Plan, State, Step, StepOutcome, Unproven};

use super::decisive;

/// Why the steps after some step were not taken.
enum Stop {
    /// The candidate failed, which a finding tells.
    Candidate(Step),
    /// Nothing was learnt about the candidate: for this reason.
    Other(String),
}

/// What each planned step left unproven.
pub(super) fn of_steps(plan: &Plan, run: &Run) -> Vec<Unproven> {
    if plan.steps.is_empty() && run.inspected.is_none() {
        return vec![decisive(None, "rehearsal", "no step was planned")];
    }
    let mut gaps = Vec::new();
    let mut stop: Option<Stop> = None;
    for (step, record) in steps_in_order(plan, run) {
        let state = state_after(plan, step);
        let outcome = record.and_then(|record| record.outcome.as_ref());
        let began = record.is_some();
        match outcome {
            Some(StepOutcome::Done) if step == Step::Specialisations => {
                gaps.extend(specialisations(plan, run));
            }
            Some(StepOutcome::Done) => {
                let seen = state.is_none_or(|state| run.states.contains_key(&state));
                if !seen {
                    let reason = format!("{step} was done, and nothing was observed after it");
                    gaps.push(decisive(state, "state", reason));
                }
            }
            Some(StepOutcome::GuestFailed { reason, .. }) => {
                if is_of_baseline(plan, step) {
                    let reason = format!(
                        "the baseline failed at {step} ({reason}), so that the candidate was never tried"
                    );
                    gaps.push(decisive(state, step.as_str(), reason.clone()));
                    stop.get_or_insert(Stop::Other(reason));
                } else {
                    stop.get_or_insert(Stop::Candidate(step));
                }
            }
            Some(StepOutcome::Unobservable { reason }) => {
                gaps.push(decisive(state, step.as_str(), reason.clone()));
                let reason = format!("{step} could not be observed");
                stop.get_or_insert(Stop::Other(reason));
            }
            Some(StepOutcome::NotOffered { reason }) => gaps.push(Unproven {
                decisive: false,
                ..decisive(state, step.as_str(), format!("skipped: {reason}"))
            }),
            Some(StepOutcome::Skipped) => gaps.push(skipped(state, step, stop.as_ref())),
            None if stop.is_some() && !began => gaps.push(skipped(state, step, stop.as_ref())),
            None => {
                let when = if began { "during" } else { "before" };
                let reason = format!("the recording ends {when} {step}");
                gaps.push(decisive(state, step.as_str(), reason.clone()));
                stop.get_or_insert(Stop::Other(reason));
            }
        }
    }
    gaps
}

/// The specialisations that were neither looked at nor told not to be in the boot menu, in one gap.
fn specialisations(plan: &Plan, run: &Run) -> Option<Unproven> {
    let looks = run.looks();
    let is_seen = |name: &String| {
        let mut seen = looks
            .iter()
            .filter(|(state, _)| *state == State::Specialised);
        seen.any(|(_, record)| record.occasion.as_ref() == Some(name))
    };
    let names = plan.specialisations.iter().map(|known| &known.name);
    let unseen = names
        .filter(|name| !is_seen(name) && !run.not_in_menu.contains(name))
        .map(|name| format!("`{name}` was not looked at"));
    let left_out = plan.specialisations_left_out.iter();
    let left_out = left_out.map(|(name, reason)| format!("`{name}` was not booted: {reason}"));
    let all: Vec<String> = unseen.chain(left_out).collect();
    (!all.is_empty()).then(|| {
        let reason = format!("of the specialisations, {}", all.join("; "));
        let subject = Step::Specialisations.as_str();
        decisive(Some(State::Specialised), subject, reason)
    })
}

/// Whether a failure of this step is one of the baseline, which boots first where there is one.
fn is_of_baseline(plan: &Plan, step: Step) -> bool {
    plan.baseline.is_some() && matches!(step, Step::Provision | Step::Boot)
}

fn skipped(state: Option<State>, step: Step, stop: Option<&Stop>) -> Unproven {
    let reason = match stop {
        Some(Stop::Candidate(failed)) => format!("not tried, because {failed} failed"),
        Some(Stop::Other(reason)) => format!("not tried: {reason}"),
        None => "not tried, and the recording does not say why".to_owned(),
    };
    Unproven {
        decisive: !matches!(stop, Some(Stop::Candidate(_))),
        ..decisive(state, step.as_str(), reason)
    }
}
