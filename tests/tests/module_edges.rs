//! Dependencies between the harness's modules point one way, and its logic does no I/O.
//!
//! It reads the sources as text: what stands behind `#[cfg(test)]`, in files of tests and in comments does not count.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A module, and all that it may use. Rows stand in the order of dependency: a module uses none that stands below it.
struct Module {
    name: &'static str,
    uses: &'static [&'static str],
    /// Whether it is logic: values in, values out.
    pure: bool,
}

const fn logic(name: &'static str, uses: &'static [&'static str]) -> Module {
    let pure = true;
    Module { name, uses, pure }
}

const fn io(name: &'static str, uses: &'static [&'static str]) -> Module {
    let pure = false;
    Module { name, uses, pure }
}

const MODULES: &[Module] = &[
    logic("vocabulary", &[]),
    logic("nginx", &["vocabulary"]),
    logic("doctor", &["vocabulary"]),
    logic("fold", &["vocabulary"]),
    logic("check", &["fold", "vocabulary"]),
    logic("diagnose", &["check", "fold", "vocabulary"]),
    logic("report", &["check", "diagnose", "fold", "vocabulary"]),
    logic("approval", &["fold", "report"]),
    io("offspring", &[]),
    io("closure", &["nginx", "offspring", "vocabulary"]),
    logic("receipt", &["vocabulary"]),
    logic("config", &["receipt", "vocabulary"]),
    logic("gate", &["config", "receipt", "vocabulary"]),
    io("inspect", &["closure", "fold", "report", "vocabulary"]),
    io("shell", &["fold", "offspring"]),
    logic("next_boot", &["closure", "fold", "shell", "vocabulary"]),
    logic(
        "audit",
        &[
            "check",
            "closure",
            "fold",
            "inspect",
            "next_boot",
            "report",
            "shell",
            "vocabulary",
        ],
    ),
    logic(
        "deploy",
        &[
            "closure",
            "fold",
            "gate",
            "next_boot",
            "receipt",
            "shell",
            "vocabulary",
        ],
    ),
    io("scenario", &["config", "vocabulary"]),
    io("image", &["offspring", "vocabulary"]),
    io("vm", &["offspring", "vocabulary"]),
    io(
        "fuzzing",
        &["closure", "config", "image", "nginx", "receipt", "vm"],
    ),
    io("probe", &["vocabulary"]),
    io(
        "rehearsal",
        &[
            "fold",
            "image",
            "next_boot",
            "probe",
            "shell",
            "vm",
            "vocabulary",
        ],
    ),
    io(
        "cli",
        &[
            "approval",
            "audit",
            "closure",
            "config",
            "deploy",
            "doctor",
            "fold",
            "gate",
            "image",
            "inspect",
            "next_boot",
            "offspring",
            "receipt",
            "rehearsal",
            "report",
            "scenario",
            "shell",
            "vocabulary",
        ],
    ),
];

/// Not of the product: the one line of `main`, and what only tests have.
const OTHERS: &[&str] = &["lib", "main", "testing"];

const IO: &[&str] = &[
    "std::env",
    "std::fs",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "rustix",
    "tokio",
];

/// What a machine that runs NixOS has and a machine as such has not.
const NIXOS_WORDS: &[&str] = &[
    "nix",
    "nixos",
    "toplevel",
    "closure",
    "generation",
    "specialisation",
    "activation",
    "bootspec",
    "systemd",
    "systemctl",
    "journalctl",
];

#[test]
fn every_module_has_a_row() {
    let found: BTreeSet<String> = fs::read_dir(sources())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let rows = MODULES.iter().map(|module| module.name);
    let known = rows.chain(OTHERS.iter().copied()).map(str::to_owned);
    assert_eq!(found, known.collect());
}

#[test]
fn no_module_uses_one_that_stands_below_it() {
    for (index, module) in MODULES.iter().enumerate() {
        for used in module.uses {
            let above = MODULES[..index].iter().any(|other| other.name == *used);
            assert!(above, "{} must not use {used}", module.name);
        }
    }
}

#[test]
fn every_module_uses_only_what_its_row_says() {
    for module in MODULES {
        for (file, code) in code_of(module.name) {
            for used in used_modules(&code) {
                assert!(
                    used == module.name || module.uses.contains(&used.as_str()),
                    "{} uses `crate::{used}`, which {} must not",
                    file.display(),
                    module.name
                );
            }
        }
    }
}

#[test]
fn logic_does_no_io() {
    for module in MODULES.iter().filter(|module| module.pure) {
        for (file, code) in code_of(module.name) {
            for word in IO {
                assert!(!code.contains(word), "{} uses {word}", file.display());
            }
        }
    }
}

#[test]
fn the_vm_knows_nothing_of_nixos() {
    for (file, code) in code_of("vm") {
        // Where a host keeps its firmware is nothing of the guest's.
        let code = code.to_lowercase().replace("/run/libvirt/nix-ovmf/", "");
        let found = code
            .split(|c: char| !c.is_ascii_alphanumeric())
            .find(|word| NIXOS_WORDS.contains(word));
        assert_eq!(found, None, "{}", file.display());
    }
}

#[test]
fn only_the_command_line_and_main_print() {
    for module in MODULES.iter().filter(|module| module.name != "cli") {
        for (file, code) in code_of(module.name) {
            for word in ["println!", "print!(", "eprint", "dbg!"] {
                assert!(!code.contains(word), "{} has {word}", file.display());
            }
        }
    }
}

/// The names that follow upon `crate::`.
fn used_modules(code: &str) -> BTreeSet<String> {
    let after = code.match_indices("crate::").map(|(at, prefix)| {
        let rest = &code[at + prefix.len()..];
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        assert_ne!(end, 0, "name one module a line: crate::{rest:.40}");
        rest[..end].to_owned()
    });
    after.collect()
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../harness/src")
}

/// The files of a module, each with its code.
fn code_of(module: &str) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut pending = vec![
        sources().join(module),
        sources().join(format!("{module}.rs")),
    ];
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            pending.extend(fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
        } else if path.is_file() && !is_of_tests(&path) {
            let code = code(&fs::read_to_string(&path).unwrap());
            files.push((path, code));
        }
    }
    assert!(!files.is_empty(), "{module} is not there");
    files
}

fn is_of_tests(path: &Path) -> bool {
    let mut parts = path.strip_prefix(sources()).unwrap_or(path).iter();
    parts.any(|part| {
        ["tests", "tests.rs", "testing.rs"]
            .iter()
            .any(|name| part == *name)
    })
}

/// Source text without its module of tests, which stands last, and without comments.
fn code(text: &str) -> String {
    let end = text
        .find("\n#[cfg(test)]\nmod tests {")
        .unwrap_or(text.len());
    text[..end]
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .map(|line| format!("{line}\n"))
        .collect()
}

#[test]
fn tests_and_comments_are_no_code_and_each_use_is_seen() {
    let text = "//! tokio\nuse crate::fold::Run;\n  // crate::vm\nx(crate::vm_x::y)\n#[cfg(test)]\nmod tests {\nuse crate::testing;\n}\n";
    let code = code(text);
    assert!(!code.contains("tokio"));
    assert_eq!(
        used_modules(&code),
        ["fold", "vm_x"].map(str::to_owned).into()
    );
}
