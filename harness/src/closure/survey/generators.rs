use std::collections::BTreeMap;

use super::programs::{Kind, Started};
use super::tracer::Tracer;
use crate::closure::files::{ClosureFiles, FileError};

/// Directories of executables below `/etc/systemd` and systemd's own `lib/systemd`.
const DIRECTORIES: &[(&str, Kind)] = &[
    ("system-generators", Kind::Generator),
    ("system-environment-generators", Kind::EnvironmentGenerator),
    ("system-shutdown", Kind::Shutdown),
];
/// systemd has some twenty generators.
const MAX_FILES: usize = 200;

/// Follows what systemd executes of directories: of two files with one name that in `/etc` counts, and a link to `/dev/null` masks.
pub(super) fn read(files: ClosureFiles, tracer: &mut Tracer) -> Vec<Started> {
    let mut started = Vec::new();
    for (directory, kind) in DIRECTORIES {
        let mut found = BTreeMap::new();
        for above in [
            "/etc/systemd".to_owned(),
            files.in_toplevel("systemd/lib/systemd"),
        ] {
            let directory = format!("{above}/{directory}");
            for name in files.list(&directory).unwrap_or_default() {
                let path = format!("{directory}/{name}");
                found.entry(name).or_insert(path);
            }
        }
        for (name, path) in found.into_iter().take(MAX_FILES) {
            if matches!(files.resolve(&path), Err(FileError::NullDevice)) {
                continue;
            }
            started.push(Started {
                kind: *kind,
                name,
                hops: tracer.trace(&path, false).hops,
            });
        }
    }
    started
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::{FakeClosure, elf};
    use crate::vocabulary::ElfClass;

    #[test]
    fn files_of_etc_hide_those_of_systemd() {
        let fake = FakeClosure::new();
        let own = |name: &str, class| {
            let below = format!("systemd/lib/systemd/system-generators/{name}");
            fake.program("toplevel", &below, elf(class));
        };
        own("fstab", ElfClass::X86_64);
        own("gpt", ElfClass::X86_64);
        own("ssh", ElfClass::X86_64);
        let etc = "etc/systemd/system-generators";
        fake.link("toplevel", &format!("{etc}/gpt"), "/dev/null");
        let other = fake.program("other", "bin/ssh", elf(ElfClass::I386));
        fake.link("toplevel", &format!("{etc}/ssh"), &other);
        let closure = fake.closure();
        let files = ClosureFiles::new(&closure);
        let started = read(files, &mut Tracer::new(files));
        let seen: Vec<_> = started
            .iter()
            .map(|s| (s.name.as_str(), s.hops[0].class))
            .collect();
        assert_eq!(
            seen,
            [
                ("fstab", Some(ElfClass::X86_64)),
                ("ssh", Some(ElfClass::I386))
            ]
        );
    }
}
