//! A host that lacks something, and a QEMU that does not do what it is for: exit code 2, with what to do about it.

use bootproof_tests::fake_qemu::{Act, Script};
use bootproof_tests::{Sandbox, guests};
use predicates::prelude::*;
use predicates::str::contains;

#[test]
fn a_missing_qemu_is_told_with_its_package() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    let sandbox = sandbox.only_with(&["qemu-img", "mke2fs", "debugfs", "sfdisk"]);
    let run = sandbox.rehearsal().assert().code(2).stdout("");
    run.stderr(
        contains("`qemu-system-x86_64` is not installed")
            .and(contains("apt-get install qemu-system-x86")),
    );
    sandbox.assert_untouched();
}

/// mke2fs and sfdisk are found in `sbin` whatever `PATH` says, so that no `PATH` can miss them.
#[test]
fn a_missing_qemu_img_is_told_before_anything_is_begun() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    let sandbox = sandbox.only_with(&["qemu-system-x86_64", "mke2fs", "debugfs", "sfdisk"]);
    let run = sandbox.rehearsal().assert().code(2).stdout("");
    run.stderr(contains("`qemu-img` is not installed").and(contains("apt-get install qemu-utils")));
    sandbox.assert_untouched();
    assert_eq!(sandbox.qemu.started(), [""; 0]);
}

const COMPLAINT: &str = "qemu-system-x86_64: no room for this machine";

fn exits() -> Act {
    Act::Exit {
        code: 1,
        stderr: COMPLAINT.to_owned(),
    }
}

/// Rehearses with a QEMU that is of no use, and looks at what is left.
fn assert_host_trouble(script: Script, words: &[&str]) {
    let sandbox = Sandbox::with_guest(|_| script);
    let mut run = sandbox.rehearsal().assert().code(2).stdout("");
    for word in words {
        run = run.stderr(contains(*word));
    }
    run.stderr(contains("panicked").not());
    sandbox.wait_until_qemu_is_gone();
    sandbox.assert_no_litter();
    assert_eq!(sandbox.workshops(), [""; 0]);
}

#[test]
fn a_qemu_that_exits_at_once_is_quoted() {
    let script = Script {
        proof: vec![exits()],
        ..guests::that_boots(Vec::new())
    };
    assert_host_trouble(script, &["no accelerator works", COMPLAINT]);
}

#[test]
fn a_qemu_that_exits_before_its_monitor_answers_is_quoted() {
    let script = Script {
        provision: vec![exits()],
        ..guests::that_boots(Vec::new())
    };
    assert_host_trouble(
        script,
        &["before it could be controlled", "exit status: 1", COMPLAINT],
    );
    let script = Script {
        boot: vec![exits()],
        ..guests::that_boots(Vec::new())
    };
    assert_host_trouble(
        script,
        &["before it could be controlled", "exit status: 1", COMPLAINT],
    );
}

#[test]
fn a_qemu_that_refuses_its_monitor_is_quoted() {
    let script = Script {
        boot: vec![Act::RefuseMonitor("busy".to_owned()), Act::Hang],
        ..guests::that_boots(Vec::new())
    };
    assert_host_trouble(script, &["refused `qmp_capabilities`: busy"]);
}

#[test]
fn a_crash_of_qemu_itself_is_not_blamed_on_the_guest_and_the_run_begins_again() {
    let sandbox = Sandbox::with_guest(|toplevel| guests::in_a_qemu_that_crashes(toplevel, 1));
    let run = sandbox.rehearsal().assert().code(0);
    run.stderr(contains("begun again").and(contains("QEMU itself crashed in boot 1")));
    let aside = sandbox.run_directory().join("attempt-1");
    assert!(aside.join("observations.jsonl").is_file());
    sandbox.wait_until_qemu_is_gone();
    sandbox.assert_no_litter();
}

#[test]
fn a_qemu_that_crashes_every_time_is_an_error_of_the_host() {
    let sandbox = Sandbox::with_guest(|toplevel| guests::in_a_qemu_that_crashes(toplevel, 9));
    let run = sandbox.rehearsal().assert().code(2).stdout("");
    run.stderr(contains("QEMU itself crashed"));
    assert!(sandbox.run_directory().join("attempt-2").is_dir());
    sandbox.wait_until_qemu_is_gone();
    sandbox.assert_no_litter();
}

#[test]
fn a_guest_whose_clock_the_host_stopped_is_not_blamed() {
    let sandbox = Sandbox::with_guest(guests::on_a_busy_host);
    let run = sandbox.rehearsal().assert().code(2).stdout("");
    run.stderr(contains("the host gave QEMU too little time").and(contains("kernel panic").not()));
    assert!(sandbox.run_directory().join("attempt-2").is_dir());
    sandbox.wait_until_qemu_is_gone();
    sandbox.assert_no_litter();
}
