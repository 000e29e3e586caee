use std::collections::BTreeSet;

use super::*;
use crate::report::report;
use crate::testing;
use crate::vocabulary::{Observation, Stage, State, Step, StepOutcome};

fn page_of(plan: &Plan, observations: &[Recorded]) -> String {
    let recording = Recording {
        plan,
        observations,
        screens: &[],
    };
    render(&report(plan, observations), &recording).unwrap()
}

/// The values of an attribute, in order.
fn values<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    let lead = format!(" {attribute}=\"");
    page.split(&lead)
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect()
}

/// What every page must be.
fn assert_sound(page: &str) {
    let ids = values(page, "id");
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len(), "an id stands twice");
    for href in values(page, "href") {
        let target = href.strip_prefix('#');
        assert!(
            href == "data:," || target.is_some_and(|id| unique.contains(id)),
            "{href} leads nowhere"
        );
    }
    assert_eq!(page.matches("<script").count(), 1);
    assert!(!page.contains("http-equiv=\"refresh\"") && !page.contains("<link rel=\"style"));
}

#[test]
fn the_outage_is_told_with_its_cause_before_all_else() {
    let (plan, observations) = testing::outage();
    let page = page_of(&plan, &observations);
    assert_sound(&page);
    let at = |text: &str| {
        page.find(text)
            .unwrap_or_else(|| panic!("{text} is missing"))
    };
    let cause = at("an i686-linux kernel runs x86_64 executables");
    assert!(cause < at("id=\"next\"") && at("id=\"next\"") < at("id=\"states\""));
    assert!(at("id=\"states\"") < at("id=\"findings\""));
    // The evidence of a finding, and the same line in its place, linked both ways.
    let line = "journal-rebooted-";
    assert!(
        page.contains(&format!("href=\"#{line}")) && page.contains(&format!("mark id=\"{line}"))
    );
    assert!(page.contains("href=\"#finding-"));
}

#[test]
fn a_pass_and_a_recording_of_nothing_are_sound_too() {
    let (plan, observations) = testing::healthy();
    let page = page_of(&plan, &observations);
    assert_sound(&page);
    assert!(page.contains("id=\"verdict\">pass<"));
    let page = page_of(&plan, &[]);
    assert_sound(&page);
    assert!(page.contains("id=\"verdict\">unproven<"));
    assert!(!page.contains("id=\"timeline\""));
    let files_alone = Plan {
        steps: Vec::new(),
        ..plan
    };
    let page = page_of(&files_alone, &observations[..1]);
    assert_sound(&page);
    assert!(!page.contains("id=\"states\""));
}

/// Markup, a script's end, an escape sequence, a change of direction, and no end.
const HOSTILE: &str = "</pre></script><script>alert(1)</script><img src=x onerror=alert(2)>\"'>\u{1b}[31m\u{202e}evil&amp;";

#[test]
fn what_a_guest_says_stays_text() {
    let (plan, mut recording) = testing::healthy_recording();
    recording.fail_step(
        Step::WarmReboot,
        StepOutcome::GuestFailed {
            stage: Some(Stage::Kernel),
            reason: HOSTILE.to_owned(),
            last_line: Some(HOSTILE.to_owned()),
        },
    );
    recording.guests.remove(&State::Rebooted);
    recording.console = vec![HOSTILE.to_owned(), "x".repeat(1 << 20)];
    recording.switch = (4, format!("warning: {HOSTILE}\n"));
    let guest = recording.guest(State::Switched);
    guest.log_unit(HOSTILE, HOSTILE);
    let page = page_of(&plan, &recording.observations_of(&plan));
    assert_sound(&page);
    for forbidden in ["<img", "alert(1)</script>", "\u{1b}", "\u{202e}"] {
        assert!(!page.contains(forbidden), "{forbidden:?}");
    }
    assert!(page.len() < 300_000, "{}", page.len());
}

#[test]
fn a_console_without_end_is_a_page_with_an_end() {
    let (plan, mut recording) = testing::healthy_recording();
    let panic = "[    1.000000] Kernel panic - not syncing: VFS: Unable to mount root fs";
    recording.fail_step(
        Step::WarmReboot,
        StepOutcome::GuestFailed {
            stage: Some(Stage::Kernel),
            reason: "kernel panic".to_owned(),
            last_line: Some(panic.to_owned()),
        },
    );
    recording.guests.remove(&State::Rebooted);
    let chatter = |n: usize| format!("line {n}");
    recording.console = (0..20_000).map(chatter).collect();
    recording.console.push(panic.to_owned());
    recording.console.extend((0..300).map(chatter));
    let page = page_of(&plan, &recording.observations_of(&plan));
    assert_sound(&page);
    assert!(page.contains("lines left out"));
    assert!(page.contains("console-2.log has all"));
    assert!(page.contains("<mark id=\"console-2-20001\">"));
    assert!(page.len() < 200_000, "{}", page.len());
}

#[test]
fn a_screen_is_shown_or_said_to_be_missing() {
    let (plan, mut recording) = testing::healthy_recording();
    recording.more.push(Observation::Screen {
        boot: 2,
        sha256: "0".repeat(64),
    });
    let observations = recording.observations_of(&plan);
    assert!(page_of(&plan, &observations).contains("screen-2.png of the run"));
    let screens = [Screen {
        boot: 2,
        png: vec![1, 2, 3],
    }];
    let recording = Recording {
        plan: &plan,
        observations: &observations,
        screens: &screens,
    };
    let page = render(&report(&plan, &observations), &recording).unwrap();
    assert!(page.contains("<img src=\"data:image/png;base64,AQID\""));
}
