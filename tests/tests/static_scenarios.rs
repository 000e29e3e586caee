//! The lab's static scenarios: each is inspected, and must give its verdict and exactly its findings and gaps.
//!
//! `cargo xtask test` builds the lab and names it in `BOOTPROOF_LAB`; without it the closures are not there, and the tests that
//! need them say that they did not run.

use std::path::Path;
use std::process::Command;

use bootproof::inspect::{Inspection, RULES};
use bootproof::scenario::Scenario;
use bootproof::vocabulary::Verdict;
use bootproof_tests::forms;
use bootproof_tests::lab::{all_scenarios, bootproof, lab, scenarios as directory};

#[test]
fn each_mutant_turns_exactly_its_check_red() {
    let Some(lab) = lab("inspecting mutants") else {
        return;
    };
    let work = tempfile::tempdir().unwrap();
    let [runs, junit] = ["runs", "junit.xml"].map(|name| work.path().join(name));
    let output = Command::new(bootproof())
        .args(["test", "--tag", "static", "--lab"])
        .arg(&lab)
        .arg("--scenarios")
        .arg(directory())
        .arg("--runs-dir")
        .arg(&runs)
        .arg("--cache-dir")
        .arg(work.path().join("cache"))
        .arg("--junit")
        .arg(&junit)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("test static/unit-loop ... ok ("), "{told}");
    forms::assert_junit(&std::fs::read(&junit).unwrap());
    for run in std::fs::read_dir(&runs).unwrap() {
        let run = run.unwrap().path();
        if run.join("plan.json").exists() {
            forms::assert_run(&run);
        }
    }
}

#[test]
fn what_passes_its_rehearsal_has_clean_files() {
    let Some(lab) = lab("inspecting what passes") else {
        return;
    };
    for (name, scenario) in all_scenarios() {
        if !scenario.is_static() && scenario.expect.verdict == Verdict::Pass {
            let inspection = inspect(&lab, &name, &scenario);
            let clean = inspection.findings.is_empty() && inspection.unproven.is_empty();
            assert!(clean, "{name}: {inspection:?}");
            assert_eq!(inspection.verdict, Verdict::Pass);
        }
    }
}

#[test]
fn the_census_names_the_backends_of_the_outage_and_nothing_of_a_system_of_one_kind() {
    let Some(lab) = lab("taking a census") else {
        return;
    };
    let mix = |name: &str| {
        let scenario = Scenario::read(&directory(), name).unwrap();
        let mut notes = inspect(&lab, name, &scenario).notes;
        notes.retain(|note| note.contains("programs and libraries"));
        notes.concat()
    };
    let told = mix("outage-2023-08-08");
    assert!(
        told.contains("x86_64 in") && told.contains("alpha-x86_64"),
        "{told}"
    );
    assert_eq!(mix("healthy") + &mix("healthy-i686"), "");
}

#[test]
fn each_rule_of_inspection_has_a_mutant_that_fires_it() {
    let scenarios = all_scenarios();
    for row in RULES {
        // What stage 1 executes and what PID 1 is are rules of their own, and of the same check as units.
        let begin = match row.name {
            "stage-1" => "inspected/executability/initrd".to_owned(),
            "initrd-services" => "inspected/executability/initrd/".to_owned(),
            "pid-1" => "inspected/executability/systemd".to_owned(),
            name => format!("inspected/{name}/"),
        };
        let fired = scenarios
            .iter()
            .filter(|(_, scenario)| scenario.is_static())
            .flat_map(|(_, scenario)| &scenario.expect.findings)
            .any(|id| *id == begin || (begin.ends_with('/') && id.starts_with(&begin)));
        assert!(
            fired,
            "no scenario of scenarios/static expects a finding of the rule {}",
            row.name
        );
    }
}

/// What `bootproof inspect` says of a scenario's candidate.
fn inspect(lab: &Path, name: &str, scenario: &Scenario) -> Inspection {
    let candidate = &scenario.rehearsal.candidate;
    let link = lab.join("closures").join(name).join(candidate);
    let toplevel = std::fs::read_link(&link)
        .unwrap_or_else(|error| panic!("the lab has not built {name}: {error}"));
    let output = Command::new(bootproof())
        .args(["inspect", "--format", "json", "--expect-system"])
        .arg(scenario.rehearsal.expect_system.as_str())
        .arg("--store")
        .arg(lab.join("root"))
        .arg(toplevel)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {told}"))
}
