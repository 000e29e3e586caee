//! `bootproof init`: a configuration to begin with, which a rehearsal takes as it is.

use std::fs;

use bootproof_tests::{Sandbox, guests};
use predicates::str::contains;

fn init(sandbox: &Sandbox) -> assert_cmd::Command {
    let (store, config) = (sandbox.toplevel.root(), sandbox.place("bootproof.toml"));
    sandbox.bootproof([
        "init".as_ref(),
        "--store".as_ref(),
        store.as_os_str(),
        sandbox.toplevel.path.as_ref(),
        "--host".as_ref(),
        "web".as_ref(),
        "--config".as_ref(),
        config.as_os_str(),
    ])
}

#[test]
fn what_is_written_is_read_by_a_rehearsal_and_never_written_over() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    init(&sandbox)
        .assert()
        .code(0)
        .stderr(contains("--host web"));
    let config = sandbox.place("bootproof.toml");
    let text = fs::read_to_string(&config).unwrap();
    for line in [
        "[hosts.web]",
        "expect_system = \"x86_64-linux\"",
        "#[[hosts.web.probes]]",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }

    let again = init(&sandbox).assert().code(2);
    again.stderr(contains("is there already, and stays as it is"));
    assert_eq!(fs::read_to_string(&config).unwrap(), text);

    let mut args = sandbox.rehearsal_args();
    args.extend(["--config".into(), config.into()]);
    args.extend(["--host".into(), "web".into(), "--dry-run".into()]);
    let told = sandbox.bootproof(&args).assert().code(0);
    told.stderr(contains("x86_64-linux (says the host's configuration)"));
}

#[test]
fn nothing_is_written_for_what_is_no_closure() {
    let sandbox = Sandbox::new();
    let config = sandbox.place("bootproof.toml");
    let told = sandbox.bootproof([
        "init".as_ref(),
        "/nonexistent".as_ref(),
        "--config".as_ref(),
        config.as_os_str(),
    ]);
    { told }.assert().code(2).stderr(contains("/nonexistent"));
    assert!(!config.exists());
}
