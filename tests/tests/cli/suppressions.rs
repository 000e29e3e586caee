//! A fault that somebody answers for: told, and no bar until its day.

use std::fs;
use std::process::Output;

use bootproof_tests::{Sandbox, guests};

/// A host whose nginx fails, with this suppression.
fn rehearsed(suppression: &str) -> (Sandbox, Output) {
    let sandbox = Sandbox::with_guest(guests::with_a_failed_nginx);
    let config = sandbox.place("bootproof.toml");
    let text = format!("format_version = 1\n[hosts.web]\n{suppression}");
    fs::write(&config, text).unwrap();
    let mut args = sandbox.rehearsal_args();
    args.extend(["--config".into(), config.into()]);
    args.extend(["--host".into(), "web".into()]);
    let told = sandbox.bootproof(&args).output().unwrap();
    (sandbox, told)
}

fn suppression(expires: &str) -> String {
    format!(
        "[[hosts.web.suppressions]]\nunit = \"nginx.service\"\nreason = \"its disk comes on Monday\"\nowner = \"anna\"\n\
         expires = {expires}\n"
    )
}

#[test]
fn what_is_suppressed_passes_and_the_recording_says_so_again() {
    let (sandbox, told) = rehearsed(&suppression("9999-12-31"));
    let text = String::from_utf8_lossy(&told.stderr);
    assert_eq!(told.status.code(), Some(0), "{text}");
    assert!(text.contains("suppressed until 9999-12-31 by anna: its disk comes on Monday"));

    let run = sandbox.run_directory();
    let first = fs::read(run.join("report.json")).unwrap();
    let run = run.to_str().unwrap();
    let again = sandbox.bootproof(["report", run, "--format", "json"]);
    let again = { again }.output().unwrap();
    assert_eq!(again.status.code(), Some(0));
    assert_eq!(again.stdout, first);
}

#[test]
fn what_has_expired_fails_again() {
    let (_sandbox, told) = rehearsed(&suppression("2026-01-01"));
    let text = String::from_utf8_lossy(&told.stderr);
    assert_eq!(told.status.code(), Some(1), "{text}");
    assert!(
        text.contains("the suppression by anna expired on 2026-01-01"),
        "{text}"
    );
}

#[test]
fn one_that_would_let_everything_through_is_refused_before_anything_runs() {
    let wide = suppression("9999-12-31").replace("nginx.service", "*.service");
    let (sandbox, told) = rehearsed(&wide);
    let text = String::from_utf8_lossy(&told.stderr);
    assert_eq!(told.status.code(), Some(2), "{text}");
    assert!(text.contains("hosts.web.suppressions: entry 1"), "{text}");
    sandbox.assert_untouched();
}
