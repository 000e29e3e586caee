//! What bootproof teaches, checked by what reads it: shells and man.

use std::fs;
use std::process::Command;

use bootproof_tests::Sandbox;
use bootproof_tests::sandbox::names_in;
use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::contains;

/// Runs a program of the host on a file; `cargo xtask test` installs it.
fn assert_accepts(program: &str, args: &[&str], file: &std::path::Path) {
    let output = Command::new(program).args(args).arg(file).output();
    let output =
        output.unwrap_or_else(|e| panic!("{program}: {e}: `cargo xtask test` installs it"));
    assert!(
        output.status.success(),
        "{program} {}: {}{}",
        file.display(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn without_a_command_the_three_uses_are_taught() {
    let sandbox = Sandbox::new();
    let told = sandbox.bootproof([""; 0]).assert().code(2).stdout("");
    told.stderr(
        contains("The gate before a deploy")
            .and(contains("A look for yourself"))
            .and(contains("Regression scenarios")),
    );
    sandbox.assert_untouched();
}

#[test]
fn each_shell_reads_its_completions() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let told = sandbox.bootproof(["completions", shell]).assert().code(0);
        let script = sandbox.place(shell);
        fs::write(&script, &told.get_output().stdout).unwrap();
        if ["bash", "zsh", "fish"].contains(&shell) {
            assert_accepts(shell, &["-n"], &script);
        }
    }
    let told = sandbox.bootproof(["completions", "sh"]).assert().code(2);
    told.stderr(contains("bash, elvish, fish, powershell, zsh"));
    // What is completed, by bash itself: the line `bootproof ca`, and `bootproof test --tar`.
    for (words, completed) in [
        ("bootproof ca", "cache"),
        ("bootproof test --tar", "--target-system"),
    ] {
        let ask = format!(
            ". '{}'; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _bootproof bootproof \"${{COMP_WORDS[COMP_CWORD]}}\" \"\"; echo \"${{COMPREPLY[*]}}\"",
            sandbox.place("bash").display()
        );
        let output = Command::new("bash").args(["-c", &ask]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), completed);
    }
}

#[test]
fn every_command_has_a_man_page_that_man_reads() {
    let sandbox = Sandbox::new();
    let pages = sandbox.place("man/man1");
    let pages = pages.to_str().unwrap();
    sandbox.bootproof(["man", pages]).assert().code(0);
    let names = names_in(pages.as_ref());
    assert!(names.len() > 12 && names.contains(&"bootproof-cache-clean.1".to_owned()));
    for name in &names {
        let page = sandbox.place("man/man1").join(name);
        assert_accepts("mandoc", &["-Tlint", "-Werror"], &page);
        let text = fs::read_to_string(page).unwrap();
        // Pages that a page names are there.
        for named in text
            .split_whitespace()
            .filter_map(|word| word.strip_suffix("(1)"))
            .filter(|named| named.starts_with("bootproof"))
        {
            let named = named.replace('\\', "") + ".1";
            assert!(names.contains(&named), "{name} names {named}");
        }
    }
    let test = fs::read_to_string(sandbox.place("man/man1/bootproof-test.1")).unwrap();
    assert!(test.contains("Exit codes") && test.contains(".SH EXAMPLES"));
    let told = sandbox.bootproof(["man", "/proc/nowhere"]).assert().code(2);
    told.stderr(contains("/proc/nowhere"));
}
