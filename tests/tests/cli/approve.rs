//! Approved reports: what was approved passes, and what differs from it fails until somebody approves it.

use std::fs;
use std::path::PathBuf;

use bootproof_tests::sandbox::names_in;
use bootproof_tests::{Sandbox, guests};

/// A sandbox with a configuration whose host is `web`.
struct Host {
    sandbox: Sandbox,
    runs: std::cell::Cell<usize>,
}

/// How a command ended, and what it said.
struct Told {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Host {
    fn new() -> Self {
        let host = Self {
            sandbox: Sandbox::with_guest(guests::healthy),
            runs: 0.into(),
        };
        let text = "format_version = 1\n[hosts.web]\nexpect_system = \"x86_64-linux\"\n";
        fs::write(host.config(), text).unwrap();
        host
    }

    fn config(&self) -> PathBuf {
        self.sandbox.place("bootproof.toml")
    }

    fn snapshots(&self) -> PathBuf {
        self.sandbox.place("snapshots")
    }

    fn approved(&self) -> PathBuf {
        self.snapshots().join("bootproof__web.snap")
    }

    /// The directory of the last run.
    fn run_directory(&self) -> PathBuf {
        self.sandbox.place(&format!("run-{}", self.runs.get()))
    }

    fn run(&self, args: &[&str]) -> Told {
        let output = self.sandbox.bootproof(args).output().unwrap();
        Told {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn test(&self, more: &[&str]) -> Told {
        self.runs.set(self.runs.get() + 1);
        let args: Vec<String> = self
            .sandbox
            .toplevel_args()
            .into_iter()
            .map(|arg| arg.into_string().unwrap())
            .collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let (config, run) = (self.config(), self.run_directory());
        let own = [
            "--config",
            config.to_str().unwrap(),
            "--run-dir",
            run.to_str().unwrap(),
        ];
        self.run(&[&args[..], &own, more].concat())
    }

    /// `bootproof approve` of the last run.
    fn approve(&self) -> Told {
        let (config, run) = (self.config(), self.run_directory());
        let (config, run) = (config.to_str().unwrap(), run.to_str().unwrap());
        self.run(&["approve", run, "--config", config, "--host", "web"])
    }

    /// From now on the guest's kernel is of another release.
    fn change_guest(&self) {
        let file = self.sandbox.qemu.script();
        let script = fs::read_to_string(&file).unwrap();
        let changed = script.replace("release=6.6.63", "release=6.6.64");
        assert_ne!(script, changed);
        fs::write(file, changed).unwrap();
    }
}

const WEB: &[&str] = &["--host", "web"];

#[test]
fn what_was_approved_passes_and_what_differs_fails_until_it_is_approved() {
    let host = Host::new();
    let told = host.test(WEB);
    assert_eq!(told.code, 0, "{}", told.stderr);
    assert!(
        told.stderr.contains("no report is approved yet"),
        "{}",
        told.stderr
    );
    assert_eq!(names_in(&host.snapshots()), [""; 0]);

    let told = host.test(&["--host", "web", "--approve"]);
    assert_eq!(told.code, 0, "{}", told.stderr);
    assert!(told.stderr.contains("approved: "), "{}", told.stderr);
    let approved = fs::read_to_string(host.approved()).unwrap();
    assert!(
        approved.starts_with("---\nsource: \"bootproof.toml\"\nexpression: "),
        "{approved}"
    );
    assert!(approved.contains("\"verdict\": \"pass\""), "{approved}");

    let told = host.test(WEB);
    assert_eq!(told.code, 0, "{}", told.stderr);
    assert!(told.stderr.contains("as approved: "), "{}", told.stderr);

    host.change_guest();
    let told = host.test(WEB);
    assert_eq!(told.code, 1, "{}", told.stderr);
    let failure = told.stderr.find("fail: not as approved: ").unwrap();
    assert!(
        failure < told.stderr.find("pass: ").unwrap(),
        "{}",
        told.stderr
    );
    for words in [
        "own verdict: pass",
        "-      \"kernel_release\": \"6.6.63\"",
        "+      \"kernel_release\": \"6.6.64\"",
        "states, state: booted",
        "bootproof approve ",
        "cargo insta review",
    ] {
        assert!(told.stderr.contains(words), "{words}: {}", told.stderr);
    }
    assert_eq!(
        names_in(&host.snapshots()),
        ["bootproof__web.snap", "bootproof__web.snap.new"]
    );
    assert_eq!(fs::read_to_string(host.approved()).unwrap(), approved);
    let difference = fs::read_to_string(host.run_directory().join("approved.diff")).unwrap();
    assert!(difference.contains("6.6.64"), "{difference}");

    let told = host.approve();
    assert_eq!(told.code, 0, "{}", told.stderr);
    assert!(told.stderr.contains("6.6.64"), "{}", told.stderr);
    assert_eq!(names_in(&host.snapshots()), ["bootproof__web.snap"]);
    let told = host.test(WEB);
    assert_eq!(told.code, 0, "{}", told.stderr);
    host.sandbox.assert_no_litter();
}

#[test]
fn a_run_that_is_not_as_approved_leaves_no_receipt() {
    let host = Host::new();
    host.sandbox.toplevel.write_registration('1').unwrap();
    let (store, key) = (host.sandbox.place("store"), host.sandbox.place("ci.secret"));
    let (store, key) = (store.to_str().unwrap(), key.to_str().unwrap());
    assert_eq!(host.run(&["key", "generate", "ci-1", key]).code, 0);
    let (config, run) = (host.config(), host.sandbox.place("run-receipt"));
    let toplevel = host.sandbox.toplevel.path.clone();
    let rehearse = |run: &str, more: &[&str]| {
        let config = config.to_str().unwrap();
        let args = [
            "test",
            "--closure",
            store,
            "--toplevel",
            &toplevel,
            "--config",
            config,
            "--host",
            "web",
        ];
        host.run(&[&args[..], &["--key", key, "--run-dir", run], more].concat())
    };
    let told = rehearse(run.to_str().unwrap(), &["--approve"]);
    assert_eq!(told.code, 0, "{}", told.stderr);
    let receipts = names_in(&host.sandbox.place("receipts"));
    assert_eq!(receipts.len(), 1);
    let receipt = host.sandbox.place("receipts").join(&receipts[0]);
    let receipt = fs::read_to_string(receipt).unwrap();
    assert!(receipt.contains("\"approved\": \""), "{receipt}");

    fs::remove_dir_all(host.sandbox.place("receipts")).unwrap();
    host.change_guest();
    let again = host.sandbox.place("run-again");
    let told = rehearse(again.to_str().unwrap(), &["--format", "json"]);
    assert_eq!(told.code, 1, "{}", told.stderr);
    assert!(told.stderr.contains("no receipt: "), "{}", told.stderr);
    assert_eq!(names_in(&host.sandbox.place("receipts")), [""; 0]);
    // What the machine did is told as it was.
    let report: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(report["verdict"], "pass");
}

#[test]
fn an_approved_failure_is_expected_and_stays_a_failure() {
    let host = Host::new();
    host.sandbox.play(&guests::that_panics());
    let told = host.test(&["--host", "web", "--approve"]);
    assert_eq!(told.code, 1, "{}", told.stderr);
    assert!(
        told.stderr.contains("the verdict stays fail"),
        "{}",
        told.stderr
    );
    let told = host.test(WEB);
    assert_eq!(told.code, 1, "{}", told.stderr);
    assert!(told.stderr.contains("as approved: "), "{}", told.stderr);

    host.sandbox.play(&guests::healthy(&host.sandbox.toplevel));
    let told = host.test(WEB);
    assert_eq!(told.code, 1, "{}", told.stderr);
    assert!(
        told.stderr.contains("+  \"verdict\": \"pass\""),
        "{}",
        told.stderr
    );
}

#[test]
fn a_damaged_approved_report_is_told_before_a_machine_is_started_and_never_overwritten() {
    let host = Host::new();
    fs::create_dir(host.snapshots()).unwrap();
    for damage in [
        "",
        "notes of mine\n",
        "---\nsource: x\n---\n{\"verdict\": \"pa",
    ] {
        fs::write(host.approved(), damage).unwrap();
        for args in [WEB, &["--host", "web", "--approve"]] {
            let told = host.test(args);
            assert_eq!(told.code, 2, "{}", told.stderr);
            assert!(
                told.stderr
                    .contains("bootproof__web.snap is no approved report"),
                "{}",
                told.stderr
            );
        }
        assert_eq!(fs::read_to_string(host.approved()).unwrap(), damage);
    }
    assert_eq!(host.sandbox.qemu.started(), [""; 0]);
}

#[test]
fn without_a_configuration_a_file_is_named() {
    let host = Host::new();
    let file = host.sandbox.place("mine.snap");
    let named = ["--approved", file.to_str().unwrap()];
    let told = host.test(&[&named[..], &["--approve"]].concat());
    assert_eq!(told.code, 0, "{}", told.stderr);
    host.change_guest();
    let told = host.test(&named);
    assert_eq!(told.code, 1, "{}", told.stderr);
    let command = format!("--approved {}", file.display());
    assert!(told.stderr.contains(&command), "{}", told.stderr);

    for (args, words) in [
        (&["--approve"][..], "--approve for which host?"),
        (&["--approved", "x.json", "--approve"], "must end in .snap"),
        (&["--approve", "--host", "wob"], "has no host `wob`"),
        (
            &["--approve", "--host", "web", "--hold", "booted"],
            "cannot be used with",
        ),
    ] {
        let told = host.test(args);
        assert_eq!(told.code, 2, "{}", told.stderr);
        assert!(told.stderr.contains(words), "{}", told.stderr);
    }
}

#[test]
fn what_was_not_rehearsed_to_its_end_is_not_approved() {
    let host = Host::new();
    assert_eq!(host.test(WEB).code, 0);
    let file = host.run_directory().join("observations.jsonl");
    let text = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    fs::write(&file, lines[..lines.len() / 2].join("\n") + "\n").unwrap();
    let told = host.approve();
    assert_eq!(told.code, 2, "{}", told.stderr);
    assert!(
        told.stderr.contains("nothing can be approved"),
        "{}",
        told.stderr
    );
    assert_eq!(names_in(&host.snapshots()), [""; 0]);
}
