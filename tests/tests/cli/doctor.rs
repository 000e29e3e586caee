//! `bootproof doctor`: whether this machine can rehearse.

use bootproof_tests::{Sandbox, guests};
use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::contains;

/// The programs that every rehearsal takes.
const TOOLS: &[&str] = &[
    "qemu-system-x86_64",
    "qemu-img",
    "mke2fs",
    "debugfs",
    "sfdisk",
];

#[test]
fn a_machine_that_can_rehearse_is_told_so_with_what_it_takes() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    let told = sandbox.bootproof(["doctor"]).assert().code(0).stderr("");
    told.stdout(
        contains("a rehearsal can run here\n")
            .and(contains("qemu-system-x86_64  7.2.22"))
            .and(contains("the first time, then about")),
    );
    sandbox.assert_untouched();
    let told = sandbox.bootproof(["doctor", "--format", "json"]).assert();
    let told = told.code(0).stderr("");
    let told: serde_json::Value = serde_json::from_slice(&told.get_output().stdout).unwrap();
    assert_eq!(told["can_rehearse"], true);
    assert!(
        told["rehearsal"]["first_seconds"].as_u64() > told["rehearsal"]["later_seconds"].as_u64()
    );
    assert!(told["lines"].as_array().unwrap().len() > 15);
    sandbox.wait_until_qemu_is_gone();
}

#[test]
fn what_is_missing_comes_first_with_what_to_do() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    let without: Vec<&str> = TOOLS.iter().copied().filter(|t| *t != "qemu-img").collect();
    let sandbox = sandbox.only_with(&without);
    let told = sandbox.bootproof(["doctor"]).assert().code(2).stderr("");
    told.stdout(
        contains("no rehearsal can run here: 1 missing")
            .and(contains("apt-get install qemu-utils"))
            .and(contains("note     ssh")),
    );
    let without: Vec<&str> = TOOLS
        .iter()
        .copied()
        .filter(|t| !t.starts_with("qemu"))
        .collect();
    let told = Sandbox::new()
        .only_with(&without)
        .bootproof(["doctor"])
        .assert();
    told.code(2)
        .stdout(contains("missing  accelerator").and(contains("qemu-system-x86")));
}

#[test]
fn a_guest_that_is_larger_than_the_machine_does_not_fit() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    let memory = u32::MAX.to_string();
    let told = sandbox.bootproof(["doctor", "--memory", &memory]).assert();
    told.code(2).stdout(contains("missing  memory"));
    let told = sandbox
        .bootproof(["doctor", "--cache-dir", "/proc/nowhere"])
        .assert();
    told.code(2)
        .stdout(contains("/proc/nowhere: nothing can be written there"));
}
