//! The scenarios as a catalogue of faults: each check can fail, and each fault is named by its cause.

use bootproof::check;
use bootproof::vocabulary::{Check, Verdict};
use bootproof_tests::lab::all_scenarios;

#[test]
fn each_check_is_expected_to_fire_by_a_scenario() {
    let expected = expected();
    for check in Check::ALL {
        let part = format!("/{check}/");
        let fires = expected.iter().any(|id| id.contains(&part));
        assert!(fires, "no scenario expects the check {check}");
    }
}

#[test]
fn each_signature_of_the_log_is_expected_by_a_scenario() {
    let expected = expected();
    for id in check::signature_ids() {
        let end = format!("/{}/{id}", Check::LogSignature);
        let fires = expected.iter().any(|found| found.ends_with(&end));
        assert!(fires, "no scenario expects the signature {id}");
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
