//! The lab's scenarios, booted for real, one of them in a Nix build: the verdict, the exact findings, and the normalised report as a snapshot.
//!
//! `cargo xtask test` builds the lab and names it in `BOOTPROOF_LAB`; without it these tests say that they did not run.

use std::process::Command;
use std::thread;

use bootproof::rehearsal::read_recording;
use bootproof::report::{Report, json, normalise, report};
use bootproof::scenario::Scenario;
use bootproof::vocabulary::{Finding, Firmware, Verdict};
use bootproof_tests::boots::turn;
use bootproof_tests::forms;
use bootproof_tests::held::toplevel;
use bootproof_tests::lab::{all_scenarios, bootproof, lab, scenarios};
use bootproof_tests::nix_build::BuildStore;

/// The snapshot is that of `bootproof test --scenario healthy` on a host: a Nix build's report is the same, but for who says what is expected.
#[test]
fn healthy_passes_inside_a_nix_build_as_on_a_host() {
    let Some(lab) = lab("healthy") else {
        return;
    };
    let _turn = turn();
    let [candidate, baseline] = ["candidate", "baseline"].map(|s| toplevel(&lab, "healthy", s));
    let store = BuildStore::of(&lab, &candidate, &baseline);
    let check = store.build(None).unwrap_or_else(|told| panic!("{told}"));
    // The check is a link to the report.
    let built = store.build(Some("report")).unwrap();
    assert_eq!(check.read_link().unwrap().file_name(), built.file_name());
    assert!(built.join("report.json").is_file() && built.join("report.md").is_file());
    let (mut plan, observations) = read_recording(&built.join("run")).unwrap();
    assert_eq!(plan.expected_by, "the host's configuration");
    plan.expected_by = "the scenario".to_owned();
    // Nobody told the check; it chose the same.
    assert_eq!(plan.target.firmware, None);
    plan.target.firmware = Some(Firmware::Bios);
    plan.scenario = Some("healthy".to_owned());
    let report = report(&plan, &observations);
    assert_eq!(report.verdict, Verdict::Pass);
    assert!(report.findings.is_empty() && report.unproven.is_empty());
    insta::assert_snapshot!("healthy", normalised(&report));
}

#[test]
fn an_i686_system_that_is_wanted_passes_on_a_64_bit_machine() {
    let Some(report) = rehearse("healthy-i686") else {
        return;
    };
    assert_eq!(report.verdict, Verdict::Pass);
    assert!(report.findings.is_empty() && report.unproven.is_empty());
    insta::assert_snapshot!("healthy-i686", normalised(&report));
}

#[test]
fn the_outage_is_told_by_its_cause_and_shows_only_after_the_reboot() {
    let Some(report) = rehearse("outage-2023-08-08") else {
        return;
    };
    assert_eq!(report.verdict, Verdict::Fail);
    let first = &report.headline;
    assert!(
        first.contains("an i686-linux kernel runs x86_64 executables"),
        "{first}"
    );
    for unit in ["alpha.service", "beta.service", "gamma.service"] {
        assert!(first.contains(unit), "{first}");
    }
    assert!(
        first.contains("only after the reboot") && !first.contains("502"),
        "{first}"
    );
    let latent: Vec<String> = report
        .findings
        .iter()
        .filter(|f| f.latent)
        .map(Finding::id)
        .collect();
    assert_eq!(
        latent,
        [
            "rebooted/kernel-architecture/kernel",
            "rebooted/restart-loop/alpha.service",
            "rebooted/restart-loop/beta.service",
            "rebooted/restart-loop/gamma.service",
            "rebooted/exec-failed/alpha.service",
            "rebooted/exec-failed/beta.service",
            "rebooted/exec-failed/gamma.service",
            "rebooted/http-gateway/http://alpha.example/",
            "rebooted/http-gateway/http://beta.example/",
            "rebooted/http-gateway/http://gamma.example/",
        ]
    );
    insta::assert_snapshot!("outage-2023-08-08", normalised(&report));
}

#[test]
fn what_the_vm_lacks_is_not_blamed_on_the_closure() {
    let Some(report) = rehearse("unlike-the-lab") else {
        return;
    };
    assert_eq!(report.verdict, Verdict::Pass);
    assert!(report.findings.is_empty());
    assert!(report.unproven.iter().all(|u| !u.decisive));
    let first = &report.headline;
    assert!(
        first.contains("not observed: console, http-outside"),
        "{first}"
    );
    insta::assert_snapshot!("unlike-the-lab", normalised(&report));
}

/// Eight scenarios are booted wherever the tests are run: what the others here leave of those that are tagged so.
#[test]
fn the_rest_of_the_quick_tier_comes_out_as_expected() {
    let is_quick = |scenario: &Scenario| !scenario.is_static() && scenario.tags.contains("quick");
    let quick: Vec<String> = all_scenarios()
        .into_iter()
        .filter(|(_, scenario)| is_quick(scenario))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(quick.len(), 8, "{quick:?}");
    let with_snapshot = [
        "healthy",
        "healthy-i686",
        "outage-2023-08-08",
        "unlike-the-lab",
    ];
    let rest = quick
        .iter()
        .filter(|name| !with_snapshot.contains(&name.as_str()));
    thread::scope(|scope| {
        for name in rest {
            scope.spawn(move || rehearse(name));
        }
    });
}

/// Rehearses a scenario by the command line, which also compares it with what `scenario.toml` expects, and reads the
/// recording back.
fn rehearse(name: &str) -> Option<Report> {
    let lab = lab(name)?;
    let _turn = turn();
    let work = tempfile::tempdir().unwrap();
    let run_directory = work.path().join("run");
    let output = Command::new(bootproof())
        .args(["test", "--scenario", name, "--lab"])
        .arg(lab)
        .arg("--scenarios")
        .arg(scenarios())
        .arg("--run-dir")
        .arg(&run_directory)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told}");
    forms::assert_run(&run_directory);
    let (plan, observations) = read_recording(&run_directory).unwrap();
    Some(report(&plan, &observations))
}

fn normalised(report: &Report) -> String {
    json::render(&normalise(report)).unwrap()
}
