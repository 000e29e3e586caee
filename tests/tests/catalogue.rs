//! The scenarios as a catalogue of faults: each check can fail, and each fault is named by its cause.

use bootproof::check;
use bootproof::vocabulary::{Check, Verdict};
use bootproof_tests::lab::all_scenarios;

/// What no scenario makes happen yet; unit tests fire each.
const WITHOUT_SCENARIO: &[&str] = &[
    "bootloader-install",
    "http-gap",
    "unit-flapping",
    "boots-differ",
];

#[test]
fn each_check_is_expected_to_fire_by_a_scenario() {
    let expected = expected();
    for check in Check::ALL {
        let part = format!("/{check}/");
        let fires = expected.iter().any(|id| id.contains(&part));
        let known = WITHOUT_SCENARIO.contains(&check.as_str());
        assert_ne!(fires, known, "the check {check} and its scenarios");
    }
}

#[test]
fn each_signature_of_the_log_is_expected_by_a_scenario() {
    let expected = expected();
    for id in check::signature_ids() {
        let part = format!("{}/{id}", Check::LogSignature);
        let fires = expected
            .iter()
            .any(|found| found.ends_with(&format!("/{part}")));
        let known = WITHOUT_SCENARIO.contains(&part.as_str());
        assert_ne!(fires, known, "the signature {id} and its scenarios");
    }
}

#[test]
fn each_scenario_that_fails_names_its_cause() {
    for (name, scenario) in all_scenarios() {
        let expect = &scenario.expect;
        let names_it = expect.says.as_ref().is_some_and(|says| says.len() > 15);
        if expect.verdict == Verdict::Fail {
            assert!(names_it, "{name} fails, and does not say by which cause");
        }
    }
}

/// The ids of all findings of all scenarios.
fn expected() -> Vec<String> {
    let all = all_scenarios().into_iter();
    all.flat_map(|(_, scenario)| scenario.expect.findings)
        .collect()
}
