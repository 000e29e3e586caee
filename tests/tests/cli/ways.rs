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

fn states(report: &Value) -> Vec<&Value> {
    let states = report["states"].as_array().unwrap();
    states.iter().map(|state| &state["state"]).collect()
}

#[test]
fn a_specialisation_is_chosen_in_the_menu_for_one_boot() {
    let sandbox = Sandbox::with_guest(|toplevel| {
        let variant = toplevel.specialise("gaming").unwrap();
        guests::that_boots_a_specialisation(toplevel, &variant)
    });
    let report = report(&sandbox, &["--steps", "boot,specialisations,warm-reboot"]);
    assert_eq!(report["verdict"], "pass", "{report:#}");
    assert_eq!(states(&report), ["booted", "rebooted", "specialised"]);
    let told = &report["specialisations"][0];
    assert_eq!(told["booted"], told["toplevel"]);
    assert_eq!(
        told["text"],
        "gaming: booted; systemd says running, 0 failed units; http: 1 × 200"
    );
}

#[test]
fn a_fault_of_a_specialisation_is_told_with_its_name() {
    let sandbox = Sandbox::with_guest(|toplevel| {
        let variant = toplevel.specialise("gaming").unwrap();
        guests::whose_specialisation_fails(toplevel, &variant)
    });
    let run = sandbox
        .rehearsal()
        .args(["--steps", "boot,specialisations,warm-reboot"])
        .assert();
    let told = "the specialisation `gaming`: nginx.service failed (exit-code)";
    run.code(1).stderr(contains(told));
}

#[test]
fn a_specialisation_that_the_menu_lacks_fails_the_rehearsal() {
    let sandbox = Sandbox::with_guest(|toplevel| {
        toplevel.specialise("gaming").unwrap();
        guests::healthy(toplevel)
    });
    let run = sandbox
        .rehearsal()
        .args(["--steps", "boot,specialisations,warm-reboot"])
        .assert();
    let told = "the boot menu has no entry of the specialisation `gaming`";
    run.code(1).stderr(contains(told));
}

#[test]
fn a_candidate_without_specialisations_is_said_and_passes() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    let report = report(&sandbox, &["--steps", "boot,specialisations,warm-reboot"]);
    assert_eq!(report["verdict"], "pass", "{report:#}");
    assert_eq!(states(&report), ["booted", "rebooted"]);
    let gaps = report["unproven"].as_array().unwrap();
    let gap = gaps.iter().find(|gap| gap["subject"] == "specialisations");
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
