//! `bootproof inspect` as a process: exit codes, and where its output goes.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

const TOPLEVEL: &str = "/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-nixos-system-test-24.11";

/// The least that counts as a toplevel, in a chroot store; its kernel is no kernel.
fn store() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let top = root.path().join(&TOPLEVEL[1..]);
    fs::create_dir_all(top.join("etc/systemd/system")).unwrap();
    for name in ["init", "kernel", "initrd", "kernel-params"] {
        fs::write(top.join(name), "").unwrap();
    }
    fs::write(top.join("system"), "x86_64-linux").unwrap();
    root
}

fn inspect(root: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bootproof"))
        .arg("inspect")
        .arg("--store")
        .arg(root)
        .args(arguments)
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

#[test]
fn a_toplevel_that_is_not_there_is_a_mistake_of_the_user() {
    let root = store();
    let gone = "/nix/store/1fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-gone";
    let output = inspect(root.path(), &[gone]);
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("does not exist"), "{stderr}");
    assert_eq!(inspect(root.path(), &[]).status.code(), Some(2));
}

#[test]
fn what_cannot_be_executed_fails_and_json_goes_to_stdout() {
    let root = store();
    let output = inspect(root.path(), &[TOPLEVEL, "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["verdict"], "fail");
    assert_eq!(json["findings"][0]["subject"], "init");
}

#[test]
fn a_hostile_toplevel_is_told_and_never_a_panic() {
    let root = store();
    let top = root.path().join(&TOPLEVEL[1..]);
    let units = top.join("etc/systemd/system");
    symlink("loop.service", units.join("loop.service")).unwrap();
    fs::write(units.join("nul.service"), b"\0[Service]\0\nExecStart=\0\n").unwrap();
    fs::write(units.join("bytes.service"), [0xff; 64]).unwrap();
    fs::write(units.join("huge.service"), vec![b'#'; 9 << 20]).unwrap();
    symlink("/proc/self/environ", units.join("out.service")).unwrap();
    fs::write(top.join("boot.json"), "[".repeat(100_000)).unwrap();
    let config = "include /etc/nginx/nginx.conf;";
    fs::create_dir_all(top.join("etc/nginx")).unwrap();
    fs::write(top.join("etc/nginx/nginx.conf"), config).unwrap();
    fs::write(units.join("nginx.service"), "[Service]\nExecStart=nginx\n").unwrap();
    let output = inspect(root.path(), &[TOPLEVEL]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.starts_with("fail: "), "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[test]
fn contents_are_held_against_the_registration_when_asked_to() {
    let root = store();
    // The base of the store path is the name of what the closure directory holds.
    let sum = "0".repeat(52);
    let record = format!("{TOPLEVEL}\nsha256:{sum}\n1\n\n0\n");
    fs::write(root.path().join("registration"), record).unwrap();
    let inspect = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_bootproof"))
            .args(["inspect", "--format=json", "--closure"])
            .arg(root.path())
            .args(arguments)
            .output()
            .unwrap()
            .stdout
    };
    let says = |json: &[u8]| {
        let json: serde_json::Value = serde_json::from_slice(json).unwrap();
        let findings = json["findings"].as_array().unwrap();
        findings.iter().any(|finding| {
            finding["check"] == "store-contents"
                && TOPLEVEL.ends_with(finding["subject"].as_str().unwrap())
        })
    };
    assert!(says(&inspect(&["--verify-contents"])));
    assert!(!says(&inspect(&[])));
}
