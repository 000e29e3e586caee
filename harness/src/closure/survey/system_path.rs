use std::collections::BTreeMap;

use crate::closure::execution::script::interpreter;
use crate::closure::files::ClosureFiles;
use crate::vocabulary::ElfClass;

/// The programs that people find by name: `/run/current-system/sw`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SystemPath {
    /// ELF programs by class: how many, and the first few names.
    pub classes: BTreeMap<ElfClass, (usize, Vec<String>)>,
    /// Scripts whose interpreter is a path of the store that the closure does not have, in the same way.
    pub without_interpreter: (usize, Vec<String>),
}

const DIRECTORIES: &[&str] = &["sw/bin", "sw/sbin"];
const MAX_NAMED: usize = 5;
/// What the kernel reads of a script (`BINPRM_BUF_SIZE`).
const FIRST_BYTES: u64 = 256;

/// Reads the first bytes of each program; where they lead is not followed.
pub(super) fn read(files: ClosureFiles) -> SystemPath {
    let mut path = SystemPath::default();
    let mut seen = Vec::new();
    let mut known = BTreeMap::new();
    for directory in DIRECTORIES {
        let directory = files.in_toplevel(directory);
        // `sw/sbin` is a link to `bin`.
        let real = files.resolve(&directory).ok().map(|r| r.logical);
        if real.is_none() || seen.contains(&real) {
            continue;
        }
        seen.push(real);
        for name in files.list(&directory).unwrap_or_default() {
            let Ok(first) = files.header(&format!("{directory}/{name}"), FIRST_BYTES) else {
                // A link that leads nowhere is told among the links.
                continue;
            };
            if let Some(class) = ElfClass::of_header(&first) {
                count(path.classes.entry(class).or_default(), name);
                continue;
            }
            let text = String::from_utf8_lossy(&first);
            let Some(interpreter) = interpreter(&text) else {
                continue;
            };
            // The last word of a first line that is longer than what is read may be cut.
            if !interpreter.starts_with("/nix/store/")
                || first.len() as u64 == FIRST_BYTES && !text.contains('\n')
            {
                continue;
            }
            let there = *known
                .entry(interpreter.to_owned())
                .or_insert_with(|| files.is_there(interpreter));
            if !there {
                count(&mut path.without_interpreter, name);
            }
        }
    }
    path
}

fn count((count, names): &mut (usize, Vec<String>), name: String) {
    *count += 1;
    if names.len() < MAX_NAMED {
        names.push(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::{FakeClosure, elf};

    #[test]
    fn programs_are_counted_by_class_and_named_in_part() {
        let fake = FakeClosure::new();
        for index in 0..7 {
            fake.program("toplevel", &format!("sw/bin/p{index}"), elf(ElfClass::I386));
        }
        fake.link("toplevel", "sw/sbin", "bin");
        fake.program("toplevel", "sw/bin/good", "#!/bin/sh\n");
        fake.program("toplevel", "sw/bin/lost", "#!/nix/store/gone/bin/sh\n");
        fake.program("toplevel", "sw/bin/data", "text");
        let closure = fake.closure();
        let path = read(ClosureFiles::new(&closure));
        let (count, names) = &path.classes[&ElfClass::I386];
        assert_eq!((*count, names.len()), (7, MAX_NAMED));
        assert_eq!(path.without_interpreter, (1, vec!["lost".to_owned()]));
    }
}
