//! `bootproof inspect` of what a command builds, against what was meant.

use std::fs;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::Stdio;

use bootproof_tests::Sandbox;
use bootproof_tests::executable::write_executable;
use predicates::prelude::*;
use predicates::str::contains;
use rustix::process::{Pid, Signal, kill_process};

fn inspect(sandbox: &Sandbox, arguments: &[&str]) -> assert_cmd::Command {
    let store = sandbox.toplevel.root().to_str().unwrap();
    let mut command = sandbox.bootproof(["inspect", "--store", store]);
    command.args(arguments);
    command
}

/// Puts a program first in `PATH`.
fn install(sandbox: &Sandbox, name: &str, script: &str) -> PathBuf {
    let place = sandbox.place("bin").join(name);
    write_executable(&place, &format!("#!/bin/sh\n{script}\n"));
    place
}

#[test]
fn a_build_command_that_builds_something_else_is_told_first() {
    let sandbox = Sandbox::new();
    let store = sandbox.toplevel.host_path();
    fs::write(store.join("system"), "i686-linux").unwrap();
    let build = format!(
        "echo building >&2; echo nonsense; echo {}; echo done",
        sandbox.toplevel.path
    );
    let meant = sandbox.baseline.path.as_str();
    inspect(&sandbox, &["--build-command", &build, "--meant", meant])
        .assert()
        .code(1)
        .stderr(contains(
            "fail: the deploy tool builds i686-linux, and you mean x86_64-linux",
        ))
        .stderr(contains("building"));
}

#[test]
fn a_link_to_the_toplevel_that_was_meant_is_no_difference() {
    let sandbox = Sandbox::new();
    let path = sandbox.toplevel.path.as_str();
    let link = sandbox.place("result");
    let build = format!("ln -s {path} {0}; echo {0}", link.display());
    let json = inspect(
        &sandbox,
        &["--build-command", &build, "--meant", path, "--format=json"],
    )
    .output()
    .unwrap();
    let text = String::from_utf8(json.stdout).unwrap();
    assert!(text.contains(path), "{text}");
    assert!(!text.contains("build-difference"), "{text}");
}

#[test]
fn a_build_that_fails_or_names_nothing_is_a_clear_error() {
    let sandbox = Sandbox::new();
    for (build, words) in [
        ("echo no >&2; exit 7", ["failed with exit status 7", "no"]),
        (
            "kill -9 $$",
            ["failed with signal 9", "nothing was looked at"],
        ),
        ("echo hello", ["names no store path", "`hello`"]),
        ("true", ["names no store path", "printed nothing"]),
        (
            "echo /nix/store/1fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-gone",
            ["1fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-gone", "does not exist"],
        ),
    ] {
        inspect(&sandbox, &["--build-command", build])
            .assert()
            .code(2)
            .stdout("")
            .stderr(contains(words[0]).and(contains(words[1])))
            .stderr(contains("panicked").not());
    }
    sandbox.assert_untouched();
}

#[test]
fn what_a_build_leaves_running_is_not_waited_for() {
    let sandbox = Sandbox::new();
    let pid = sandbox.place("straggler");
    let build = format!(
        "sleep 600 & echo $! > {}; echo {}",
        pid.display(),
        sandbox.toplevel.path
    );
    let run = inspect(&sandbox, &["--build-command", &build, "--format=json"]).assert();
    run.stdout(contains(sandbox.toplevel.path.as_str()));
    wait_until_gone(&sandbox, &pid);
}

fn wait_until_gone(sandbox: &Sandbox, file: &std::path::Path) {
    let pid: i32 = fs::read_to_string(file).unwrap().trim().parse().unwrap();
    sandbox.wait("the end of what the build started", || {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.is_empty() || stat.contains(") Z ")
    });
}

#[test]
fn ctrl_c_ends_the_build_and_all_that_it_started() {
    for signal in [Signal::INT, Signal::TERM] {
        let sandbox = Sandbox::new();
        let pid = sandbox.place("child");
        let build = format!(
            "(trap '' TERM; echo $$ > /dev/null; sh -c 'echo $$ > {}; exec sleep 600'); true",
            pid.display()
        );
        let mut child = sandbox
            .process()
            .args(["inspect", "--store"])
            .arg(sandbox.toplevel.root())
            .args(["--build-command", &build])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        sandbox.wait("the build's child", || {
            fs::read_to_string(&pid).is_ok_and(|text| text.ends_with('\n'))
        });
        kill_process(Pid::from_child(&child), signal).unwrap();
        let mut stderr = String::new();
        let mut pipe = child.stderr.take().unwrap();
        pipe.read_to_string(&mut stderr).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(2), "{stderr}");
        assert!(stderr.contains("interrupted by"), "{stderr}");
        wait_until_gone(&sandbox, &pid);
    }
}

#[test]
fn ctrl_c_ends_what_follows_upon_a_build_too() {
    let sandbox = Sandbox::new();
    let database = sandbox.toplevel.root().join("nix/var/nix/db");
    fs::create_dir_all(&database).unwrap();
    fs::write(database.join("db.sqlite"), "").unwrap();
    let pid = sandbox.place("asked");
    let script = format!("echo $$ > {}; exec sleep 600", pid.display());
    install(&sandbox, "nix-store", &script);
    let mut child = sandbox
        .process()
        .args(["inspect", "--store"])
        .arg(sandbox.toplevel.root())
        .args([
            "--build-command",
            &format!("echo {}", sandbox.toplevel.path),
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    sandbox.wait("a question to Nix", || {
        fs::read_to_string(&pid).is_ok_and(|text| text.ends_with('\n'))
    });
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let mut stderr = String::new();
    let mut pipe = child.stderr.take().unwrap();
    pipe.read_to_string(&mut stderr).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2), "{stderr}");
    assert!(stderr.contains("interrupted by Ctrl-C"), "{stderr}");
    wait_until_gone(&sandbox, &pid);
}

#[test]
fn a_flake_is_built_by_nix_and_meant() {
    let sandbox = Sandbox::new();
    let asked = sandbox.place("asked");
    let script = format!(
        "echo \"$@\" > {}; {}",
        asked.display(),
        sandbox.baseline.built_by_nix()
    );
    install(&sandbox, "nix", &script);
    let path = sandbox.toplevel.path.as_str();
    fs::write(sandbox.toplevel.host_path().join("nixos-version"), "25.05").unwrap();
    inspect(&sandbox, &[path, "--flake", ".#web"])
        .assert()
        .code(1)
        .stderr(contains(
            "the candidate is not what the flake means: NixOS: 25.05 instead of 24.11.fake",
        ));
    let asked = fs::read_to_string(asked).unwrap();
    let end = "--no-link --json --store";
    assert!(asked.contains(end), "{asked}");
    assert!(
        asked.ends_with(".#nixosConfigurations.\"web\".config.system.build.toplevel\n"),
        "{asked}"
    );
}

#[test]
fn a_flake_alone_is_the_candidate() {
    let sandbox = Sandbox::new();
    install(&sandbox, "nix", &sandbox.toplevel.built_by_nix());
    let run = inspect(&sandbox, &["--flake", ".#web", "--format=json"]).assert();
    run.stdout(contains(sandbox.toplevel.path.as_str()).and(contains("build-difference").not()));
}

#[test]
fn a_flake_without_nix_or_a_host_is_told_with_what_to_do() {
    let sandbox = Sandbox::new();
    inspect(&sandbox, &["--flake", "."])
        .assert()
        .code(2)
        .stderr(contains("name the host"));
    install(&sandbox, "nix", "echo 'error: no flake' >&2; exit 1");
    inspect(&sandbox, &["--flake", ".#web"])
        .assert()
        .code(2)
        .stderr(contains("error: no flake").and(contains("failed with exit status 1")));
    let sandbox = Sandbox::new().only_with(&["sh"]);
    inspect(&sandbox, &["--flake", ".#web"])
        .assert()
        .code(2)
        .stderr(contains("`nix` is not installed").and(contains("by its path")));
}

#[test]
fn what_contradicts_is_refused() {
    let sandbox = Sandbox::new();
    let path = sandbox.toplevel.path.as_str();
    for arguments in [
        &[path, "--build-command", "true"] as &[&str],
        &[path, "--flake", ".#a", "--meant", path],
        &[],
        &["--meant", path],
    ] {
        inspect(&sandbox, arguments).assert().code(2).stdout("");
    }
}
