//! What was planned and not observed, so that a verdict can never pass on silence.
//!
//! Called by `report`. It adds to what the recording itself calls unproven; it blames no one.

use super::network::is_lost_to_outside;
use crate::fold::{Run, StateRecord, dump_subject, state_after, steps_in_order};
use crate::vocabulary::{Dump, Plan, State, Step, StepOutcome, System, Unproven};

/// The dumps without which a state is not proven. The queue of jobs is only evidence.
const NEEDED: [Dump; 5] = [
    Dump::Identity,
    Dump::SystemState,
    Dump::UnitsFirst,
    Dump::UnitsLast,
    Dump::Journal,
];

/// How many URLs a reason names.
const URLS_SHOWN: usize = 3;

/// All that is unproven: what the verdict depends on first, then by state and subject.
pub fn unproven(plan: &Plan, run: &Run) -> Vec<Unproven> {
    if run.observations == 0 {
        return vec![decisive(None, "rehearsal", "nothing was observed")];
    }
    let mut all = run.unproven.clone();
    let mut gaps = of_steps(plan, run);
    for (&state, record) in &run.states {
        gaps.extend(of_state(plan, state, record));
        gaps.extend(of_network(run, state, record));
    }
    gaps.extend(of_boots(run));
    gaps.extend(of_expectation(plan));
    for gap in gaps {
        // The recording knows better why, where it speaks of the same; it cannot make it weigh less.
        let is_told = |known: &Unproven| {
            known.state == gap.state
                && known.subject == gap.subject
                && (known.decisive || !gap.decisive)
        };
        if !all.iter().any(is_told) {
            all.push(gap);
        }
    }
    all.sort_by(|a, b| {
        (!a.decisive, a.state, &a.subject, &a.reason).cmp(&(
            !b.decisive,
            b.state,
            &b.subject,
            &b.reason,
        ))
    });
    all.dedup();
    all
}

fn decisive(state: Option<State>, subject: &str, reason: impl Into<String>) -> Unproven {
    Unproven {
        state,
        subject: subject.to_owned(),
        reason: reason.into(),
        decisive: true,
    }
}

/// Why the steps after some step were not taken.
enum Stop {
    /// The candidate failed, which a finding tells.
    Candidate(Step),
    /// Nothing was learnt about the candidate: for this reason.
    Other(String),
}

fn of_steps(plan: &Plan, run: &Run) -> Vec<Unproven> {
    if plan.steps.is_empty() {
        return vec![decisive(None, "rehearsal", "no step was planned")];
    }
    let mut gaps = Vec::new();
    let mut stop: Option<Stop> = None;
    for (step, record) in steps_in_order(plan, run) {
        let state = state_after(plan, step);
        let outcome = record.and_then(|record| record.outcome.as_ref());
        let began = record.is_some();
        match outcome {
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

fn of_state(plan: &Plan, state: State, record: &StateRecord) -> Vec<Unproven> {
    let mut gaps: Vec<Unproven> = NEEDED
        .into_iter()
        .filter(|dump| !record.dumped.contains(dump))
        .map(|dump| decisive(Some(state), dump_subject(dump), "it was never dumped"))
        .collect();
    let closure = plan.closure_in(state);
    let unasked: Vec<String> = closure
        .http
        .iter()
        .filter(|endpoint| record.decisive_probe(endpoint).is_none())
        .map(|endpoint| endpoint.url())
        .collect();
    if !unasked.is_empty() {
        let more = match unasked.len().saturating_sub(URLS_SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let shown = &unasked[..unasked.len().min(URLS_SHOWN)];
        let reason = format!("never asked for {}{more}", shown.join(", "));
        gaps.push(decisive(Some(state), "http", reason));
    }
    let of_nginx = closure
        .unreadable
        .iter()
        .find(|(subject, _)| subject.contains("nginx"));
    if let Some((subject, why)) = of_nginx {
        let reason =
            format!("the configuration of nginx could not be read whole: {subject}: {why}");
        gaps.push(decisive(Some(state), "http-endpoints", reason));
    }
    gaps
}

/// The VM's network is the same in every state: what it no longer reaches may be a fault, or a network that only the machine
/// has, and nothing here can tell which.
fn of_network(run: &Run, state: State, record: &StateRecord) -> Option<Unproven> {
    let lost = record
        .http
        .keys()
        .filter(|endpoint| is_lost_to_outside(run, state, record, endpoint))
        .count();
    let reason = format!(
        "{lost} of the endpoints answered from outside at first and answer only from inside now: the network was lost, or \
         it has become one that the VM lacks"
    );
    (lost > 0).then(|| decisive(Some(state), "network", reason))
}

/// A reboot is proven by a new boot id, and a switch by the old one: nothing else tells one boot from the next.
fn of_boots(run: &Run) -> Vec<Unproven> {
    let boot_id = |state: State| run.states.get(&state)?.identity.as_ref()?.boot_id.as_ref();
    let earlier = [State::Before, State::Switched, State::Booted];
    let mut gaps = Vec::new();
    if let Some(rebooted) = boot_id(State::Rebooted)
        && earlier.into_iter().any(|s| boot_id(s) == Some(rebooted))
    {
        let reason = "the boot id is that of an earlier state, so the guest did not reboot";
        gaps.push(decisive(Some(State::Rebooted), "boot-id", reason));
    }
    if let (Some(before), Some(switched)) = (boot_id(State::Before), boot_id(State::Switched))
        && before != switched
    {
        let reason = "the boot id is not that of before, so the guest rebooted on its own";
        gaps.push(decisive(Some(State::Switched), "boot-id", reason));
    }
    gaps
}

/// Where bootproof knows no rule for the expected platform, its userland goes unchecked.
fn of_expectation(plan: &Plan) -> Option<Unproven> {
    match &plan.expect_system {
        System::X86_64Linux | System::I686Linux => None,
        System::Other(system) => Some(Unproven {
            decisive: false,
            ..decisive(
                None,
                "userland-architecture",
                format!("there is no rule which executables are native to {system}"),
            )
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, Recording};
    use crate::vocabulary::{HttpAnswer, Observation, ProbeRoute};

    fn gaps(plan: &Plan, recording: &Recording) -> Vec<(Option<State>, String, bool)> {
        let all = unproven(plan, &recording.run(plan));
        all.into_iter()
            .map(|u| (u.state, u.subject, u.decisive))
            .collect()
    }

    #[test]
    fn a_whole_recording_leaves_nothing_unproven() {
        let (plan, recording) = testing::healthy_recording();
        assert_eq!(gaps(&plan, &recording), []);
        let (plan, recording) = testing::outage_recording();
        assert_eq!(gaps(&plan, &recording), []);
    }

    #[test]
    fn no_observation_is_unproven() {
        let (plan, _) = testing::healthy_recording();
        let all = unproven(&plan, &Run::default());
        assert_eq!(all.len(), 1);
        assert!(all[0].decisive);
    }

    #[test]
    fn a_reboot_without_a_new_boot_id_is_none() {
        let (plan, mut recording) = testing::healthy_recording();
        let before = recording.guests[&State::Before].identity["boot_id"].clone();
        let rebooted = &mut recording.guest(State::Rebooted).identity;
        let own = rebooted.insert("boot_id", before).unwrap();
        let expected = (Some(State::Rebooted), "boot-id".to_owned(), true);
        assert_eq!(gaps(&plan, &recording), [expected]);
        recording
            .guest(State::Rebooted)
            .identity
            .insert("boot_id", own.clone());
        let third = own.replace('5', "6");
        recording
            .guest(State::Switched)
            .identity
            .insert("boot_id", third);
        let expected = (Some(State::Switched), "boot-id".to_owned(), true);
        assert_eq!(gaps(&plan, &recording), [expected]);
    }

    #[test]
    fn a_second_reboot_that_was_planned_and_not_made_is_missed() {
        let (mut plan, recording) = testing::healthy_recording();
        plan.steps.push(Step::WarmReboot);
        let expected = (Some(State::Rebooted), "warm-reboot".to_owned(), true);
        assert_eq!(gaps(&plan, &recording), [expected]);
    }

    #[test]
    fn the_recording_cannot_make_a_gap_weigh_less() {
        let (plan, mut recording) = testing::healthy_recording();
        recording.guest(State::Rebooted).http.clear();
        recording.more.push(Observation::Unproven(Unproven {
            decisive: false,
            ..decisive(Some(State::Rebooted), "http", "no network")
        }));
        assert!(gaps(&plan, &recording)[0].2);
    }

    #[test]
    fn a_network_that_is_lost_on_the_way_is_unproven() {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Rebooted);
        for endpoint in testing::endpoints() {
            guest.answer(2, endpoint.clone(), HttpAnswer::TimedOut);
            let inside = (2, endpoint, ProbeRoute::Inside, testing::status(200));
            guest.http.push(inside);
        }
        let expected = (Some(State::Rebooted), "network".to_owned(), true);
        assert_eq!(gaps(&plan, &recording), [expected]);
    }

    #[test]
    fn every_dump_and_every_endpoint_is_missed() {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Rebooted);
        guest.without = NEEDED.to_vec();
        guest.http.remove(0);
        let subjects: Vec<String> = gaps(&plan, &recording).into_iter().map(|g| g.1).collect();
        assert_eq!(
            subjects,
            [
                "http",
                "identity",
                "journal",
                "system-state",
                "units-first",
                "units-last"
            ]
        );
    }

    #[test]
    fn what_a_failed_candidate_kept_from_being_tried_is_not_decisive() {
        let (plan, mut recording) = testing::healthy_recording();
        let outcome = StepOutcome::GuestFailed {
            stage: None,
            reason: "no end within 300 s".to_owned(),
            last_line: None,
        };
        recording.fail_step(Step::Switch, outcome);
        recording.guests.retain(|state, _| *state == State::Before);
        assert_eq!(
            gaps(&plan, &recording),
            [(Some(State::Rebooted), "warm-reboot".to_owned(), false)]
        );
    }

    #[test]
    fn a_baseline_that_fails_leaves_the_candidate_unproven() {
        let (plan, mut recording) = testing::healthy_recording();
        let outcome = StepOutcome::GuestFailed {
            stage: None,
            reason: "kernel panic".to_owned(),
            last_line: None,
        };
        recording.fail_step(Step::Boot, outcome);
        recording.guests.clear();
        assert!(gaps(&plan, &recording).iter().all(|gap| gap.2));
        assert_eq!(gaps(&plan, &recording).len(), 3);
    }

    #[test]
    fn a_recording_that_was_cut_short_is_unproven() {
        let (plan, observations) = testing::healthy();
        for length in 1..observations.len() - 3 {
            let run = crate::fold::fold(&observations[..length]);
            let all = unproven(&plan, &run);
            assert!(all.iter().any(|u| u.decisive), "cut after {length}");
        }
    }

    #[test]
    fn an_nginx_that_could_not_be_read_is_unproven() {
        let (mut plan, recording) = testing::healthy_recording();
        let entry = ("nginx.conf".to_owned(), "an include is missing".to_owned());
        plan.candidate.unreadable.push(entry);
        let states: Vec<Option<State>> = gaps(&plan, &recording).into_iter().map(|g| g.0).collect();
        assert_eq!(states, [Some(State::Switched), Some(State::Rebooted)]);
    }
}
