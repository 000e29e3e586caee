//! The ways down and up that a user names.

use bootproof_tests::{Sandbox, guests};
use predicates::str::contains;
use serde_json::Value;

fn report(sandbox: &Sandbox, args: &[&str]) -> Value {
    let run = sandbox
        .rehearsal()
        .args(args)
        .args(["--format", "json"])
        .assert()
        .code(0);
    serde_json::from_slice(&run.get_output().stdout).unwrap()
}

#[test]
fn a_new_userspace_is_told_from_the_old_one_although_the_boot_id_stays() {
    let sandbox = Sandbox::with_guest(guests::that_reboots_its_userspace);
    let report = report(&sandbox, &["--steps", "boot,soft-reboot"]);
    let states: Vec<&Value> = report["states"]
        .as_array()
        .unwrap()
        .iter()
        .map(|state| &state["state"])
        .collect();
    assert_eq!(states, ["booted", "soft-rebooted"]);
    assert_eq!(report["verdict"], "pass", "{report:#}");
}

#[test]
fn a_systemd_without_soft_reboots_is_said_and_skipped() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    let report = report(&sandbox, &["--steps", "boot,soft-reboot,warm-reboot"]);
    assert_eq!(report["verdict"], "pass", "{report:#}");
    let steps = report["steps"].as_array().unwrap();
    let outcomes: Vec<&Value> = steps.iter().map(|s| &s["outcome"]["outcome"]).collect();
    assert_eq!(outcomes[outcomes.len() - 2..], ["not-offered", "done"]);
    let gaps = report["unproven"].as_array().unwrap();
    let gap = gaps.iter().find(|gap| gap["subject"] == "soft-reboot");
    assert_eq!(gap.unwrap()["decisive"], false);
}

#[test]
fn steps_that_make_no_rehearsal_are_refused() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    for (args, told) in [
        (["--steps", "warm-reboot"], "begin with `boot`"),
        (["--steps", "boot,switch"], "--baseline"),
        (["--steps", "boot,power-cut-in-switch"], "--baseline"),
        (["--steps", "boot,hibernate"], "the steps are boot, switch"),
        (["--cycles", "0"], "0 is not in 1..=1000"),
    ] {
        let run = sandbox.rehearsal().args(args).assert();
        run.code(2).stderr(contains(told));
    }
    assert_eq!(sandbox.qemu.started(), [""; 0]);
}
