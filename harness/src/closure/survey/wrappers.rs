use std::collections::BTreeMap;

use crate::closure::files::ClosureFiles;
use crate::closure::mentions;
use crate::closure::unit_file::{command_words, split_words};
use crate::closure::units::UnitDirectory;

/// Where `security.wrappers` of NixOS puts its programs at boot.
const DIRECTORY: &str = "/run/wrappers/bin";
/// The unit that makes them since 23.11; before, the activation script did.
const UNIT: &str = "suid-sgid-wrappers.service";
/// The wrapper is a small static program.
const WRAPPER_LIMIT: u64 = 1 << 20;
/// More than any configuration has.
const MAX_WRAPPERS: usize = 200;

/// The security wrappers that a boot makes: where each will be, then the wrapper's own program and, where it can be told, what it wraps.
///
/// The script of nixpkgs' `nixos/modules/security/wrappers` copies a program to `$wrapperDir/NAME`. What it wraps is compiled into it, and
/// up to 23.05 stands in a file `NAME.real` beside it.
pub(super) fn programs(files: ClosureFiles) -> BTreeMap<String, Vec<String>> {
    let mut wrappers = BTreeMap::new();
    let mut copies = 0;
    for script in scripts(files) {
        for line in script.lines().map(str::trim) {
            let words = split_words(line);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            match words.as_slice() {
                ["cp", program, to] => {
                    let Some(name) = to.strip_prefix("$wrapperDir/") else {
                        continue;
                    };
                    copies += 1;
                    if copies <= MAX_WRAPPERS {
                        let mut chain = vec![(*program).to_owned()];
                        chain.extend(wrapped(files, program));
                        wrappers.insert(format!("{DIRECTORY}/{name}"), chain);
                    }
                }
                ["echo", "-n", source, ">", to] => {
                    let name = to
                        .strip_prefix("$wrapperDir/")
                        .and_then(|name| name.strip_suffix(".real"));
                    if let Some(chain) =
                        name.and_then(|name| wrappers.get_mut(&format!("{DIRECTORY}/{name}")))
                    {
                        chain.truncate(1);
                        chain.push((*source).to_owned());
                    }
                }
                _ => {}
            }
        }
    }
    wrappers
}

fn scripts(files: ClosureFiles) -> Vec<String> {
    let mut scripts = Vec::new();
    if let Ok(Some(unit)) = UnitDirectory::new(files).load(UNIT) {
        for command in unit.list("Service", "ExecStart") {
            let program = command_words(command).into_iter().next();
            scripts.extend(program.and_then(|path| files.text(&path).ok()));
        }
    }
    scripts.extend(files.text(&files.in_toplevel("activate")).ok());
    scripts
}

/// What is compiled into a wrapper as `SOURCE_PROG`: the one path below the store that ends at a zero byte and names no source file.
fn wrapped(files: ClosureFiles, program: &str) -> Option<String> {
    let bytes = files.read(program, WRAPPER_LIMIT).ok()?;
    let mut sources: Vec<String> = mentions::in_bytes(&bytes)
        .filter(|m| m.start > 0 && bytes[m.start - 1] == 0)
        .filter(|m| bytes.get(m.start + m.path.len()) == Some(&0))
        .map(|m| m.path)
        .filter(|path| path.matches('/').count() > 3 && !path.ends_with(".c"))
        .collect();
    sources.sort();
    sources.dedup();
    match sources.as_slice() {
        [source] => Some(source.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::{FakeClosure, elf};
    use crate::vocabulary::ElfClass;

    fn of(fake: &FakeClosure) -> BTreeMap<String, Vec<String>> {
        let closure = fake.closure();
        programs(ClosureFiles::new(&closure))
    }

    #[test]
    fn what_a_wrapper_wraps_is_read_from_its_program() {
        let fake = FakeClosure::new();
        let sudo = fake.program("sudo", "bin/sudo", elf(ElfClass::X86_64));
        let mut image = elf(ElfClass::X86_64);
        image.extend(format!("\0cannot run `%s'\0{sudo}\0/proc/self/exe\0").bytes());
        let wrapper = fake.program("security-wrapper", "bin/security-wrapper", image);
        let script =
            format!("#!/bin/sh\nwrapperDir=$(mktemp -d)\ncp {wrapper} \"$wrapperDir/sudo\"\n");
        let script = fake.program("unit-script", "bin/start", script);
        fake.file(
            &format!("etc/systemd/system/{UNIT}"),
            format!("[Service]\nExecStart={script}\n"),
        );
        let expected = BTreeMap::from([("/run/wrappers/bin/sudo".to_owned(), vec![wrapper, sudo])]);
        assert_eq!(of(&fake), expected);
    }

    #[test]
    fn an_older_release_names_it_beside_the_wrapper() {
        let fake = FakeClosure::new();
        let wrapper = fake.program("w", "bin/security-wrapper", elf(ElfClass::X86_64));
        let activate = format!(
            "  cp {wrapper} \"$wrapperDir/su\"\n  echo -n \"/nix/store/s/bin/su\" > \"$wrapperDir/su.real\"\n"
        );
        fake.file("activate", activate);
        assert_eq!(
            of(&fake)["/run/wrappers/bin/su"],
            [wrapper, "/nix/store/s/bin/su".to_owned()]
        );
    }
}
