//! What the bootloader's files said against what then booted: a prediction that does not come true is a fault of bootproof's own
//! reading, and a verdict does not pass over it.

use std::collections::BTreeMap;

use crate::fold::{Run, StateRecord};
use crate::vocabulary::{Plan, Prediction, State, Unproven};

/// The toplevel that the first boot after `boot` started: `/run/booted-system`; `boot` is `None` for the installation on the fresh disk.
pub(super) fn booted_after<'a>(plan: &Plan, run: &'a Run, boot: Option<u32>) -> Option<&'a str> {
    firsts_after(plan, run, boot).first()?.1
}

/// The states in which the first boot after `boot` was seen, and what had booted: one, or one of each way where ways part there.
fn firsts_after<'a>(plan: &Plan, run: &'a Run, boot: Option<u32>) -> Vec<(State, Option<&'a str>)> {
    let way = |boot: Option<u32>| plan.way_of(boot.unwrap_or_default());
    let mut firsts: BTreeMap<u32, (State, &StateRecord)> = BTreeMap::new();
    for (state, record) in run.looks() {
        if record.boot > boot && (way(boot) == 0 || way(boot) == way(record.boot)) {
            let first = firsts.entry(way(record.boot)).or_insert((state, record));
            if record.boot < first.1.boot {
                *first = (state, record);
            }
        }
    }
    // What comes after the ways have parted is no first boot where one came before.
    if let Some(before) = firsts.remove(&0) {
        firsts = BTreeMap::from([(0, before)]);
    }
    let seen = firsts.into_values().filter(|(_, r)| r.identity.is_some());
    seen.map(|(state, record)| (state, record.booted()))
        .collect()
}

/// What was not foretold, or wrongly. Of several predictions within one boot, the last is what the next boot is compared with.
pub(super) fn unproven(plan: &Plan, run: &Run) -> Vec<Unproven> {
    let installed = run.installed.iter().map(|told| (None, None, told));
    let looks = run.looks();
    let is_last = |state: State, boot: Option<u32>| {
        let mut later = looks.iter().filter(|(other, _)| *other > state);
        !later.any(|(_, record)| record.boot == boot && record.next_boot.is_some())
    };
    let states = looks.iter().filter_map(|&(state, record)| {
        let told = record.next_boot.as_ref()?;
        // After that look the machine is thrown away.
        if state == State::CutInSwitch {
            return None;
        }
        is_last(state, record.boot).then_some((Some(state), record.boot, told))
    });
    let by_machines = installed
        .chain(states)
        .flat_map(|(state, boot, told)| of(plan, run, state, boot, told));
    by_machines.chain(by_disks(run)).collect()
}

/// What was read from the disk before a power-on, and did not come true. A disk that said nothing decides nothing: the boot is what counts.
fn by_disks(run: &Run) -> impl Iterator<Item = Unproven> {
    let looks = run.looks();
    run.boots.iter().filter_map(move |boot| {
        let told = boot.foretold.as_ref()?;
        let first = looks
            .iter()
            .find(|(_, record)| record.boot == Some(boot.number))?;
        let (state, record) = *first;
        refuted(told, record.booted()?, state, "on the disk")
    })
}

fn of(
    plan: &Plan,
    run: &Run,
    state: Option<State>,
    boot: Option<u32>,
    told: &Prediction,
) -> Vec<Unproven> {
    match told {
        // Only what the deploy left matters enough to be told.
        Prediction::Unknown { reason } if state == Some(State::Switched) => {
            let reason =
                format!("what the machine boots next was not read from its bootloader: {reason}");
            vec![gap(state, reason, false)]
        }
        Prediction::Unknown { .. } => Vec::new(),
        Prediction::Entry { .. } => firsts_after(plan, run, boot)
            .into_iter()
            .filter(|(state, _)| !is_exempt(*state))
            .filter_map(|(state, booted)| refuted(told, booted?, state, "in the machine"))
            .collect(),
    }
}

/// A power cut loses what the prediction was read from, which is the disk's fault, or the closure's; a rollback or a specialisation was
/// chosen after it.
fn is_exempt(state: State) -> bool {
    matches!(
        state,
        State::PowerCut | State::CutInSwitch | State::RolledBack | State::Specialised
    )
}

/// The gap of a prediction that was read `place` and did not come true in `state`.
fn refuted(told: &Prediction, booted: &str, state: State, place: &str) -> Option<Unproven> {
    let Prediction::Entry {
        entry,
        chosen_by,
        toplevel: Some(toplevel),
        ..
    } = told
    else {
        return None;
    };
    let reason = format!(
        "bootproof read {place} that `{entry}` would boot {toplevel} (by {chosen_by}), and {booted} booted: its reading of the \
         bootloader is wrong, or the bootloader went back to another entry"
    );
    (booted != toplevel).then(|| gap(Some(state), reason, true))
}

fn gap(state: Option<State>, reason: String, decisive: bool) -> Unproven {
    Unproven {
        state,
        subject: "next-boot".to_owned(),
        reason,
        decisive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::coverage;
    use crate::testing::{self, Recording};
    use crate::vocabulary::{Observation, Step};

    fn told(toplevel: &str) -> Prediction {
        Prediction::Entry {
            loader: "GRUB".to_owned(),
            entry: "NixOS - Default".to_owned(),
            chosen_by: "default of /boot/grub/grub.cfg".to_owned(),
            toplevel: Some(toplevel.to_owned()),
            fallback: None,
            offered: Vec::new(),
        }
    }

    fn gaps(state: Option<State>, prediction: Prediction) -> Vec<Unproven> {
        let (plan, mut recording): (Plan, Recording) = testing::healthy_recording();
        recording
            .more
            .push(Observation::Predicted { state, prediction });
        coverage::unproven(&plan, &recording.run(&plan))
    }

    #[test]
    fn a_prediction_that_comes_true_is_no_gap() {
        assert_eq!(gaps(None, told(testing::BASELINE)), []);
        assert_eq!(gaps(Some(State::Switched), told(testing::CANDIDATE)), []);
    }

    #[test]
    fn what_the_switch_has_changed_since_is_not_held_against_a_prediction() {
        let (plan, mut recording) = testing::healthy_recording();
        for (state, toplevel) in [
            (State::Before, testing::BASELINE),
            (State::Switched, testing::CANDIDATE),
            (State::Rebooted, testing::CANDIDATE),
        ] {
            recording.more.push(Observation::Predicted {
                state: Some(state),
                prediction: told(toplevel),
            });
        }
        assert_eq!(coverage::unproven(&plan, &recording.run(&plan)), []);
        assert_eq!(testing::finding_ids(&plan, &recording), [""; 0]);
    }

    #[test]
    fn a_prediction_that_does_not_come_true_keeps_a_verdict_from_passing() {
        let wrong = gaps(Some(State::Switched), told(testing::BASELINE));
        assert_eq!(wrong.len(), 1);
        assert!(wrong[0].decisive && wrong[0].reason.contains("NixOS - Default"));
        assert_eq!(
            gaps(None, told(testing::CANDIDATE))[0].state,
            Some(State::Before)
        );
    }

    #[test]
    fn what_a_power_cut_lost_is_not_held_against_a_prediction() {
        let (mut plan, _) = testing::healthy_recording();
        plan.steps = vec![Step::Boot, Step::Switch, Step::PowerCut];
        let mut recording = Recording::healthy(&plan);
        let identity = &mut recording.guest(State::PowerCut).identity;
        identity.insert("booted", testing::BASELINE.to_owned());
        recording.more.push(Observation::Predicted {
            state: Some(State::Switched),
            prediction: told(testing::CANDIDATE),
        });
        let run = recording.run(&plan);
        assert_eq!(booted_after(&plan, &run, Some(1)), Some(testing::BASELINE));
        assert_eq!(unproven(&plan, &run), []);
    }

    #[test]
    fn what_the_disk_said_before_a_power_on_is_held_against_what_booted_a_power_cut_or_not() {
        let (mut plan, _) = testing::healthy_recording();
        plan.steps = vec![Step::Boot, Step::Switch, Step::PowerCut];
        let mut recording = Recording::healthy(&plan);
        let boot = recording.run(&plan).states[&State::PowerCut].boot.unwrap();
        let mut gaps = |prediction| {
            recording.more = vec![Observation::Foretold { boot, prediction }];
            unproven(&plan, &recording.run(&plan))
        };
        assert_eq!(gaps(told(testing::CANDIDATE)), []);
        let reason = "no menu".to_owned();
        assert_eq!(gaps(Prediction::Unknown { reason }), []);
        let wrong = gaps(told(testing::BASELINE));
        assert_eq!(wrong.len(), 1);
        assert_eq!(wrong[0].state, Some(State::PowerCut));
        assert!(wrong[0].decisive && wrong[0].reason.contains("on the disk"));
    }

    #[test]
    fn each_of_several_ways_side_by_side_is_held_against_what_the_switch_left() {
        let (mut plan, _) = testing::healthy_recording();
        plan.steps = vec![Step::Boot, Step::Switch, Step::ColdReboot, Step::Reset];
        plan.side_by_side = true;
        let recording = Recording::healthy(&plan);
        let mut run = recording.run(&plan);
        let ways = [(State::ColdRebooted, 101), (State::Reset, 201)];
        for (state, boot) in ways {
            run.states.get_mut(&state).unwrap().boot = Some(boot);
        }
        let switched = run.states.get_mut(&State::Switched).unwrap();
        switched.next_boot = Some(told(testing::BASELINE));
        let states: Vec<_> = unproven(&plan, &run).iter().map(|gap| gap.state).collect();
        assert_eq!(states, ways.map(|(state, _)| Some(state)));
    }

    #[test]
    fn what_could_not_be_read_is_told_and_decides_nothing() {
        let unknown = Prediction::Unknown {
            reason: "/boot/grub/grub.cfg: there is none".to_owned(),
        };
        let gaps = gaps(Some(State::Switched), unknown);
        assert!(gaps.len() == 1 && !gaps[0].decisive);
    }
}
