//! The lab's static scenarios: each is inspected, and must give its verdict and exactly its findings and gaps.
//!
//! `cargo xtask test` builds the lab and names it in `BOOTPROOF_LAB`; without it the closures are not there, and the tests that
//! need them say that they did not run.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use bootproof::closure::{self, Source};
use bootproof::inspect::{self, Expected, Inspection, Options, RULES};
use bootproof::scenario::{self, Scenario};
use bootproof::vocabulary::{Finding, Verdict};

#[test]
fn each_mutant_turns_exactly_its_check_red() {
    in_the_lab(Scenario::is_static, |scenario, inspection| {
        let expect = &scenario.expect;
        let found: Vec<String> = inspection.findings.iter().map(Finding::id).collect();
        let unproven: Vec<String> = inspection.unproven.iter().map(|u| u.id()).collect();
        let as_expected = inspection.verdict == expect.verdict
            && sorted(&found) == sorted(&expect.findings)
            && sorted(&unproven) == sorted(&expect.unproven);
        (!as_expected).then(|| {
            format!(
                "{}\n  findings {found:?}, expected {:?}\n  unproven {unproven:?}, expected {:?}",
                inspection.headline, expect.findings, expect.unproven
            )
        })
    });
}

#[test]
fn what_passes_its_rehearsal_has_clean_files() {
    let passes =
        |scenario: &Scenario| !scenario.is_static() && scenario.expect.verdict == Verdict::Pass;
    in_the_lab(passes, |_, inspection| {
        let clean = inspection.verdict == Verdict::Pass
            && inspection.findings.is_empty()
            && inspection.unproven.is_empty();
        (!clean).then(|| inspection.headline.clone())
    });
}

#[test]
fn each_rule_of_inspection_has_a_mutant_that_fires_it() {
    let scenarios = scenarios();
    for row in RULES {
        let begin = format!("inspected/{}/", row.name);
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

fn sorted(ids: &[String]) -> BTreeSet<&String> {
    ids.iter().collect()
}

/// Inspects the scenarios that are wanted, and fails with what `trouble` says of each.
fn in_the_lab(
    wanted: impl Fn(&Scenario) -> bool,
    trouble: impl Fn(&Scenario, &Inspection) -> Option<String> + Sync,
) {
    let Some(lab) = std::env::var_os("BOOTPROOF_LAB").map(PathBuf::from) else {
        eprintln!(
            "not run: inspecting scenarios needs the lab, which `cargo xtask test` builds (BOOTPROOF_LAB is not set)"
        );
        return;
    };
    let mut scenarios = scenarios();
    scenarios.retain(|(_, scenario)| wanted(scenario));
    let told = Mutex::new(Vec::new());
    let look = |part: &[(String, Scenario)]| {
        for (name, scenario) in part {
            if let Some(trouble) = trouble(scenario, &inspect(&lab, name, scenario)) {
                told.lock().unwrap().push(format!("{name}: {trouble}"));
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, |n| n.get());
    thread::scope(|scope| {
        for part in scenarios.chunks(scenarios.len().div_ceil(threads).max(1)) {
            let look = &look;
            scope.spawn(move || look(part));
        }
    });
    let told = told.into_inner().unwrap();
    assert!(told.is_empty(), "{}", told.join("\n"));
}

fn inspect(lab: &Path, name: &str, scenario: &Scenario) -> Inspection {
    let source = Source::Store {
        root: lab.join("root"),
    };
    let link = lab
        .join("closures")
        .join(name)
        .join(&scenario.rehearsal.candidate);
    let toplevel = std::fs::read_link(&link)
        .unwrap_or_else(|error| panic!("the lab has not built {name}: {error}"));
    let closure = closure::resolve(&source, &toplevel.to_string_lossy()).unwrap();
    let facts = closure::read_facts(&closure).unwrap();
    let options = Options {
        expected: Some(Expected {
            system: scenario.rehearsal.expect_system.clone(),
            by: "the scenario".to_owned(),
        }),
        target: scenario.target.clone(),
    };
    inspect::inspect(&closure, &facts, None, &options)
}

/// All scenarios, by name.
fn scenarios() -> Vec<(String, Scenario)> {
    let directory = directory();
    let names = scenario::names(&directory).unwrap();
    names
        .into_iter()
        .map(|name| {
            let scenario = Scenario::read(&directory, &name).unwrap();
            (name, scenario)
        })
        .collect()
}

fn directory() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap().join("scenarios")
}
