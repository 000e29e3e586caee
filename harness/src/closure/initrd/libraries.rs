//! The libraries of what the kernel executes of an initrd, as its loader looks for them there.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};
use std::rc::Rc;

use super::programs::{Content, real};
use crate::closure::execution::elf::{self, ElfNeeds};
use crate::closure::execution::hop::{Fault, Hop};
use crate::closure::execution::libraries::{ElfFiles, missing_libraries};

/// Longer files are not looked into. The largest library that systemd's stage 1 has is some 6 MB, and a program of Go 30.
const LONGEST: u64 = 48 << 20;
/// `ET_REL`: a kernel module.
const RELOCATABLE: u8 = 1;

/// Reads what an ELF file needs, of which `first` was read already; `None` where it is a module, too long, or damaged.
pub(super) fn needs(first: &[u8], rest: &mut dyn Read) -> io::Result<Option<Rc<ElfNeeds>>> {
    if first.get(16) == Some(&RELOCATABLE) {
        return Ok(None);
    }
    let mut bytes = first.to_vec();
    rest.take(LONGEST).read_to_end(&mut bytes)?;
    if bytes.len() as u64 >= LONGEST {
        return Ok(None);
    }
    Ok(elf::read(Cursor::new(&bytes), first).ok().map(Rc::new))
}

/// Adds to each program that could be executed the libraries that its loader would not find.
pub(super) fn look_for(files: &BTreeMap<String, Content>, hops: &mut [Hop]) {
    for hop in hops.iter_mut().filter(|hop| hop.fault.is_none()) {
        let Ok((program, Content::Elf { .. })) = real(files, &hop.path) else {
            continue;
        };
        let unknown = Cell::new(false);
        let mut initrd = Files {
            files,
            unknown: &unknown,
        };
        let missing = missing_libraries(&mut initrd, &format!("/{program}"));
        if !missing.is_empty() && !unknown.get() {
            hop.fault = Some(Fault::NoLibraries(missing));
        }
    }
}

/// The files of the initrd, by their paths in the root that it makes.
struct Files<'a> {
    files: &'a BTreeMap<String, Content>,
    /// Something was asked for that is there and was not read: nothing is certain then.
    unknown: &'a Cell<bool>,
}

impl ElfFiles for Files<'_> {
    fn needs(&mut self, path: &str) -> Option<Rc<ElfNeeds>> {
        match real(self.files, path) {
            Ok((
                _,
                Content::Elf {
                    needs: Some(needs), ..
                },
            )) => Some(needs.clone()),
            Ok((_, Content::Elf { needs: None, .. } | Content::Unread)) => {
                self.unknown.set(true);
                None
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::closure::Fault;
    use crate::closure::initrd::parse;
    use crate::closure::testing::{cpio_of, dynamic_elf};

    const PROGRAM: u32 = 0o100_755;
    const LIBRARY: u32 = 0o100_444;
    const LINK: u32 = 0o120_777;
    const LOADER: &str = "/nix/store/g/lib/ld.so";

    fn fault(files: &[(&str, u32, &[u8])]) -> Option<Fault> {
        let archive = cpio_of(files);
        let programs = parse(&mut archive.as_slice()).programs;
        assert_eq!(programs.unreadable, None);
        programs.hops[0].fault.clone()
    }

    #[test]
    fn libraries_are_found_by_the_paths_of_the_initrd_and_through_its_links() {
        let init = dynamic_elf(LOADER, &["liba.so.1"], "/nix/store/p/lib");
        let a = dynamic_elf("", &["libb.so"], "$ORIGIN");
        let b = dynamic_elf("", &[], "");
        let whole = [
            ("init", PROGRAM, init.as_slice()),
            ("nix/store/g/lib/ld.so", PROGRAM, b.as_slice()),
            ("nix/store/p/lib/liba.so.1", LINK, b"liba.so.1.2"),
            ("nix/store/p/lib/liba.so.1.2", LIBRARY, a.as_slice()),
            ("nix/store/p/lib/libb.so", LIBRARY, b.as_slice()),
        ];
        assert_eq!(fault(&whole), None);
        let missing = |name: &str| Some(Fault::NoLibraries(vec![name.to_owned()]));
        assert_eq!(fault(&whole[..4]), missing("libb.so"));
        assert_eq!(fault(&whole[..3]), missing("liba.so.1"));
    }

    #[test]
    fn what_was_not_read_is_not_called_missing() {
        let init = dynamic_elf(LOADER, &["liba.so"], "/nix/store/p/lib");
        let elf = dynamic_elf("", &[], "");
        let mut damaged = elf.clone();
        damaged.truncate(70);
        for library in [damaged.as_slice(), &[]] {
            let files = [
                ("init", PROGRAM, init.as_slice()),
                ("nix/store/g/lib/ld.so", PROGRAM, elf.as_slice()),
                ("nix/store/p/lib/liba.so", LIBRARY, library),
            ];
            // An empty file that is no further name of another is a file, and no library.
            let expected = library
                .is_empty()
                .then(|| Fault::NoLibraries(vec!["liba.so".to_owned()]));
            assert_eq!(fault(&files), expected);
        }
        // A machine's own directory may have it.
        let init = dynamic_elf(LOADER, &["liba.so"], "/run/driver/lib");
        let files = [
            ("init", PROGRAM, init.as_slice()),
            ("nix/store/g/lib/ld.so", PROGRAM, elf.as_slice()),
        ];
        assert_eq!(fault(&files), None);
    }
}
