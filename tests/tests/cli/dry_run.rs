//! `--dry-run`, and what every run says before it begins.

use bootproof_tests::{Sandbox, guests};
use predicates::prelude::*;
use predicates::str::contains;

#[test]
fn a_dry_run_says_what_it_would_do_and_does_nothing() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    let path = sandbox.toplevel.path.as_str();
    let told = sandbox.rehearsal().arg("--dry-run").assert().code(0);
    told.stdout("").stderr(
        contains("boot the candidate, reboot")
            .and(contains(path))
            .and(contains("x86_64-linux (says the candidate itself)"))
            .and(contains("1024 MiB, virtio disk"))
            .and(contains("MiB\n"))
            .and(contains("minutes under TCG")),
    );
    sandbox.assert_untouched();
    assert_eq!(sandbox.qemu.started(), [""; 0]);
}

#[test]
fn help_and_version_go_to_stdout() {
    let sandbox = Sandbox::new();
    for args in [&["--help"][..], &["test", "--help"], &["--version"]] {
        let told = sandbox.bootproof(args).assert().code(0);
        told.stdout(contains("bootproof")).stderr("");
    }
    sandbox.assert_untouched();
}
