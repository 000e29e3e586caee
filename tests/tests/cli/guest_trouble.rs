//! Guests that do not come up: a finding, told as soon as it is certain.
//!
//! A wait that went on to its deadline of five minutes would end in the time-out of the command, not in these results.

use bootproof_tests::fake_qemu::{Act, Script};
use bootproof_tests::{Sandbox, guests};
use predicates::prelude::*;
use predicates::str::contains;

/// A first boot that fails.
const FIRST: &str = "booted/boot-failed/boot";

/// Rehearses with a guest that must be found not to boot, for a reason that has `words`.
fn assert_boot_fails(sandbox: &Sandbox, id: &str, words: &[&str]) {
    let mut run = sandbox
        .rehearsal()
        .args(["--format", "json"])
        .assert()
        .code(1);
    for word in words {
        run = run.stdout(contains(*word));
    }
    let report: serde_json::Value = serde_json::from_slice(&run.get_output().stdout).unwrap();
    assert_eq!(report["verdict"], "fail");
    let ids: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| ["state", "check", "subject"].map(|key| finding[key].as_str().unwrap()))
        .map(|id| id.join("/"))
        .collect();
    assert!(ids.contains(&id.to_owned()), "{ids:?}");
    sandbox.wait_until_qemu_is_gone();
    sandbox.assert_no_litter();
    assert_eq!(sandbox.workshops(), [""; 0]);
}

fn with(script: Script) -> Sandbox {
    Sandbox::with_guest(|_| script)
}

#[test]
fn a_firmware_that_finds_no_bootable_device() {
    let sandbox = with(guests::without_bootable_disk());
    assert_boot_fails(&sandbox, FIRST, &["the firmware found no bootable device"]);
}

#[test]
fn a_machine_that_goes_off_before_a_kernel() {
    let sandbox = with(guests::that_goes_off());
    assert_boot_fails(&sandbox, FIRST, &["the machine went off"]);
}

#[test]
fn a_kernel_that_panics() {
    let sandbox = with(guests::that_panics());
    assert_boot_fails(&sandbox, FIRST, &["kernel panic", guests::PANIC]);
}

#[test]
fn a_boot_that_is_given_up_leaves_a_picture_of_the_screen() {
    let sandbox = with(guests::that_panics());
    sandbox.rehearsal().assert().code(1);
    assert_eq!(pictures(&sandbox), ["screen-1.png"]);
    let refused = [
        Act::RefusePictures,
        Act::Console(format!("{}\n", guests::PANIC)),
    ];
    let sandbox = with(guests::that_boots(
        [refused.into(), vec![Act::Hang]].concat(),
    ));
    let told = contains("there is no picture of the guest's screen");
    sandbox.rehearsal().assert().code(1).stderr(told);
    assert_eq!(pictures(&sandbox), [""; 0]);
    // One that went off has no screen.
    let sandbox = with(guests::that_goes_off());
    sandbox
        .rehearsal()
        .assert()
        .code(1)
        .stderr(contains("no picture").not());
    assert_eq!(pictures(&sandbox), [""; 0]);
}

fn pictures(sandbox: &Sandbox) -> Vec<String> {
    let mut names = bootproof_tests::sandbox::names_in(&sandbox.run_directory());
    names.retain(|name| name.ends_with(".png"));
    names
}

#[test]
fn a_guest_that_resets_for_ever() {
    let sandbox = with(guests::in_a_boot_loop());
    assert_boot_fails(&sandbox, FIRST, &["boot loop"]);
}

#[test]
fn a_console_that_floods_and_lies_reaches_no_terminal() {
    let title = "\x1b]0;owned\x07\x1b[2J";
    let flood = format!("{title}{}\r\n", "x".repeat(100_000));
    let boot = vec![
        Act::Console(flood),
        Act::Console(format!(
            "{title}Kernel panic - not syncing: \x1b[31mred\r\n"
        )),
        Act::Hang,
    ];
    let sandbox = with(guests::that_boots(boot));
    let run = sandbox.rehearsal().assert().code(1);
    run.stderr(
        contains("kernel panic")
            .and(contains("\x1b").not())
            .and(contains("\x07").not()),
    );
    let markdown = std::fs::read_to_string(sandbox.run_directory().join("report.md")).unwrap();
    assert!(!markdown.contains('\x1b'));
}

#[test]
fn a_guest_that_powers_off_after_the_reboot_is_found_in_rebooted() {
    let sandbox = Sandbox::with_guest(|toplevel| {
        let mut boot = guests::healthy_boots(toplevel);
        let reset = boot.iter().position(|act| matches!(act, Act::Reset));
        boot.truncate(reset.unwrap() + 1);
        guests::that_boots(boot)
    });
    assert_boot_fails(
        &sandbox,
        "rebooted/boot-failed/warm-reboot",
        &["the machine went off"],
    );
}

#[test]
fn a_guest_that_is_reset_while_it_is_asked_fails_at_once() {
    let boot = vec![
        Act::GreetShell(guests::FIRST_BOOT.to_owned()),
        Act::Reset,
        Act::Hang,
    ];
    let sandbox = with(guests::that_boots(boot));
    assert_boot_fails(&sandbox, FIRST, &["the machine was reset while it was to"]);
}
