//! Makes one finding of what a check found about a subject in several states.
//!
//! Called by `check::run`. It decides what is latent, and that a fault of the baseline alone is a warning.

use std::collections::BTreeMap;

use crate::fold::Run;
use crate::vocabulary::{Check, Finding, Plan, Severity, State};

use super::CHECKS;

/// More quotations than anyone reads.
const EVIDENCE_LIMIT: usize = 8;

pub(super) fn merge(plan: &Plan, run: &Run, findings: Vec<Finding>) -> Vec<Finding> {
    let mut groups: BTreeMap<(Check, String), BTreeMap<State, Finding>> = BTreeMap::new();
    for finding in findings {
        let group = groups
            .entry((finding.check, finding.subject.clone()))
            .or_default();
        match group.get_mut(&finding.state) {
            Some(first) => absorb(first, finding),
            None => {
                group.insert(finding.state, finding);
            }
        }
    }
    let mut merged: Vec<Finding> = groups
        .into_values()
        .filter_map(|group| merge_states(plan, run, group))
        .collect();
    merged.sort_by(|a, b| (a.state, a.check, &a.subject).cmp(&(b.state, b.check, &b.subject)));
    merged
}

/// The same subject twice in one state, such as one URL on two listeners.
fn absorb(first: &mut Finding, second: Finding) {
    first.severity = first.severity.max(second.severity);
    for evidence in second.evidence {
        if first.evidence.len() < EVIDENCE_LIMIT && !first.evidence.contains(&evidence) {
            first.evidence.push(evidence);
        }
    }
}

fn merge_states(plan: &Plan, run: &Run, group: BTreeMap<State, Finding>) -> Option<Finding> {
    let states: Vec<State> = group.keys().copied().collect();
    // What the untouched baseline has, no power cut in a switch did, and a rollback to it has again.
    let is_old = |state: State| match state {
        State::Before => true,
        State::CutInSwitch | State::RolledBack => group.contains_key(&State::Before),
        _ => false,
    };
    // Where the candidate has it too, how bad it is there is what counts.
    let severity = group
        .values()
        .filter(|f| !is_old(f.state))
        .map(|f| f.severity)
        .max();
    let mut finding = group.into_values().next()?;
    finding.also_in = states[1..].to_vec();
    finding.severity = severity.unwrap_or(Severity::Warning);
    if severity.is_none() {
        let mut candidates = State::ALL.into_iter().filter(|state| match state {
            State::RolledBack | State::Specialised => false,
            state => *state == State::Switched || state.is_after_a_reboot(),
        });
        let later = candidates.any(|state| observed(run, finding.check, state));
        finding.summary.push_str(if later {
            "; the baseline has it, the candidate has not"
        } else {
            "; this is the baseline, and the candidate was not seen"
        });
    }
    finding.latent = is_latent(plan, run, &finding);
    Some(finding)
}

/// Only what the states before the reboot could have shown, and did not, is latent.
fn is_latent(plan: &Plan, run: &Run, finding: &Finding) -> bool {
    plan.baseline.is_some()
        && finding.state.is_after_a_reboot()
        // No deploy that goes well says anything of it, and no reboot.
        && finding.state != State::Specialised
        && observed(run, finding.check, State::Before)
        && observed(run, finding.check, State::Switched)
}

fn observed(run: &Run, check: Check, state: State) -> bool {
    let row = CHECKS.iter().find(|row| row.check == check);
    run.states
        .get(&state)
        .is_some_and(|record| row.is_none_or(|row| (row.observed)(record)))
}

#[cfg(test)]
mod tests {
    use crate::testing;
    use crate::vocabulary::{Dump, Severity, State, Step};

    #[test]
    fn a_fault_of_several_states_is_one_finding() {
        let (plan, mut recording) = testing::healthy_recording();
        for state in [State::Before, State::Switched, State::Rebooted] {
            let guest = recording.guest(state);
            guest.set_unit("alpha.service", &[("ActiveState", "failed")]);
        }
        let findings = testing::findings(&plan, &recording);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].id(), "before/unit-failed/alpha.service");
        assert_eq!(findings[0].also_in, [State::Switched, State::Rebooted]);
        assert_eq!(findings[0].severity, Severity::Error);
        assert!(!findings[0].latent);
    }

    #[test]
    fn a_fault_of_the_baseline_alone_is_a_warning() {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Before);
        guest.set_unit("alpha.service", &[("ActiveState", "failed")]);
        let findings = testing::findings(&plan, &recording);
        assert_eq!(findings[0].severity, Severity::Warning);
        assert!(findings[0].summary.ends_with("the candidate has not"));
    }

    #[test]
    fn what_only_the_way_back_shows_is_the_candidates_and_what_was_there_before_is_not() {
        let (mut plan, _) = testing::healthy_recording();
        plan.steps = vec![Step::Boot, Step::Switch, Step::Rollback];
        let found = |states: &[State]| {
            let mut recording = testing::Recording::healthy(&plan);
            for state in states {
                let guest = recording.guest(*state);
                guest.set_unit("alpha.service", &[("ActiveState", "failed")]);
            }
            let mut findings = testing::findings(&plan, &recording);
            assert_eq!(findings.len(), states.len().min(1), "{findings:#?}");
            findings.pop()
        };
        assert_eq!(found(&[]), None);
        let of_the_way_back = found(&[State::RolledBack]).unwrap();
        assert_eq!(of_the_way_back.severity, Severity::Error);
        assert!(of_the_way_back.latent);
        let of_the_baseline = found(&[State::Before, State::RolledBack]).unwrap();
        assert_eq!(of_the_baseline.severity, Severity::Warning);
        assert!(of_the_baseline.summary.ends_with("the candidate has not"));
    }

    #[test]
    fn what_the_untouched_baseline_has_no_power_cut_did() {
        let failed = |states: &[State]| {
            let (mut plan, _) = testing::healthy_recording();
            plan.steps.insert(1, Step::PowerCutInSwitch);
            let mut recording = testing::Recording::healthy(&plan);
            for state in states {
                let guest = recording.guest(*state);
                guest.set_unit("alpha.service", &[("ActiveState", "failed")]);
            }
            let findings = testing::findings(&plan, &recording);
            assert_eq!(findings.len(), 1);
            assert!(!findings[0].latent);
            findings[0].severity
        };
        let (before, cut) = (State::Before, State::CutInSwitch);
        assert_eq!(failed(&[before, cut]), Severity::Warning);
        assert_eq!(failed(&[cut]), Severity::Error);
        assert_eq!(failed(&[before, cut, State::Rebooted]), Severity::Error);
    }

    #[test]
    fn latent_needs_the_states_before_to_have_been_observed() {
        let (plan, mut recording) = testing::outage_recording();
        let latent = |recording: &testing::Recording| {
            let findings = testing::findings(&plan, recording);
            let latent = findings.iter().filter(|f| f.latent);
            latent.map(|f| f.check.as_str()).collect::<Vec<_>>()
        };
        assert!(latent(&recording).contains(&"restart-loop"));
        recording.guest(State::Switched).without = vec![Dump::UnitsFirst, Dump::UnitsLast];
        assert!(!latent(&recording).contains(&"restart-loop"));
        assert!(latent(&recording).contains(&"kernel-architecture"));
    }

    #[test]
    fn nothing_is_latent_without_a_baseline() {
        let plan = testing::without_baseline();
        let mut recording = testing::Recording::healthy(&plan);
        let guest = recording.guest(State::Rebooted);
        guest.set_unit("alpha.service", &[("ActiveState", "failed")]);
        let findings = testing::findings(&plan, &recording);
        assert_eq!(findings[0].id(), "rebooted/unit-failed/alpha.service");
        assert!(!findings[0].latent);
    }
}
