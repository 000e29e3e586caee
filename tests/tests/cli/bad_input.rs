//! What a user gets wrong: exit code 2, the subject and what to do in one message, and nothing left behind.

use std::ffi::OsStr;
use std::fs;

use bootproof_tests::{Sandbox, guests};
use predicates::prelude::*;
use predicates::str::contains;

/// Runs bootproof, which must refuse, mention all of `words`, and write nothing.
fn assert_refused<S: AsRef<OsStr>>(sandbox: &Sandbox, args: &[S], words: &[&str]) {
    let mut run = sandbox.bootproof(args).assert().code(2).stdout("");
    for word in words {
        run = run.stderr(contains(*word));
    }
    run.stderr(contains("panicked").not());
    sandbox.assert_untouched();
    assert_eq!(sandbox.qemu.started(), [""; 0]);
}

#[test]
fn a_toplevel_that_does_not_exist_is_named() {
    let sandbox = Sandbox::new();
    let store = sandbox.toplevel.root().to_str().unwrap();
    let gone = "/nix/store/1fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-gone";
    assert_refused(
        &sandbox,
        &["test", "--store", store, "--toplevel", gone],
        &[gone, "does not exist", "build it first", "--store"],
    );
}

#[test]
fn a_store_path_that_is_no_toplevel_is_told_with_what_it_lacks() {
    let sandbox = Sandbox::new();
    fs::remove_file(sandbox.toplevel.host_path().join("kernel")).unwrap();
    let path = sandbox.toplevel.path.as_str();
    assert_refused(
        &sandbox,
        &sandbox.toplevel_args(),
        &[path, "has no kernel", "config.system.build.toplevel"],
    );
}

#[test]
fn a_toplevel_outside_the_store_is_told_with_the_store() {
    let sandbox = Sandbox::new();
    let store = sandbox.toplevel.root().to_str().unwrap();
    assert_refused(
        &sandbox,
        &["test", "--store", store, "--toplevel", "/etc"],
        &["`/etc` is outside the store", store, "give a store path"],
    );
}

#[test]
fn a_store_that_does_not_exist_is_named() {
    let sandbox = Sandbox::new();
    assert_refused(
        &sandbox,
        &[
            "test",
            "--store",
            "no-store",
            "--toplevel",
            &sandbox.toplevel.path,
        ],
        &["`no-store`", "No such file or directory"],
    );
}

#[test]
fn an_empty_closure_directory_is_told_with_the_files_it_lacks() {
    let sandbox = Sandbox::new();
    let empty = sandbox.place("empty");
    fs::create_dir(&empty).unwrap();
    let empty = empty.to_str().unwrap();
    assert_refused(
        &sandbox,
        &["test", "--closure", empty],
        &[empty, "`registration`", "`store-paths`", "closureInfo"],
    );
}

#[test]
fn nothing_to_rehearse_is_told_with_what_can_be() {
    let sandbox = Sandbox::new();
    assert_refused(
        &sandbox,
        &["test"],
        &[
            "nothing to rehearse",
            "--toplevel",
            "--closure",
            "cargo xtask test-boot",
        ],
    );
}

#[test]
fn options_that_contradict_each_other_are_both_named() {
    let sandbox = Sandbox::new();
    let toplevel = sandbox.toplevel.path.as_str();
    assert_refused(
        &sandbox,
        &["test", "--toplevel", toplevel, "--scenario", "healthy"],
        &["--toplevel", "cannot be used with", "--scenario"],
    );
    assert_refused(
        &sandbox,
        &["test", "--closure", ".", "--store", "/srv"],
        &["--closure", "cannot be used with", "--store"],
    );
    assert_refused(
        &sandbox,
        &["test", "--topleval", toplevel],
        &["--topleval", "--toplevel"],
    );
}

#[test]
fn a_machine_without_memory_or_processors_is_refused() {
    let sandbox = Sandbox::new();
    for option in ["--memory", "--cores"] {
        for value in ["0", "-1", "many"] {
            assert_refused(
                &sandbox,
                &["test", &format!("{option}={value}")],
                &[option, value],
            );
        }
    }
}

/// The lab's options, with one scenario.
fn lab_args(sandbox: &Sandbox, name: &str, text: &str) -> Vec<String> {
    let scenarios = sandbox.place("scenarios");
    fs::create_dir_all(scenarios.join(name)).unwrap();
    fs::write(scenarios.join(name).join("scenario.toml"), text).unwrap();
    let lab = sandbox.place("lab");
    let place = |path: std::path::PathBuf| path.to_str().unwrap().to_owned();
    [
        "test",
        "--lab",
        &place(lab),
        "--scenarios",
        &place(scenarios),
    ]
    .map(str::to_owned)
    .into()
}

const SCENARIO: &str = r#"
format_version = 1
summary = "x"
[target]
system = "x86_64-linux"
[rehearsal]
expect_system = "x86_64-linux"
candidate = "new"
steps = ["boot"]
[systems.new]
kernel = "x86_64"
[expect]
verdict = "pass"
findings = []
"#;

#[test]
fn an_unknown_scenario_is_told_with_the_known_ones() {
    let sandbox = Sandbox::new();
    let mut args = lab_args(&sandbox, "healthy", SCENARIO);
    args.extend(["--scenario".to_owned(), "healhty".to_owned()]);
    assert_refused(&sandbox, &args, &["`healhty`", "there are healthy"]);
}

#[test]
fn a_scenario_with_an_unknown_key_is_told_with_file_and_key() {
    let sandbox = Sandbox::new();
    let args = lab_args(&sandbox, "healthy", &SCENARIO.replace("summary", "sumary"));
    assert_refused(&sandbox, &args, &["healthy/scenario.toml", "sumary"]);
}

#[test]
fn a_scenario_that_the_lab_has_not_built_is_told_with_how_to_build_it() {
    let sandbox = Sandbox::new();
    let args = lab_args(&sandbox, "healthy", SCENARIO);
    assert_refused(
        &sandbox,
        &args,
        &["`new` of healthy", "cargo xtask lab --scenario healthy"],
    );
}

#[test]
fn a_recording_is_never_written_over() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    let run = sandbox.run_directory();
    fs::create_dir(&run).unwrap();
    fs::write(run.join("plan.json"), "of another run").unwrap();
    let place = run.to_str().unwrap();
    sandbox
        .rehearsal()
        .assert()
        .code(2)
        .stdout("")
        .stderr(contains(place).and(contains("--run-dir")));
    assert_eq!(fs::read(run.join("plan.json")).unwrap(), b"of another run");
    assert_eq!(bootproof_tests::sandbox::names_in(&run), ["plan.json"]);
    assert!(!sandbox.cache().exists());
    sandbox.assert_no_litter();
}

#[test]
fn a_run_directory_that_cannot_be_made_is_named() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    fs::write(sandbox.run_directory(), "a file").unwrap();
    let place = sandbox.run_directory();
    sandbox
        .rehearsal()
        .assert()
        .code(2)
        .stderr(contains(place.to_str().unwrap()));
    assert!(!sandbox.cache().exists());
}

#[test]
fn a_cache_that_cannot_be_opened_is_named() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    fs::write(sandbox.cache(), "a file").unwrap();
    sandbox
        .rehearsal()
        .assert()
        .code(2)
        .stderr(contains(sandbox.cache().to_str().unwrap()).and(contains("--cache-dir")));
    sandbox.wait_until_qemu_is_gone();
    sandbox.assert_no_litter();
}
