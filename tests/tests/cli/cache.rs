//! `bootproof cache`, and how much the cache of finished disks may take.

use std::fs;

use bootproof_tests::{Sandbox, guests};
use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::contains;
use serde_json::Value;

/// What `bootproof cache --format json` says after `args`.
fn listing(sandbox: &Sandbox, args: &[&str]) -> Value {
    let args = ["cache", "--format", "json"].iter().chain(args);
    let told = sandbox.bootproof(args).assert().code(0);
    serde_json::from_slice(&told.get_output().stdout).unwrap()
}

fn disks(listing: &Value) -> &Vec<Value> {
    listing["disks"].as_array().unwrap()
}

#[test]
fn what_is_there_is_listed_and_removed() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    let told = sandbox.bootproof(["cache"]).assert().code(0);
    told.stderr(contains("is not there yet"));
    sandbox.assert_untouched();
    sandbox.rehearsal().assert().code(0);
    let told = sandbox.bootproof(["cache"]).assert().code(0);
    told.stdout(contains("used just now").and(contains("nixos-system-new")));
    let before = listing(&sandbox, &[]);
    assert_eq!(disks(&before).len(), 1, "{before}");
    assert_eq!(disks(&before)[0]["in_use"], false);
    assert!(before["bytes"].as_u64().unwrap() > 1 << 20, "{before}");

    let after = listing(&sandbox, &["clean", "--max-size", "1T"]);
    assert_eq!(disks(&after).len(), 1, "{after}");
    let after = listing(&sandbox, &["clean"]);
    assert_eq!(disks(&after).len(), 0, "{after}");
    assert_eq!(sandbox.cached_disks(), [""; 0]);
    assert_eq!(sandbox.workshops(), [""; 0]);
}

#[test]
fn a_disk_that_a_rehearsal_uses_stays() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    let mut held = sandbox.process();
    held.args(sandbox.rehearsal_args())
        .args(["--hold", "booted", "--cache-size", "0"])
        .stdin(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut held = held.spawn().unwrap();
    let mut told = std::io::BufReader::new(held.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("press Enter") {
        line.clear();
        assert_ne!(
            std::io::BufRead::read_line(&mut told, &mut line).unwrap(),
            0
        );
    }
    let listed = listing(&sandbox, &["clean", "--all"]);
    assert_eq!(disks(&listed)[0]["in_use"], true, "{listed}");
    std::io::Write::write_all(&mut held.stdin.take().unwrap(), b"\n").unwrap();
    std::io::copy(&mut told, &mut std::io::sink()).unwrap();
    assert_eq!(held.wait().unwrap().code(), Some(3));
    assert_eq!(sandbox.cached_disks().len(), 1);
}

#[test]
fn what_was_not_used_for_longest_makes_room() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    sandbox.rehearsal().assert().code(0);
    let first = sandbox.cached_disks();
    sandbox.play(&guests::healthy(&sandbox.baseline));
    let root = sandbox.baseline.root().to_str().unwrap();
    let mut args = vec![
        "test",
        "--store",
        root,
        "--toplevel",
        &sandbox.baseline.path,
    ];
    fs::write(
        sandbox.place("work/bootproof.toml"),
        "format_version = 1\ncache_size = \"1M\"\n",
    )
    .unwrap();
    args.extend(["--run-dir", "../second"]);
    let run = sandbox.bootproof(&args).assert().code(0);
    run.stderr(contains(format!("remove {} from the cache", first[0])));
    let second = sandbox.cached_disks();
    assert_eq!(second.len(), 1);
    assert_ne!(first, second);
}

#[test]
fn a_failed_run_keeps_its_disk_and_the_base_of_it_stays() {
    let sandbox = Sandbox::with_guest(|_| guests::without_bootable_disk());
    let run = sandbox.rehearsal().assert().code(1);
    run.stderr(contains("disk kept (").and(contains("bootproof debug ")));
    let overlay = sandbox.run_directory().join("disk.qcow2");
    assert!(overlay.is_file());
    let listed = listing(&sandbox, &["clean"]);
    let kept = fs::canonicalize(&overlay).unwrap();
    assert_eq!(disks(&listed)[0]["kept_for"][0], kept.to_str().unwrap());
    let told = sandbox.bootproof(["cache", "clean", "--all"]).assert();
    told.code(0).stderr(contains("cannot be booted again"));
    assert_eq!(sandbox.cached_disks(), [""; 0]);
}

#[test]
fn a_run_that_passes_keeps_its_disk_only_where_it_is_asked_to() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    sandbox.rehearsal().assert().code(0);
    assert!(!sandbox.run_directory().join("disk.qcow2").exists());
    let mut args = sandbox.toplevel_args();
    args.extend([
        "--keep".into(),
        "--run-dir".into(),
        sandbox.place("kept").into(),
    ]);
    sandbox
        .bootproof(args)
        .assert()
        .code(0)
        .stderr(contains("disk kept ("));
    assert!(sandbox.place("kept/disk.qcow2").is_file());
}

#[test]
fn a_size_that_is_none_is_refused() {
    let sandbox = Sandbox::new();
    let told = sandbox
        .bootproof(["cache", "--cache-size", "much"])
        .assert();
    told.code(2).stderr(contains("is no size"));
}
