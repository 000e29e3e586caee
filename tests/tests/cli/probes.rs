//! What the configuration asks of a guest, and the files that it puts on its disk.

use std::fs;
use std::process::Output;

use bootproof_tests::{Sandbox, guests};

fn rehearsed(sandbox: &Sandbox, host: &str) -> (Output, String) {
    let config = sandbox.place("bootproof.toml");
    fs::write(&config, format!("format_version = 1\n[hosts.web]\n{host}")).unwrap();
    let mut args = sandbox.rehearsal_args();
    args.extend(["--config".into(), config.into()]);
    args.extend(["--host".into(), "web".into()]);
    let told = sandbox.bootproof(&args).output().unwrap();
    let text = String::from_utf8_lossy(&told.stderr).into_owned();
    (told, text)
}

#[test]
fn a_probe_that_is_answered_as_expected_passes() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    let (told, text) = rehearsed(&sandbox, "[[hosts.web.probes]]\npath = \"/health\"\n");
    assert_eq!(told.status.code(), Some(0), "{text}");
    let recorded = fs::read_to_string(sandbox.run_directory().join("observations.jsonl")).unwrap();
    let probed = recorded.lines().filter(|line| line.contains("\"probed\""));
    assert_eq!(probed.count(), 2);
}

#[test]
fn a_probe_that_is_not_fails_with_what_was_expected_and_what_came() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    let (told, text) = rehearsed(
        &sandbox,
        "[[hosts.web.probes]]\npath = \"/health\"\nexpect_status = 204\n",
    );
    assert_eq!(told.status.code(), Some(1), "{text}");
    assert!(text.contains("probe-failed/http://"), "{text}");
    assert!(
        text.contains("status 200, and status 204 is expected"),
        "{text}"
    );
}

#[test]
fn files_are_put_on_a_disk_of_their_own_and_named_but_not_told() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    fs::write(sandbox.place("key"), "dummy-1").unwrap();
    let files = "[[hosts.web.files]]\npath = \"/var/lib/key\"\nsource = \"key\"\n";
    let (told, text) = rehearsed(&sandbox, files);
    assert_eq!(told.status.code(), Some(0), "{text}");
    assert!(text.contains("/var/lib/key"), "{text}");
    let run = sandbox.run_directory();
    for name in ["plan.json", "observations.jsonl", "report.json"] {
        let text = fs::read_to_string(run.join(name)).unwrap();
        assert!(!text.contains("dummy-1"), "{name}");
    }
    let before = sandbox.cached_disks();
    fs::remove_dir_all(&run).unwrap();
    fs::write(sandbox.place("key"), "dummy-2").unwrap();
    let (told, text) = rehearsed(&sandbox, files);
    assert_eq!(told.status.code(), Some(0), "{text}");
    assert_eq!(sandbox.cached_disks().len(), before.len() + 1);
}

#[test]
fn a_source_that_is_not_there_is_told_before_anything_runs() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    let files = "[[hosts.web.files]]\npath = \"/var/lib/key\"\nsource = \"gone\"\n";
    let (told, text) = rehearsed(&sandbox, files);
    assert_eq!(told.status.code(), Some(2), "{text}");
    assert!(text.contains("the source of /var/lib/key"), "{text}");
    sandbox.assert_untouched();
}
