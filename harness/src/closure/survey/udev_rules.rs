use std::collections::BTreeMap;

use super::programs::{Kind, Started};
use super::tracer::Tracer;
use crate::closure::files::ClosureFiles;
use crate::closure::unit_file::split_words;

/// NixOS gathers the rules of all packages here.
const DIRECTORY: &str = "/etc/udev/rules.d";
/// A desktop has some hundred files of rules.
const MAX_FILES: usize = 2_000;
const MAX_PROGRAMS: usize = 1_000;

/// Follows the programs of udev's rules, each once, named after the first rule that starts it.
pub(super) fn read(files: ClosureFiles, tracer: &mut Tracer) -> Vec<Started> {
    let mut programs = BTreeMap::new();
    let names = files.list(DIRECTORY).unwrap_or_default();
    let names = names.into_iter().filter(|name| name.ends_with(".rules"));
    for name in names.take(MAX_FILES) {
        let Ok(text) = files.text(&format!("{DIRECTORY}/{name}")) else {
            continue;
        };
        for program in started_in(&text) {
            if programs.len() < MAX_PROGRAMS {
                programs.entry(program).or_insert_with(|| name.clone());
            }
        }
    }
    programs
        .into_iter()
        .map(|(program, rules)| {
            // udev looks for a bare name in its own directory only.
            let path = match program.starts_with('/') {
                true => program.clone(),
                false => files.in_toplevel(&format!("systemd/lib/udev/{program}")),
            };
            Started {
                kind: Kind::Udev,
                name: format!("{program} ({rules})"),
                hops: tracer.trace(&path, true).hops,
            }
        })
        .collect()
}

/// The programs that the rules of a file start.
pub(in crate::closure) fn started_in(text: &str) -> Vec<String> {
    lines(text)
        .iter()
        .flat_map(|line| started_by(line))
        .collect()
}

/// Lines without comments; a backslash at the end continues one (udev(7)).
fn lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut whole = String::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with('#') {
            continue;
        }
        if let Some(part) = line.strip_suffix('\\') {
            whole.push_str(part);
            continue;
        }
        whole.push_str(line);
        lines.push(std::mem::take(&mut whole));
    }
    lines.push(whole);
    lines
}

/// The programs of one rule's `RUN` and `IMPORT{program}`, which NixOS checks when it builds, and absolute ones of `PROGRAM`.
fn started_by(rule: &str) -> Vec<String> {
    let mut programs = Vec::new();
    for (key, value) in pairs(rule) {
        let runs = matches!(key, "RUN" | "RUN{program}" | "IMPORT{program}");
        if !runs && key != "PROGRAM" {
            continue;
        }
        let Some(program) = split_words(&value).into_iter().next() else {
            continue;
        };
        // `$env{…}` and `%k` are filled in per device; `socket:` is a relic.
        let is_fixed = !program.contains(['$', '%', ':']);
        let is_found = program.starts_with('/') || (runs && !program.contains('/'));
        if is_fixed && is_found {
            programs.push(program);
        }
    }
    programs
}

/// `KEY{attribute}op"value"` of a rule, without operators. Between quotes only `\"` is an escape, unless the value is an `e"…"`.
fn pairs(rule: &str) -> Vec<(&str, String)> {
    let mut pairs = Vec::new();
    let mut rest = rule;
    while let Some(open) = rest.find('"') {
        let key = rest[..open].trim_start_matches([',', ' ', '\t']);
        let key = key.trim_end_matches(['e', 'i']).trim_end();
        let key = key.trim_end_matches(['=', '+', '-', '!', ':']).trim_end();
        let mut value = String::new();
        let mut chars = rest[open + 1..].char_indices();
        let mut end = rest.len();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    end = open + 1 + at + 1;
                    break;
                }
                '\\' if chars.as_str().starts_with('"') => {
                    value.push('"');
                    chars.next();
                }
                c => value.push(c),
            }
        }
        pairs.push((key, value));
        rest = &rest[end..];
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::{FakeClosure, elf};
    use crate::vocabulary::ElfClass;

    #[test]
    fn programs_are_told_from_builtins_and_what_is_filled_in() {
        for (rule, expected) in [
            (
                r#"KERNEL=="sd*", RUN+="/nix/store/a/bin/x %k""#,
                "/nix/store/a/bin/x",
            ),
            (r#"RUN{program}+="y --flag", NAME="z""#, "y"),
            (
                r#"ENV{A}=="b\"c", IMPORT{program}="ata_id --export $devnode""#,
                "ata_id",
            ),
            (r#"PROGRAM=="/bin/sh -c 'a'""#, "/bin/sh"),
            (r#"PROGRAM=e"/x/y z""#, "/x/y"),
        ] {
            assert_eq!(started_by(rule), [expected], "{rule}");
        }
        for rule in [
            r#"RUN{builtin}+="kmod load""#,
            r#"IMPORT{builtin}="blkid""#,
            r#"RUN+="$env{REMOVE_CMD}""#,
            r#"RUN+="socket:@/org/x""#,
            r#"PROGRAM="bare""#,
            r#"RUN+=""#,
            "",
        ] {
            assert!(started_by(rule).is_empty(), "{rule}");
        }
        assert_eq!(lines("# c\na \\\nb\n#d\ne"), ["a b", "e", ""]);
    }

    #[test]
    fn each_program_is_followed_once_and_bare_names_are_udevs() {
        let fake = FakeClosure::new();
        fake.program("toplevel", "systemd/lib/udev/ata_id", elf(ElfClass::X86_64));
        let rules = "IMPORT{program}=\"ata_id a\"\nIMPORT{program}=\"ata_id b\"\n";
        fake.file("etc/udev/rules.d/60-disk.rules", rules);
        let closure = fake.closure();
        let files = ClosureFiles::new(&closure);
        let started = read(files, &mut Tracer::new(files));
        assert_eq!(started.len(), 1);
        assert_eq!(started[0].name, "ata_id (60-disk.rules)");
        assert_eq!(started[0].hops[0].class, Some(ElfClass::X86_64));
    }
}
