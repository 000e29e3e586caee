//! A guest that is left to its user.

use bootproof_tests::{Sandbox, guests};
use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::contains;

#[test]
fn a_guest_that_its_user_had_proves_nothing() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    let run = sandbox
        .rehearsal()
        .args(["--hold", "booted", "--format", "json"])
        .write_stdin("\n")
        .assert()
        .code(3)
        .stderr(contains("held in booted").and(contains("press Enter to go on")));
    let report: serde_json::Value = serde_json::from_slice(&run.get_output().stdout).unwrap();
    assert_eq!(report["verdict"], "unproven");
    let unproven = report["unproven"].as_array().unwrap();
    let held = unproven
        .iter()
        .find(|gap| gap["subject"] == "hold")
        .unwrap();
    assert_eq!(
        (&held["state"], &held["decisive"]),
        (&"booted".into(), &true.into())
    );
    // It went on to the reboot.
    let steps = report["steps"].as_array().unwrap();
    assert_eq!(
        steps.last().unwrap()["outcome"]["outcome"],
        "done",
        "{steps:#?}"
    );
}

#[test]
fn a_state_that_the_rehearsal_never_comes_to_is_refused() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    for state in ["before", "switched"] {
        sandbox
            .rehearsal()
            .args(["--hold", state])
            .assert()
            .code(2)
            .stderr(contains("without a baseline").and(contains("booted and rebooted")));
    }
    sandbox
        .rehearsal()
        .args(["--hold", "asleep"])
        .assert()
        .code(2);
    assert_eq!(sandbox.qemu.started(), [""; 0]);
}
