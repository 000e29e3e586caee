use super::*;
use crate::testing::{self, Recording};
use crate::vocabulary::{HttpAnswer, Observation, ProbeRoute, Step, StepOutcome};

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
fn a_specialisation_that_was_neither_seen_nor_missed_in_the_menu_is_a_gap() {
    let (mut plan, mut recording) = testing::specialised_recording(&["gaming", "work"]);
    assert_eq!(gaps(&plan, &recording), []);
    recording.specialised.remove("work");
    let gap = (Some(State::Specialised), "specialisations".to_owned(), true);
    assert_eq!(gaps(&plan, &recording), std::slice::from_ref(&gap));
    recording.more.push(Observation::Specialisation {
        name: "work".to_owned(),
        in_menu: false,
    });
    assert_eq!(gaps(&plan, &recording), []);
    let reason = "its link leads to no store path of the candidate".to_owned();
    plan.specialisations_left_out = vec![("gone".to_owned(), reason)];
    assert_eq!(gaps(&plan, &recording), [gap]);
}

#[test]
fn a_candidate_without_specialisations_leaves_nothing_that_a_verdict_waits_for() {
    let (plan, mut recording) = testing::specialised_recording(&[]);
    let reason = "the candidate has no specialisations".to_owned();
    recording.fail_step(Step::Specialisations, StepOutcome::NotOffered { reason });
    let gap = (
        Some(State::Specialised),
        "specialisations".to_owned(),
        false,
    );
    assert_eq!(gaps(&plan, &recording), [gap]);
    assert_eq!(testing::finding_ids(&plan, &recording), [""; 0]);
}

#[test]
fn what_a_specialisation_does_not_serve_is_not_asked_of_it() {
    let (mut plan, mut recording) = testing::specialised_recording(&["gaming"]);
    plan.specialisations[0].closure.http.clear();
    recording
        .specialised
        .get_mut("gaming")
        .unwrap()
        .http
        .clear();
    assert_eq!(gaps(&plan, &recording), []);
    assert_eq!(testing::finding_ids(&plan, &recording), [""; 0]);
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
