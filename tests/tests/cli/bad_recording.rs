//! `bootproof report` on what is no recording, or only a part of one.

use std::fs;

use bootproof_tests::{Sandbox, guests};
use predicates::prelude::*;
use predicates::str::contains;

fn assert_refused(sandbox: &Sandbox, words: &[&str]) {
    let run = sandbox.run_directory();
    let before = bootproof_tests::sandbox::names_in(&run);
    let args = ["report".as_ref(), run.as_os_str()];
    let mut told = sandbox.bootproof(args).assert().code(2).stdout("");
    for word in words {
        told = told.stderr(contains(*word));
    }
    told.stderr(contains("panicked").not());
    assert_eq!(bootproof_tests::sandbox::names_in(&run), before);
    sandbox.assert_no_litter();
}

/// A sandbox with the recording of a guest that does not boot.
fn recorded() -> Sandbox {
    let sandbox = Sandbox::with_guest(|_| guests::without_bootable_disk());
    sandbox.rehearsal().assert().code(1);
    sandbox
}

#[test]
fn a_directory_that_is_none_of_a_run_is_named() {
    let sandbox = Sandbox::new();
    assert_refused(
        &sandbox,
        &["run/plan.json", "is it the directory of a run?"],
    );
    fs::create_dir(sandbox.run_directory()).unwrap();
    assert_refused(
        &sandbox,
        &["run/plan.json", "is it the directory of a run?"],
    );
}

#[test]
fn a_recording_of_another_version_is_told_with_both_versions() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.run_directory()).unwrap();
    let plan = sandbox.run_directory().join("plan.json");
    fs::write(&plan, r#"{"format_version": 999, "of": "the future"}"#).unwrap();
    assert_refused(
        &sandbox,
        &["run/plan.json has format version 999", "reads 1"],
    );
    fs::write(&plan, "[1, 2").unwrap();
    assert_refused(&sandbox, &["run/plan.json is no recording"]);
}

#[test]
fn a_recording_that_is_damaged_or_cut_off() {
    let sandbox = recorded();
    let directory = sandbox.run_directory();
    let observations = directory.join("observations.jsonl");
    let whole = fs::read(&observations).unwrap();
    let args = ["report".as_ref(), directory.as_os_str()];
    let report = || sandbox.bootproof(args).args(["--format", "json"]).assert();
    let told = report().code(1).get_output().stdout.clone();

    // A kill may cut the last line off anywhere, in the middle of a character too.
    let cut = [
        &whole[..],
        b"{\"at_ms\": 5, \"observation\": {\"line\": \"\xc3",
    ]
    .concat();
    fs::write(&observations, cut).unwrap();
    assert_eq!(report().code(1).get_output().stdout, told);

    let damaged = [b"nonsense\n", &whole[..]].concat();
    fs::write(&observations, damaged).unwrap();
    assert_refused(&sandbox, &["observations.jsonl is no recording"]);

    fs::write(&observations, "").unwrap();
    report().code(3).stdout(contains("nothing was observed"));

    fs::remove_file(&observations).unwrap();
    assert_refused(
        &sandbox,
        &["observations.jsonl", "is it the directory of a run?"],
    );
}
