//! A guest in which all is well: the verdict, and the report from the recording.

use std::fs;

use bootproof_tests::{Sandbox, guests};

#[test]
fn a_healthy_guest_passes_and_its_recording_gives_the_same_report_again() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    let run = sandbox
        .rehearsal()
        .args(["--format", "json"])
        .assert()
        .code(0);
    let printed = &run.get_output().stdout;
    let directory = sandbox.run_directory();
    assert_eq!(printed, &fs::read(directory.join("report.json")).unwrap());
    let report: serde_json::Value = serde_json::from_slice(printed).unwrap();
    assert_eq!(report["verdict"], "pass", "{report:#}");

    let again = |format: &str| {
        let args = ["report".as_ref(), directory.as_os_str()];
        let mut command = sandbox.bootproof(args);
        let output = command.args(["--format", format]).assert().code(0);
        output.get_output().clone()
    };
    assert_eq!(&again("json").stdout, printed);

    let markdown = again("markdown");
    assert_eq!(
        markdown.stdout,
        fs::read(directory.join("report.md")).unwrap()
    );
    assert!(markdown.stderr.is_empty(), "{markdown:?}");

    let human = again("human");
    assert!(human.stdout.is_empty() && !human.stderr.is_empty());
    assert_what_a_run_leaves(&sandbox);
}

fn assert_what_a_run_leaves(sandbox: &Sandbox) {
    assert_eq!(sandbox.qemu.started(), ["boot", "proof", "provision"]);
    sandbox.wait_until_qemu_is_gone();
    sandbox.assert_no_litter();
    assert_eq!(sandbox.cached_disks().len(), 1);
    assert_eq!(sandbox.workshops(), [""; 0]);
    let recording = bootproof_tests::sandbox::names_in(&sandbox.run_directory());
    let expected = [
        "argv.json",
        "console-0.log",
        "console-1.log",
        "console-2.log",
        "fingerprint-1.txt",
        "fingerprint-2.txt",
        "observations.jsonl",
        "plan.json",
        "qemu-0.txt",
        "qemu-1.txt",
        "report.html",
        "report.json",
        "report.junit.xml",
        "report.md",
    ];
    assert_eq!(recording, expected);
}
