use std::collections::BTreeMap;

use super::executable;
use super::files::{ClosureFiles, FileError};
pub(super) use super::unit_directory::UnitDirectory;
use super::unit_file::UnitFile;
use super::unit_file::command_words;
use crate::vocabulary::ElfClass;

/// Where NixOS links its own units, and those of systemd that it takes over.
pub(super) const UNIT_DIRECTORY: &str = "/etc/systemd/system";
pub(super) const MAX_UNITS: usize = 5_000;

/// The classes of all services' executables, and what could not be read: the unit, then why.
#[derive(Debug, Default)]
pub(super) struct UnitExecutables {
    pub(super) classes: BTreeMap<String, ElfClass>,
    pub(super) unreadable: Vec<(String, String)>,
}

/// Reads every service of the closure; a masked one, or one that starts nothing, is left out.
///
/// # Errors
/// When there is no directory of units.
pub(super) fn read(files: &ClosureFiles) -> Result<UnitExecutables, FileError> {
    let mut executables = UnitExecutables::default();
    let names = files.list(UNIT_DIRECTORY)?;
    let services: Vec<_> = names.iter().filter(|n| n.ends_with(".service")).collect();
    if services.len() > MAX_UNITS {
        let reason = format!("only the first {MAX_UNITS} of its services were read");
        executables.unreadable.push((UNIT_DIRECTORY.into(), reason));
    }
    let directory = UnitDirectory::new(*files);
    for name in services.into_iter().take(MAX_UNITS) {
        match class_of_service(&directory, files, name) {
            Ok(Some(class)) => drop(executables.classes.insert(name.clone(), class)),
            Ok(None) => {}
            Err(error) => executables
                .unreadable
                .push((name.clone(), error.to_string())),
        }
    }
    Ok(executables)
}

fn class_of_service(
    directory: &UnitDirectory,
    files: &ClosureFiles,
    name: &str,
) -> Result<Option<ElfClass>, FileError> {
    let Some(unit) = directory.load(name)? else {
        return Ok(None);
    };
    let commands = unit.list("Service", "ExecStart");
    let Some(program) = commands
        .first()
        .and_then(|command| command_words(command).into_iter().next())
    else {
        return Ok(None);
    };
    executable::class_of(files, &absolute(files, program.replace("%%", "%"))).map(Some)
}

/// Where systemd finds a program that is named without a path: NixOS builds it to search its own `bin` (`DEFAULT_PATH_NORMAL`).
pub(super) fn absolute(files: &ClosureFiles, program: String) -> String {
    if program.contains('/') {
        return program;
    }
    files.in_toplevel(&format!("systemd/bin/{program}"))
}

/// Reads a unit and its drop-ins; `None` where it is masked.
///
/// # Errors
/// When the unit itself cannot be read.
pub(super) fn load(files: &ClosureFiles, name: &str) -> Result<Option<UnitFile>, FileError> {
    UnitDirectory::new(*files).load(name)
}

/// `name@.service` of `name@instance.service`; `None` for a unit that is no instance.
pub(super) fn template_of(name: &str) -> Option<String> {
    let (prefix, rest) = name.split_once('@')?;
    let (instance, kind) = rest.rsplit_once('.')?;
    (!instance.is_empty()).then(|| format!("{prefix}@.{kind}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::{FakeClosure, elf};

    fn executables(fake: &FakeClosure) -> UnitExecutables {
        let closure = fake.closure();
        read(&ClosureFiles::new(&closure)).unwrap()
    }

    fn unit(fake: &FakeClosure, name: &str, text: &str) {
        fake.file(&format!("etc/systemd/system/{name}"), text);
    }

    #[test]
    fn units_drop_ins_and_templates_have_a_class() {
        let fake = FakeClosure::new();
        let old = fake.store_file("old", "bin/a", elf(ElfClass::X86_64));
        let new = fake.store_file("new", "bin/a", elf(ElfClass::I386));
        unit(&fake, "a.service", &format!("[Service]\nExecStart={old}\n"));
        let drop_in = format!("[Service]\nExecStart=\nExecStart=-{new} -v\n");
        unit(&fake, "a.service.d/overrides.conf", &drop_in);
        unit(
            &fake,
            "t@.service",
            &format!("[Service]\nExecStart={old}\n"),
        );
        unit(&fake, "t@.service.d/x.conf", &drop_in);
        fake.link("toplevel", "etc/systemd/system/t@1.service", "t@.service");
        let found = executables(&fake);
        assert!(found.unreadable.is_empty(), "{:?}", found.unreadable);
        let names: Vec<_> = found.classes.keys().map(String::as_str).collect();
        assert_eq!(names, ["a.service", "t@.service", "t@1.service"]);
        assert!(found.classes.values().all(|class| *class == ElfClass::I386));
    }

    #[test]
    fn a_program_without_a_path_is_systemds_own() {
        let fake = FakeClosure::new();
        fake.file("systemd/bin/udevadm", elf(ElfClass::X86_64));
        unit(
            &fake,
            "trigger.service",
            "[Service]\nExecStart=-udevadm trigger\n",
        );
        let found = executables(&fake);
        assert!(found.unreadable.is_empty(), "{:?}", found.unreadable);
        assert_eq!(found.classes["trigger.service"], ElfClass::X86_64);
    }

    #[test]
    fn masked_units_and_units_without_a_command_are_left_out() {
        let fake = FakeClosure::new();
        fake.link("toplevel", "etc/systemd/system/m.service", "/dev/null");
        unit(&fake, "n.service", "[Service]\nExecStop=/bin/x\n");
        unit(&fake, "n.socket", "[Socket]\n");
        let found = executables(&fake);
        assert!(found.classes.is_empty() && found.unreadable.is_empty());
    }

    #[test]
    fn an_executable_outside_the_closure_is_unreadable() {
        let fake = FakeClosure::new();
        unit(&fake, "u.service", "[Service]\nExecStart=/usr/bin/u\n");
        fake.link("toplevel", "etc/systemd/system/broken.service", "gone");
        let found = executables(&fake);
        let subjects: Vec<_> = found.unreadable.iter().map(|(s, _)| s.as_str()).collect();
        assert_eq!(subjects, ["broken.service", "u.service"]);
    }
}
