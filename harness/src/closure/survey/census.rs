use std::collections::BTreeMap;

use super::header_walk::Walk;
use crate::closure::Closure;
use crate::vocabulary::{ElfClass, StorePath};

/// What the files of a closure are, by the first 64 bytes of each. Every store path is counted once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census {
    /// Regular files.
    pub files: u64,
    pub directories: u64,
    pub links: u64,
    /// ELF files that can be executed or loaded (`ET_EXEC`, `ET_DYN`): programs and shared libraries.
    pub programs: ElfCounts,
    /// Other ELF files: kernel modules, object files, eBPF objects, core dumps.
    pub objects: u64,
    /// Files that begin with `#!`.
    pub scripts: u64,
    /// Those of [`Self::programs`] that are of neither x86 class, by `e_machine` (elf(5)).
    pub other_machines: BTreeMap<u16, u64>,
    /// The programs of each store path that has any.
    pub by_path: BTreeMap<StorePath, ElfCounts>,
    /// Files and directories that could not be read, and directories beyond what is kept in mind at once.
    pub unread: u64,
}

/// ELF files by class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ElfCounts {
    pub x86_64: u64,
    pub i386: u64,
    pub other: u64,
}

impl ElfCounts {
    pub fn of(&self, class: ElfClass) -> u64 {
        match class {
            ElfClass::X86_64 => self.x86_64,
            ElfClass::I386 => self.i386,
            ElfClass::Other => self.other,
        }
    }

    pub fn total(&self) -> u64 {
        self.x86_64 + self.i386 + self.other
    }

    fn count(&mut self, class: ElfClass) {
        match class {
            ElfClass::X86_64 => self.x86_64 += 1,
            ElfClass::I386 => self.i386 += 1,
            ElfClass::Other => self.other += 1,
        }
    }

    fn add(&mut self, more: Self) {
        self.x86_64 += more.x86_64;
        self.i386 += more.i386;
        self.other += more.other;
    }
}

/// More machines than Linux has ports; a file may claim any of 65,536.
const MAX_MACHINES: usize = 64;
const ET_EXEC: u16 = 2;
const ET_DYN: u16 = 3;

/// Starts the count of all paths of the closure; [`Walk::work`] on any number of threads does it.
pub(super) fn begin(closure: &Closure) -> Walk {
    let tops = closure.paths.iter().map(|path| closure.host_path(path));
    Walk::of(tops)
}

/// The census, after the walk's work is done.
pub(super) fn finish(closure: &Closure, walk: Walk) -> Census {
    let tally = walk.finish();
    let mut census = tally.census;
    census.by_path = tally
        .programs_of
        .into_iter()
        .filter_map(|(top, counts)| Some((closure.paths.get(top)?.clone(), counts)))
        .collect();
    census
}

/// What one thread has counted.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) census: Census,
    /// By the index of the walk's top.
    programs_of: BTreeMap<usize, ElfCounts>,
}

impl Tally {
    /// Counts a regular file below the walk's top of that index by its first bytes.
    pub(super) fn file(&mut self, top: usize, header: &[u8]) {
        self.census.files += 1;
        if header.starts_with(b"#!") {
            self.census.scripts += 1;
        } else if let Some(class) = ElfClass::of_header(header) {
            self.elf(top, class, header);
        }
    }

    fn elf(&mut self, top: usize, class: ElfClass, header: &[u8]) {
        if ![ET_EXEC, ET_DYN].contains(&half_word(header, 16)) {
            self.census.objects += 1;
            return;
        }
        self.census.programs.count(class);
        self.programs_of.entry(top).or_default().count(class);
        if class == ElfClass::Other {
            self.machine(half_word(header, 18), 1);
        }
    }

    fn machine(&mut self, machine: u16, count: u64) {
        let machines = &mut self.census.other_machines;
        if machines.len() < MAX_MACHINES || machines.contains_key(&machine) {
            *machines.entry(machine).or_default() += count;
        }
    }

    pub(super) fn add(&mut self, more: Self) {
        let census = &mut self.census;
        census.files += more.census.files;
        census.directories += more.census.directories;
        census.links += more.census.links;
        census.programs.add(more.census.programs);
        census.objects += more.census.objects;
        census.scripts += more.census.scripts;
        census.unread += more.census.unread;
        for (machine, count) in more.census.other_machines {
            self.machine(machine, count);
        }
        for (top, counts) in more.programs_of {
            self.programs_of.entry(top).or_default().add(counts);
        }
    }
}

/// A 16-bit field in the byte order that the header names (`EI_DATA`); 0 beyond its end.
fn half_word(header: &[u8], offset: usize) -> u16 {
    const BIG_ENDIAN: u8 = 2;
    let Some(&[first, second]) = header.get(offset..offset + 2) else {
        return 0;
    };
    if header.get(5) == Some(&BIG_ENDIAN) {
        u16::from_be_bytes([first, second])
    } else {
        u16::from_le_bytes([first, second])
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::closure::testing::{FakeClosure, elf};

    fn census(fake: &FakeClosure) -> Census {
        let closure = fake.closure();
        let walk = begin(&closure);
        std::thread::scope(|scope| {
            scope.spawn(|| walk.work());
            walk.work();
        });
        finish(&closure, walk)
    }

    fn program(class: ElfClass) -> Vec<u8> {
        let mut header = elf(class);
        header[16] = 3;
        header
    }

    #[test]
    fn every_file_is_counted_once_by_its_header() {
        let fake = FakeClosure::new();
        let empty = census(&fake);
        assert_eq!(empty.programs.total(), 0);
        for (name, class) in [
            ("a", ElfClass::X86_64),
            ("b", ElfClass::I386),
            ("arm", ElfClass::Other),
        ] {
            fake.store_file(name, "lib/deep/er/x.so", program(class));
            fake.store_file(name, "lib/script", "#!/bin/sh\n");
        }
        fake.store_file("a", "module.ko", elf(ElfClass::X86_64));
        fake.store_file("single", "", program(ElfClass::X86_64));
        fake.store_file("a", "short", b"\x7fELF");
        fake.link("a", "link", "lib/script");
        fake.link("a", "out", "/etc");
        let census = census(&fake);
        let programs = ElfCounts {
            x86_64: 2,
            i386: 1,
            other: 1,
        };
        assert_eq!(census.programs, programs);
        assert_eq!(census.other_machines, BTreeMap::from([(183, 1)]));
        assert_eq!((census.objects, census.scripts), (1, 3));
        assert_eq!((census.links, census.unread), (2, 0));
        assert_eq!(census.files - empty.files, 9);
        let paths: Vec<_> = census.by_path.keys().map(StorePath::name).collect();
        assert_eq!(paths, ["a", "b", "arm", "single"]);
    }

    #[test]
    fn links_and_pipes_are_never_opened() {
        let fake = FakeClosure::new();
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("x"), program(ElfClass::I386)).unwrap();
        fake.store_file("a", "file", "");
        let a = fake
            .root()
            .join("nix/store")
            .join(fake.store_path("a").base_name());
        symlink(outside.path(), a.join("directory")).unwrap();
        symlink(outside.path().join("x"), a.join("program")).unwrap();
        symlink(&a, a.join("loop")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            a.join("pipe"),
            rustix::fs::FileType::Fifo,
            0o600.into(),
            0,
        )
        .unwrap();
        let b = fake.store_path("b");
        let b = a.with_file_name(b.base_name());
        symlink(outside.path(), b).unwrap();
        let census = census(&fake);
        assert_eq!(census.programs.total(), 0);
        assert_eq!((census.links, census.unread), (4, 0));
    }
}
