//! The first stage of a rehearsal: what the files say, before any machine is started.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use bootproof_tests::{Sandbox, guests};
use predicates::str::contains;

fn report(json: &[u8]) -> serde_json::Value {
    serde_json::from_slice(json).unwrap()
}

fn ids(report: &serde_json::Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap();
    let text = |finding: &serde_json::Value, key: &str| finding[key].as_str().unwrap().to_owned();
    findings
        .iter()
        .map(|f| [text(f, "state"), text(f, "check"), text(f, "subject")].join("/"))
        .collect()
}

#[test]
fn a_fault_of_the_files_is_told_before_a_machine_is_started_and_fails_a_run_that_boots() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    let init = sandbox.toplevel.host_path().join("init");
    fs::set_permissions(init, fs::Permissions::from_mode(0o644)).unwrap();
    let run = sandbox.rehearsal().args(["--format", "json"]).assert();
    let run = run.code(1);
    let output = run.get_output();
    let told = String::from_utf8_lossy(&output.stderr);
    let fault = told.find("inspect: stage 2 cannot be executed").unwrap();
    assert!(fault < told.find("power on").unwrap(), "{told}");
    let report = report(&output.stdout);
    assert_eq!(ids(&report), ["inspected/boot-path/init"]);
    assert_eq!(report["diagnosis"]["causes"][0]["state"], "inspected");
}

#[test]
fn a_closure_that_no_machine_can_be_made_of_is_inspected_and_starts_none() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    let initrd = sandbox.toplevel.host_path().join("initrd");
    let file = sandbox
        .place("store")
        .join(fs::read_link(initrd).unwrap().strip_prefix("/").unwrap());
    fs::remove_file(file).unwrap();
    let run = sandbox.rehearsal().args(["--format", "json"]).assert();
    let run = run.code(1);
    let report = report(&run.get_output().stdout);
    assert_eq!(ids(&report), ["inspected/boot-path/initrd"]);
    let reason = report["unproven"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("`initrd` of the toplevel"), "{reason}");
    assert_eq!(sandbox.qemu.started(), [""; 0]);
}

#[test]
fn a_recording_without_an_inspection_says_so() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    sandbox
        .rehearsal()
        .assert()
        .code(0)
        .stderr(contains("inspected, booted, rebooted"));
    let observations = sandbox.run_directory().join("observations.jsonl");
    let text = fs::read_to_string(&observations).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    assert!(first.contains("\"kind\":\"inspected\""), "{first}");
    fs::write(&observations, rest).unwrap();
    let directory = sandbox.run_directory();
    let args = ["report".as_ref(), directory.as_os_str()];
    let told = sandbox.bootproof(args).assert().code(0);
    told.stderr(contains("machine: booted, rebooted"));
}
