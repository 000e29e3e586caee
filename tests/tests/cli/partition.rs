//! The hosts of a configuration and the scenarios of a lab, split for machines that share them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bootproof_tests::Sandbox;
use bootproof_tests::executable::write_executable;
use predicates::str::contains;

fn configure(sandbox: &Sandbox, hosts: usize) -> BTreeSet<String> {
    let names: BTreeSet<String> = (0..hosts).map(|n| format!("host-{n}")).collect();
    let tables: String = names
        .iter()
        .map(|name| format!("[hosts.{name}]\n"))
        .collect();
    let text = format!("format_version = 1\n{tables}");
    fs::write(sandbox.place("work").join("bootproof.toml"), text).unwrap();
    names
}

fn listed(sandbox: &Sandbox, arguments: &[&str]) -> Vec<String> {
    let output = sandbox
        .bootproof(["hosts"])
        .args(arguments)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn the_parts_are_disjoint_and_have_every_host() {
    let sandbox = Sandbox::new();
    let names = configure(&sandbox, 20);
    let parts = ["hash:1/3", "hash:2/3", "hash:3/3"];
    let all: Vec<String> = parts
        .iter()
        .flat_map(|part| listed(&sandbox, &["--partition", part]))
        .collect();
    assert_eq!(all.len(), names.len());
    assert_eq!(all.into_iter().collect::<BTreeSet<_>>(), names);
}

#[test]
fn a_matrix_reads_an_array_and_an_empty_part_is_an_empty_one() {
    let sandbox = Sandbox::new();
    configure(&sandbox, 2);
    let all = listed(&sandbox, &["--format", "json"]);
    assert_eq!(all, [r#"["host-0","host-1"]"#]);
    configure(&sandbox, 0);
    let none = listed(&sandbox, &["--format", "json", "--partition", "hash:1/2"]);
    assert_eq!(none, ["[]"]);
}

#[test]
fn what_is_no_part_is_told_with_how_it_is_written() {
    let sandbox = Sandbox::new();
    for part in ["hash:3/2", "2/3", "hash:0/1"] {
        sandbox
            .bootproof(["hosts", "--partition", part])
            .assert()
            .code(2)
            .stderr(contains("write hash:K/N"));
    }
}

#[test]
fn the_example_for_a_shell_rehearses_each_host_in_one_part() {
    let sandbox = Sandbox::new();
    let names = configure(&sandbox, 5);
    let store = sandbox.toplevel.root().display().to_string();
    let install = |name: &str, script: String| {
        let place = sandbox.place("bin").join(name);
        write_executable(&place, &format!("#!/bin/sh\n{script}\n"));
    };
    let under_test = sandbox.process();
    let program = under_test.get_program().to_str().unwrap();
    install("bootproof", format!("exec {program} \"$@\""));
    install("nix", sandbox.toplevel.built_by_nix());
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/ci/matrix.sh");
    let mut seen = Vec::new();
    for part in ["1", "2", "3"] {
        let mut script = assert_cmd::Command::new("sh");
        for (name, value) in under_test.get_envs() {
            if let Some(value) = value {
                script.env(name, value);
            }
        }
        let run = script
            .current_dir(sandbox.place("work"))
            .env(
                "BOOTPROOF_TEST_ARGUMENTS",
                format!("--store {store} --dry-run"),
            )
            .args([example.as_os_str(), part.as_ref(), "3".as_ref()])
            .assert()
            .success();
        let told = String::from_utf8(run.get_output().stderr.clone()).unwrap();
        let count = told.matches("  candidate ").count();
        let mine = listed(&sandbox, &["--partition", &format!("hash:{part}/3")]);
        assert_eq!(count, mine.len(), "{told}");
        seen.extend(mine);
    }
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), names);
}
