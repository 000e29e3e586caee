use super::*;
use crate::testing::{self, Recording};
use crate::vocabulary::State;

fn said(recording: &mut Recording, at_s: u64, message: &str) {
    recording.append_journal(
            State::Rebooted,
            &format!(
                r#"{{"MESSAGE":"{message}","UNIT":"alpha.service","SYSLOG_IDENTIFIER":"systemd","__MONOTONIC_TIMESTAMP":"{at_s}000000"}}"#
            ),
        );
}

fn of(recording: &Recording) -> Vec<(String, Stability)> {
    let run = recording.run(&testing::plan());
    let found = unstable(&run.states[&State::Rebooted], false).unwrap();
    found.into_iter().map(|u| (u.unit, u.stability)).collect()
}

fn alpha(stability: Stability) -> Vec<(String, Stability)> {
    vec![("alpha.service".to_owned(), stability)]
}

#[test]
fn all_is_stable_in_a_healthy_system() {
    let (_, recording) = testing::healthy_recording();
    assert_eq!(of(&recording), []);
}

#[test]
fn a_fast_loop_is_seen_by_its_count_and_one_that_gave_up_by_its_result() {
    let (_, mut recording) = testing::healthy_recording();
    let guest = recording.guest(State::Rebooted);
    guest.set_last("alpha.service", "NRestarts", "4");
    assert_eq!(of(&recording), alpha(Stability::Looping));
    let guest = recording.guest(State::Rebooted);
    guest.set_last("alpha.service", "ActiveState", "failed");
    guest.set_last("alpha.service", "SubState", "failed");
    guest.set_last("alpha.service", "Result", "start-limit-hit");
    assert_eq!(of(&recording), alpha(Stability::StartLimitHit));
}

#[test]
fn a_slow_loop_is_unproven_and_a_service_that_recovered_long_ago_is_stable() {
    for (end, expected) in [(130, alpha(Stability::Unproven)), (400, Vec::new())] {
        let (_, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Rebooted);
        guest.set_unit("alpha.service", &[("NRestarts", "2")]);
        said(&mut recording, 10, "Started alpha.service - Alpha.");
        for (at, n) in [(60, 1), (120, 2)] {
            let text = format!("alpha.service: Scheduled restart job, restart counter is at {n}.");
            said(&mut recording, at, &text);
        }
        said(&mut recording, end, "something");
        assert_eq!(of(&recording), expected, "{end}");
    }
}

#[test]
fn what_somebody_stops_and_starts_again_and_again_flaps() {
    let (_, mut recording) = testing::healthy_recording();
    said(&mut recording, 1, "Started alpha.service - Alpha.");
    for at in 2..4 {
        assert_eq!(of(&recording), []);
        said(&mut recording, at, "Stopped alpha.service - Alpha.");
        said(&mut recording, at, "Started alpha.service - Alpha.");
    }
    assert_eq!(of(&recording), alpha(Stability::Flapping));
    let guest = recording.guest(State::Rebooted);
    guest.set_unit("alpha.service", &[("TriggeredBy", "alpha.timer")]);
    assert_eq!(of(&recording), []);
}

#[test]
fn what_starts_for_the_whole_window_is_stuck_and_what_began_in_it_is_unproven() {
    let (_, mut recording) = testing::healthy_recording();
    let guest = recording.guest(State::Rebooted);
    guest.set_last("alpha.service", "ActiveState", "activating");
    guest.set_last("alpha.service", "SubState", "start");
    assert_eq!(of(&recording), alpha(Stability::Unproven));
    let guest = recording.guest(State::Rebooted);
    guest.set_unit(
        "alpha.service",
        &[("ActiveState", "activating"), ("SubState", "start")],
    );
    assert_eq!(of(&recording), alpha(Stability::StuckActivating));
}

#[test]
fn one_sample_shows_nothing() {
    let (plan, mut recording) = testing::healthy_recording();
    let guest = recording.guest(State::Rebooted);
    guest.without = vec![crate::vocabulary::Dump::UnitsFirst];
    let run = recording.run(&plan);
    assert_eq!(unstable(&run.states[&State::Rebooted], false), None);
}
