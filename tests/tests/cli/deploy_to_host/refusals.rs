//! Ways to get something else onto a host, none of which may work.

use std::fs;
use std::path::Path;

use bootproof::receipt::{Receipt, SecretKey};
use bootproof::vocabulary::Verdict;

use super::Deploy;

#[test]
fn a_host_that_moved_on_since_the_rehearsal_is_not_deployed_to() {
    let deploy = Deploy::proven();
    let other = format!("/nix/store/{}-nixos-system-other", "0".repeat(32));
    deploy.host.has("current", &other);
    let next = format!("bootproof test --store {}", deploy.place("store"));
    let words = [
        "is what the machine runs",
        &next,
        &format!("--baseline {other} --host web"),
    ];
    deploy.assert(deploy.candidate(), 1, &words);
    // Without a name there is nothing to propose.
    deploy.assert(deploy.run(&[]), 2, &["no receipt in", &other]);
    deploy.assert_untouched();
}

#[test]
fn a_host_that_somebody_switches_meanwhile_is_left_alone() {
    let deploy = Deploy::proven();
    let other = format!("/nix/store/{}-nixos-system-other", "0".repeat(32));
    deploy
        .host
        .has("on-copy", &format!("echo {other} >\"$host/current\""));
    let words = ["web was not switched", "switched by somebody else", &other];
    deploy.assert(deploy.candidate(), 1, &words);
    deploy.assert_not_activated();
    let deploy = Deploy::proven();
    deploy.host.has("busy", "");
    deploy.assert(
        deploy.candidate(),
        1,
        &["somebody else's switch is under way"],
    );
    deploy.assert_not_activated();
}

#[test]
fn a_link_that_is_swapped_after_the_gate_changes_nothing() {
    let deploy = Deploy::proven();
    let link = deploy.sandbox.place("result");
    std::os::unix::fs::symlink(&deploy.sandbox.toplevel.path, &link).unwrap();
    let swap = format!(
        "ln -sfn {} {}",
        deploy.sandbox.baseline.path,
        link.display()
    );
    deploy.host.has("on-copy", &swap);
    let told = deploy.run(&[link.to_str().unwrap()]);
    deploy.assert(told, 0, &["pass: web runs"]);
    assert_eq!(
        fs::read_link(&link).unwrap(),
        Path::new(&deploy.sandbox.baseline.path)
    );
    assert_eq!(deploy.host.told("current"), deploy.sandbox.toplevel.path);
    let log = deploy.host.log();
    assert!(!log.iter().any(|line| line.contains("result")), "{log:?}");
}

#[test]
fn a_receipt_of_something_else_lets_nothing_through() {
    let deploy = Deploy::new();
    deploy.assert(deploy.candidate(), 1, &["there is no receipt"]);
    type Change = fn(&mut Receipt);
    let changes: [(Change, &str); 10] = [
        (|r| r.host = Some("db".to_owned()), "it is for the host db"),
        (|r| r.host = None, "it is for no host"),
        (|r| r.baseline = None, "rehearsed upon no baseline"),
        (|r| r.baseline = Some(r.candidate.clone()), "rehearsed upon"),
        (
            |r| r.candidate = r.baseline.clone().unwrap(),
            "it is for another closure",
        ),
        (
            |r| r.candidate.closure_hash = "00".repeat(32),
            "are not those that were rehearsed",
        ),
        (|r| r.verdict = Verdict::Fail, "its verdict is fail"),
        (|r| r.steps.truncate(1), "the policy asks for switch"),
        (
            |r| r.made_at = "2020-01-01T00:00:00Z".parse().unwrap(),
            "days old",
        ),
        (
            |r| r.made_at = "2999-01-01T00:00:00Z".parse().unwrap(),
            "in the future",
        ),
    ];
    for (change, words) in changes {
        deploy.proves(change);
        deploy.assert(deploy.candidate(), 1, &["must not be deployed", words]);
    }
    deploy.assert_untouched();
}

#[test]
fn an_edited_truncated_or_strangers_receipt_lets_nothing_through() {
    let deploy = Deploy::proven();
    let file = deploy.place("receipts/r.receipt");
    let text = fs::read_to_string(&file).unwrap();
    let edits = [
        (
            text.replace("\"report\": \"ef", "\"report\": \"ee"),
            "no trusted key has signed it",
        ),
        (text[..text.len() / 2].to_owned(), "cannot be read"),
        (String::new(), "cannot be read"),
    ];
    for (edited, words) in edits {
        fs::write(&file, edited).unwrap();
        deploy.assert(deploy.candidate(), 1, &[words]);
        deploy.assert_untouched();
    }
    let deploy = Deploy::proven();
    let stranger = SecretKey::from_seed("ci-1", &[2; 32]).unwrap();
    deploy.seals(&deploy.receipt(), &stranger);
    deploy.assert(deploy.candidate(), 1, &["no trusted key has signed it"]);
    deploy.assert_untouched();
}

#[test]
fn other_contents_on_the_host_are_not_activated() {
    let deploy = Deploy::proven();
    let store = deploy.sandbox.place("store");
    let other = fs::read_to_string(store.join("registration"))
        .unwrap()
        .replacen("1111", "2222", 1);
    deploy.host.has("registration", &other);
    let paths = fs::read_to_string(store.join("store-paths")).unwrap();
    deploy.host.has("store-paths", &paths);
    let words = ["is not what was proven", "nothing was activated"];
    deploy.assert(deploy.candidate(), 1, &words);
    deploy.assert_not_activated();
}

#[test]
fn what_keeps_us_from_the_host_is_the_users_trouble() {
    let deploy = Deploy::proven();
    deploy.host.has("user", "1000");
    deploy.assert(deploy.candidate(), 2, &["somebody else than root"]);
    deploy.host.has("unreachable", "");
    deploy.assert(
        deploy.candidate(),
        2,
        &["ssh cannot reach root@web", "refused"],
    );
    deploy.assert(deploy.run(&["--to", "-oProxyCommand=x"]), 2, &[]);
    deploy.assert(deploy.run(&["--to", "a b"]), 2, &["no destination of ssh"]);
    deploy.assert_untouched();
    let deploy = Deploy::proven();
    let config = deploy.place("bootproof.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("ssh = \"root@web\"\n", "")).unwrap();
    deploy.assert(deploy.candidate(), 2, &["where is web?", "--to"]);
    deploy.host.has("current", "/run/current-system");
    let told = deploy.run(&["--to", "root@web"]);
    deploy.assert(told, 2, &["leads to no store path"]);
}

#[test]
fn two_builds_that_differ_are_refused_with_the_first_difference() {
    let deploy = Deploy::proven();
    let (new, old) = (&deploy.sandbox.toplevel, &deploy.sandbox.baseline);
    fs::write(old.host_path().join("system"), "i686-linux").unwrap();
    deploy.install("nix", &old.built_by_nix());
    let build = format!("echo {}", new.path);
    let arguments = ["--build-command", &build, "--flake", ".#web"];
    let words = [
        "must not be deployed",
        "the deploy tool builds x86_64-linux, and the flake means i686-linux",
    ];
    deploy.assert(deploy.run(&arguments), 1, &words);
    deploy.assert_untouched();
    let (store, config) = (deploy.place("store"), deploy.place("bootproof.toml"));
    let gate = [
        "gate",
        "--host",
        "web",
        "--store",
        &store,
        "--config",
        &config,
        "--baseline",
        &old.path,
    ];
    let output = deploy
        .sandbox
        .bootproof([&gate[..], &arguments].concat())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.contains(words[1]) && output.stdout.is_empty(),
        "{told}"
    );
    // The same build is the candidate.
    deploy.install("nix", &new.built_by_nix());
    deploy.assert(deploy.run(&arguments), 0, &["pass: web runs"]);
}

#[test]
fn files_that_rot_on_the_host_are_found_where_they_are_looked_at() {
    let deploy = Deploy::proven();
    let new = deploy.sandbox.toplevel.path.clone();
    deploy.host.has("rotten", "");
    let words = ["are not what its store recorded", "was modified!"];
    deploy.assert(deploy.run(&[&new, "--verify"]), 1, &words);
    deploy.assert_not_activated();
    fs::remove_file(deploy.host.directory().join("rotten")).unwrap();
    deploy.assert(deploy.run(&[&new, "--verify"]), 0, &["pass: web runs"]);
}
