//! The lab's static scenarios: each is inspected, and must give its verdict and exactly its findings and gaps.
//!
//! `cargo xtask test` builds the lab and names it in `BOOTPROOF_LAB`; without it the closures are not there, and the tests that
//! need them say that they did not run.

use std::path::Path;
use std::process::Command;
use std::thread;

use bootproof::inspect::{Inspection, RULES};
use bootproof::scenario::{self, Scenario};
use bootproof::vocabulary::Verdict;
use bootproof_tests::forms;
use bootproof_tests::lab::{bootproof, lab, scenarios as directory};

#[test]
fn each_mutant_turns_exactly_its_check_red() {
    let Some(lab) = lab("inspecting mutants") else {
        return;
    };
    let scenarios = scenarios();
    let names: Vec<&String> = scenarios
        .iter()
        .filter(|(_, scenario)| scenario.is_static())
        .map(|(name, _)| name)
        .collect();
    let threads = thread::available_parallelism().map_or(1, |n| n.get());
    let told: String = thread::scope(|scope| {
        let parts: Vec<_> = names
            .chunks(names.len().div_ceil(threads))
            .map(|part| scope.spawn(|| rehearse(&lab, part)))
            .collect();
        parts.into_iter().map(|part| part.join().unwrap()).collect()
    });
    assert!(told.is_empty(), "{told}");
}

#[test]
fn what_passes_its_rehearsal_has_clean_files() {
    let Some(lab) = lab("inspecting what passes") else {
        return;
    };
    for (name, scenario) in scenarios() {
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
    let scenarios = scenarios();
    for row in RULES {
        // What stage 1 executes and what PID 1 is are rules of their own, and of the same check as units.
        let begin = match row.name {
            "stage-1" => "inspected/executability/initrd".to_owned(),
            "pid-1" => "inspected/executability/systemd".to_owned(),
            name => format!("inspected/{name}/"),
        };
        let fired = scenarios
            .iter()
            .filter(|(_, scenario)| scenario.is_static())
            .flat_map(|(_, scenario)| &scenario.expect.findings)
            .any(|id| id.starts_with(&begin));
        assert!(
            fired,
            "no scenario of scenarios/static expects a finding of the rule {}",
            row.name
        );
    }
}

#[test]
fn the_note_on_scenarios_lists_what_there_is() {
    let note = std::fs::read_to_string(directory().join("README.md")).unwrap();
    let mut table = String::new();
    for (name, scenario) in scenarios() {
        if !scenario.is_static() {
            assert!(note.contains(&format!("\n| `{name}` |")), "{name}");
            continue;
        }
        let expect = &scenario.expect;
        let told: Vec<String> = match expect.findings.as_slice() {
            [] => expect.unproven.iter().map(|id| subject(id)).collect(),
            [first] => vec![subject(first)],
            [first, more @ ..] => vec![subject(first), format!("{} more", more.len())],
        };
        let colon = if told.is_empty() { "" } else { ": " };
        let (summary, verdict) = (&scenario.summary, expect.verdict);
        table += &format!(
            "| `{name}` | {summary} | {verdict}{colon}{} |\n",
            told.join(", ")
        );
    }
    assert!(
        note.contains(&table),
        "scenarios/README.md: let the table of static scenarios be\n{table}"
    );
}

/// `inspected/boot-path/init` as a table has it.
fn subject(id: &str) -> String {
    format!("`{}`", id.strip_prefix("inspected/").unwrap_or(id))
}

/// Has `bootproof test` hold these scenarios to what they expect; gives what it says of those that differ.
fn rehearse(lab: &Path, names: &[&String]) -> String {
    let work = tempfile::tempdir().unwrap();
    let output = Command::new(bootproof())
        .args(["test", "--scenario"])
        .args(names)
        .arg("--lab")
        .arg(lab)
        .arg("--scenarios")
        .arg(directory())
        .arg("--runs-dir")
        .arg(work.path().join("runs"))
        .arg("--cache-dir")
        .arg(work.path().join("cache"))
        .output()
        .unwrap();
    let runs = std::fs::read_dir(work.path().join("runs"));
    for run in runs.into_iter().flatten() {
        forms::assert_run(&run.unwrap().path());
    }
    let told = String::from_utf8_lossy(&output.stderr);
    // The summary is a paragraph at the end, whose lines all begin so, or are indented below one that does.
    let summary = told.trim_end().rsplit("\n\n").next().unwrap_or_default();
    match output.status.code() {
        Some(0) => String::new(),
        Some(1) => summary
            .split("scenario ")
            .filter(|line| line.contains("NOT as expected"))
            .collect(),
        _ => told.into_owned(),
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

/// All scenarios, by name.
fn scenarios() -> Vec<(String, Scenario)> {
    let directory = directory();
    let read = |name: String| {
        let scenario = Scenario::read(&directory, &name).unwrap();
        (name, scenario)
    };
    let names = scenario::names(&directory).unwrap();
    names.into_iter().map(read).collect()
}
