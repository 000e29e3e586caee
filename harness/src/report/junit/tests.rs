use super::*;
use crate::report::{Report, report};
use crate::testing::{self, Recording};
use crate::vocabulary::{Observation, Plan, Stage, State, Step, StepOutcome, Unproven};

fn of(plan: &Plan, recording: &Recording) -> Report {
    report(plan, &recording.observations_of(plan))
}

/// Of each suite the line that it begins with.
fn suites(xml: &str) -> Vec<&str> {
    let lines = xml.lines().map(str::trim);
    lines.filter(|l| l.starts_with("<testsuite ")).collect()
}

fn count(xml: &str, what: &str) -> usize {
    xml.matches(what).count()
}

#[test]
fn a_healthy_rehearsal_is_green_and_every_state_has_its_checks() {
    let (plan, recording) = testing::healthy_recording();
    let xml = render(&of(&plan, &recording));
    let names = ["rehearsal", "inspected", "before", "switched", "rebooted"];
    for (suite, name) in suites(&xml).iter().zip(names) {
        assert!(suite.contains(&format!("name=\"{name}\"")), "{suite}");
        assert!(suite.contains("failures=\"0\" errors=\"0\""), "{suite}");
    }
    assert_eq!(suites(&xml).len(), names.len());
    assert_eq!(count(&xml, "name=\"unit-failed\""), 3);
    assert_eq!(count(&xml, "name=\"executability\""), 1);
    assert_eq!(count(&xml, "name=\"step warm-reboot\" time="), 1, "{xml}");
}

#[test]
fn the_outage_fails_in_the_states_that_show_it_with_cause_and_evidence() {
    let (plan, recording) = testing::outage_recording();
    let xml = render(&of(&plan, &recording));
    let exec_failed = xml.split("exec-failed alpha.service").nth(1).unwrap();
    let case = &exec_failed[..exec_failed.find("</testcase>").unwrap()];
    for needle in [
        "<failure type=\"exec-failed\"",
        "latent until reboot",
        "cause: ",
        "next: ",
        "Exec format error",
    ] {
        assert!(case.contains(needle), "{needle} is not in {case}");
    }
    // It is seen in two states, and is a case of both.
    assert_eq!(count(&xml, "userland-architecture userland"), 2, "{xml}");
    assert_eq!(count(&xml, "name=\"exec-failed\""), 2, "{xml}");
}

#[test]
fn what_was_not_observed_is_never_green() {
    let (plan, mut recording) = testing::healthy_recording();
    for decisive in [true, false] {
        recording.more.push(Observation::Unproven(Unproven {
            state: Some(State::Switched),
            subject: format!("a-{decisive}"),
            reason: "nobody looked".to_owned(),
            decisive,
        }));
    }
    let xml = render(&of(&plan, &recording));
    assert_eq!(count(&xml, "<error type=\"unproven\""), 1, "{xml}");
    assert_eq!(count(&xml, "<skipped message=\"nobody looked\""), 1);
    assert_eq!(count(&xml, "<error type=\"verdict\""), 1);
    let nothing = render(&report(&plan, &[]));
    assert!(nothing.contains("message=\"nothing was observed\""));
    assert_eq!(count(&nothing, "name=\"unit-failed\"/>"), 0, "{nothing}");
    assert_eq!(count(&nothing, "name=\"executability\""), 0, "{nothing}");
}

#[test]
fn the_checks_of_a_state_that_was_never_reached_are_skipped() {
    let (plan, mut recording) = testing::healthy_recording();
    recording.fail_step(
        Step::WarmReboot,
        StepOutcome::GuestFailed {
            stage: Some(Stage::Initrd),
            reason: "kernel panic".to_owned(),
            last_line: Some("end Kernel panic".to_owned()),
        },
    );
    let xml = render(&of(&plan, &recording));
    let rebooted = xml.split("<testsuite name=\"rebooted\"").nth(1).unwrap();
    let failure = "<failure type=\"guest-failed\" message=\"kernel panic\">console: end Kernel panic</failure>";
    assert!(rebooted.contains(failure), "{rebooted}");
    assert_eq!(count(rebooted, "this state was not seen"), 14, "{rebooted}");
}

#[test]
fn a_warning_passes_and_is_told() {
    let (plan, mut recording) = testing::healthy_recording();
    let guest = recording.guest(State::Rebooted);
    guest.log_kernel("watchdog: BUG: soft lockup - CPU#0 stuck for 22s!");
    let xml = render(&of(&plan, &recording));
    assert_eq!(count(&xml, "<system-out>warning: "), 1, "{xml}");
    assert_eq!(count(&xml, "<failure"), 0);
}
