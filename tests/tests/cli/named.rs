//! What a user of NixOS calls a closure: a link, a generation, a specialisation, a host of a flake.

use std::fs;
use std::os::unix::fs::symlink;

use bootproof_tests::executable::write_executable;
use bootproof_tests::{FakeToplevel, Sandbox};
use predicates::prelude::*;
use predicates::str::contains;

fn inspect(sandbox: &Sandbox, arguments: &[&str]) -> assert_cmd::Command {
    let store = sandbox.toplevel.root().to_str().unwrap();
    let mut command = sandbox.bootproof(["inspect", "--store", store, "--format=json"]);
    command.args(arguments);
    command
}

fn profile(sandbox: &Sandbox) {
    let profiles = sandbox.toplevel.root().join("nix/var/nix/profiles");
    fs::create_dir_all(&profiles).unwrap();
    symlink(&sandbox.baseline.path, profiles.join("system-41-link")).unwrap();
    symlink(&sandbox.toplevel.path, profiles.join("system-42-link")).unwrap();
    symlink("system-42-link", profiles.join("system")).unwrap();
}

/// A toplevel with one specialisation.
fn specialise(sandbox: &Sandbox) -> FakeToplevel {
    let special = FakeToplevel::make(sandbox.toplevel.root(), "nixos-system-special").unwrap();
    let directory = sandbox.toplevel.host_path().join("specialisation");
    fs::create_dir(&directory).unwrap();
    symlink(&special.path, directory.join("rescue")).unwrap();
    special
}

#[test]
fn a_result_link_a_profile_and_a_generation_lead_to_their_toplevels() {
    let sandbox = Sandbox::new();
    profile(&sandbox);
    let result = sandbox.place("result");
    symlink(&sandbox.toplevel.path, &result).unwrap();
    let (new, old) = (
        sandbox.toplevel.path.as_str(),
        sandbox.baseline.path.as_str(),
    );
    for (arguments, meant) in [
        (&[result.to_str().unwrap()][..], new),
        (&["/nix/var/nix/profiles/system"], new),
        (&["--generation", "42"], new),
        (&["--generation", "41"], old),
        (&["/nix/var/nix/profiles/system-41-link"], old),
    ] {
        let run = inspect(&sandbox, arguments).assert();
        run.stdout(contains(format!("\"toplevel\": \"{meant}\"")));
    }
    inspect(&sandbox, &["--generation", "43"])
        .assert()
        .code(2)
        .stderr(contains("system-43-link").and(contains("does not exist")));
}

#[test]
fn a_specialisation_is_named_and_an_unknown_one_is_told_with_those_there_are() {
    let sandbox = Sandbox::new();
    profile(&sandbox);
    let special = specialise(&sandbox);
    let toplevel = sandbox.toplevel.path.as_str();
    let path = format!("{toplevel}/specialisation/rescue");
    for arguments in [
        &[toplevel, "--specialisation", "rescue"][..],
        &["--generation", "42", "--specialisation", "rescue"],
        &[&path],
    ] {
        let run = inspect(&sandbox, arguments).assert();
        run.stdout(contains(format!("\"toplevel\": \"{}\"", special.path)));
    }
    inspect(&sandbox, &[toplevel, "--specialisation", "../rescue"])
        .assert()
        .code(2)
        .stderr(contains("no specialisation `../rescue`: it has rescue"));
}

#[test]
fn a_host_of_a_flake_is_rehearsed() {
    let sandbox = Sandbox::new();
    // A `nix` that says what it was asked to build.
    let nix = sandbox.place("bin").join("nix");
    let asked = sandbox.place("asked");
    let script = format!(
        "#!/bin/sh\necho \"$@\" >> {}\n{}\n",
        asked.display(),
        sandbox.toplevel.built_by_nix()
    );
    write_executable(&nix, &script);
    fs::write(
        sandbox.place("work").join("bootproof.toml"),
        "format_version = 1\n[hosts.web]\n",
    )
    .unwrap();
    let store = sandbox.toplevel.root().to_str().unwrap();
    for (flake, more) in [(".#web", &[][..]), (".", &["--host", "web"])] {
        sandbox
            .bootproof(["test", "--dry-run", "--store", store, "--flake", flake])
            .args(more)
            .assert()
            .success()
            .stderr(contains(sandbox.toplevel.path.as_str()));
    }
    let asked = fs::read_to_string(asked).unwrap();
    let web = ".#nixosConfigurations.\"web\".config.system.build.toplevel";
    assert_eq!(asked.lines().filter(|line| line.ends_with(web)).count(), 2);
}
