//! A fake toplevel in a temporary chroot store, for the tests of this module. It never runs anything.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::initrd::KnownInitrd;
use super::path_walk::KnownDirectories;
use super::{Closure, ReferencesBy, Source};
use crate::vocabulary::{STORE_DIR, StorePath};

/// A store whose paths are called by their names; `toplevel` is the one that looks like a NixOS system.
pub(crate) struct FakeClosure {
    root: tempfile::TempDir,
    paths: RefCell<BTreeMap<String, StorePath>>,
}

impl FakeClosure {
    /// A store with a toplevel that has what every toplevel has, each an empty file or directory.
    pub(crate) fn new() -> Self {
        let fake = Self::empty();
        fake.fill();
        fake
    }

    /// The same with another path before the toplevel's, so that no path is one of another fake's.
    pub(crate) fn after(name: &str) -> Self {
        let fake = Self::empty();
        fake.store_file(name, "x", "");
        fake.fill();
        fake
    }

    fn empty() -> Self {
        Self {
            root: tempfile::tempdir().unwrap(),
            paths: RefCell::default(),
        }
    }

    fn fill(&self) {
        for name in ["init", "kernel", "initrd", "kernel-params"] {
            self.file(name, "");
        }
        self.file("system", "x86_64-linux");
        fs::create_dir_all(self.host("toplevel").join("etc")).unwrap();
    }

    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// The store path called `name`; it is part of the closure from its first mention.
    pub(crate) fn store_path(&self, name: &str) -> StorePath {
        let mut paths = self.paths.borrow_mut();
        let next = paths.len();
        paths
            .entry(name.to_owned())
            .or_insert_with(|| StorePath::parse(&format!("{STORE_DIR}/{next:032}-{name}")).unwrap())
            .clone()
    }

    pub(crate) fn path_of(&self, name: &str, below: &str) -> String {
        format!("{}/{below}", self.store_path(name))
    }

    pub(crate) fn host(&self, name: &str) -> PathBuf {
        let base = self.store_path(name).base_name().to_owned();
        self.root.path().join("nix/store").join(base)
    }

    /// Writes a file of the toplevel.
    pub(crate) fn file(&self, below: &str, content: impl AsRef<[u8]>) {
        self.store_file("toplevel", below, content);
    }

    /// Removes a file of the toplevel.
    pub(crate) fn remove(&self, below: &str) {
        fs::remove_file(self.host("toplevel").join(below)).unwrap();
    }

    /// Removes an empty directory of the toplevel.
    pub(crate) fn remove_directory(&self, below: &str) {
        fs::remove_dir(self.host("toplevel").join(below)).unwrap();
    }

    /// Writes a file of another store path and returns its logical path; an empty `below` makes the store path a file.
    pub(crate) fn store_file(&self, name: &str, below: &str, content: impl AsRef<[u8]>) -> String {
        let host = match below {
            "" => self.host(name),
            below => self.host(name).join(below),
        };
        fs::create_dir_all(host.parent().unwrap()).unwrap();
        fs::write(host, content).unwrap();
        self.path_of(name, below).trim_end_matches('/').to_owned()
    }

    /// The same as [`Self::store_file`], with its x bit.
    pub(crate) fn program(&self, name: &str, below: &str, content: impl AsRef<[u8]>) -> String {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.store_file(name, below, content);
        let host = self.host(name).join(below);
        fs::set_permissions(host, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    pub(crate) fn link(&self, name: &str, below: &str, target: &str) {
        let host = self.host(name).join(below);
        fs::create_dir_all(host.parent().unwrap()).unwrap();
        symlink(target, host).unwrap();
    }

    /// The closure of all paths made so far.
    pub(crate) fn closure(&self) -> Closure {
        let mut paths: Vec<StorePath> = self.paths.borrow().values().cloned().collect();
        paths.sort();
        Closure {
            source: Source::Store {
                root: self.root.path().to_owned(),
            },
            toplevel: self.store_path("toplevel"),
            paths,
            registration: None,
            references: ReferencesBy::Scan,
            known: KnownDirectories::default(),
            initrd: KnownInitrd::default(),
        }
    }
}

/// The `registration` of a closure as its files are now; without references.
pub(crate) fn registration(closure: &Closure) -> String {
    let record = |path| {
        let nar = super::nar::of(&closure.host_path(path)).unwrap();
        format!("{path}\n{}\n{}\n\n0\n", nar.hash, nar.size)
    };
    closure.paths.iter().map(record).collect()
}

/// The first bytes of an ELF executable of the given class.
pub(crate) fn elf(class: crate::vocabulary::ElfClass) -> Vec<u8> {
    use crate::vocabulary::ElfClass;
    let (bits, machine) = match class {
        ElfClass::X86_64 => (2, 62),
        ElfClass::I386 => (1, 3),
        ElfClass::Other => (2, 183),
    };
    let mut header = vec![0; 64];
    header[..7].copy_from_slice(&[0x7f, b'E', b'L', b'F', bits, 1, 1]);
    header[18] = machine;
    header
}

/// A 64-bit program whose headers name a loader, libraries and a `DT_RUNPATH`.
pub(crate) fn dynamic_elf(loader: &str, needed: &[&str], runpath: &str) -> Vec<u8> {
    const HEADERS: usize = 64 + 3 * 56;
    let mut strings = vec![0];
    let mut add = |text: &str| {
        let offset = strings.len() as u64;
        strings.extend(text.as_bytes());
        strings.push(0);
        offset
    };
    let loader_at = add(loader);
    let mut entries: Vec<(u64, u64)> = needed.iter().map(|name| (1, add(name))).collect();
    entries.push((29, add(runpath)));
    let dynamic_size = (entries.len() + 2) * 16;
    let strings_at = (HEADERS + dynamic_size) as u64;
    entries.push((5, strings_at));
    entries.push((0, 0));
    let size = strings_at + strings.len() as u64;
    let mut image = elf(crate::vocabulary::ElfClass::X86_64);
    image[32] = 64;
    image[54] = 56;
    image[56] = 3;
    // Type, file offset (equal to the address), size: PT_LOAD, PT_INTERP, PT_DYNAMIC.
    let segments = [
        (1u32, 0, size),
        (3, strings_at + loader_at, loader.len() as u64 + 1),
        (2, HEADERS as u64, dynamic_size as u64),
    ];
    for (kind, offset, size) in segments {
        image.extend(kind.to_le_bytes());
        image.extend(0u32.to_le_bytes());
        for word in [offset, offset, offset, size, size, 1] {
            image.extend(word.to_le_bytes());
        }
    }
    for (tag, value) in entries {
        image.extend(tag.to_le_bytes());
        image.extend(value.to_le_bytes());
    }
    image.extend(strings);
    image
}

/// An uncompressed cpio archive of files with the given names and a little content.
pub(crate) fn cpio_archive(names: &[&str]) -> Vec<u8> {
    let files: Vec<_> = names
        .iter()
        .map(|name| (*name, 0o100_644, b"content".as_slice()))
        .collect();
    cpio_of(&files)
}

/// An uncompressed cpio archive of names, modes (types included) and contents.
pub(crate) fn cpio_of(files: &[(&str, u32, &[u8])]) -> Vec<u8> {
    use std::io::Write;
    let mut archive = Vec::new();
    for (name, mode, content) in files {
        let mut writer = cpio::newc::Builder::new(name)
            .mode(*mode)
            .write(&mut archive, content.len() as u32);
        writer.write_all(content).unwrap();
        writer.finish().unwrap();
    }
    cpio::newc::trailer(&mut archive).unwrap();
    archive
}

/// An initrd with an `init` of the given class beside files with the given names.
pub(crate) fn initrd(class: crate::vocabulary::ElfClass, names: &[&str]) -> Vec<u8> {
    let init = elf(class);
    let mut files = vec![("init", 0o100_755, init.as_slice())];
    files.extend(
        names
            .iter()
            .map(|name| (*name, 0o100_644, b"content".as_slice())),
    );
    cpio_of(&files)
}

/// The setup sectors of a kernel 6.6.63 of the given width.
pub(crate) fn bzimage(is_64_bit: bool) -> Vec<u8> {
    let mut image = vec![0; 4096];
    image[0x1f1] = 4;
    image[0x202..0x206].copy_from_slice(b"HdrS");
    image[0x206..0x208].copy_from_slice(&0x020f_u16.to_le_bytes());
    image[0x20e..0x210].copy_from_slice(&0x300_u16.to_le_bytes());
    image[0x236] = u8::from(is_64_bit);
    let version = b"6.6.63 (nixbld@localhost) #1-NixOS SMP\0";
    image[0x500..0x500 + version.len()].copy_from_slice(version);
    image
}

/// A kernel module of a class, made for the kernel that `vermagic` names.
pub(crate) fn module(class: crate::vocabulary::ElfClass, vermagic: &str) -> Vec<u8> {
    let mut bytes = elf(class);
    bytes.extend(format!("license=GPL\0vermagic={vermagic}\0name=x\0").bytes());
    bytes
}

/// The headers of an EFI program for a machine of the PE format.
pub(crate) fn efi_program(machine: u16) -> Vec<u8> {
    let mut bytes = vec![0; 256];
    bytes[..2].copy_from_slice(b"MZ");
    bytes[0x3c] = 0x80;
    bytes[0x80..0x84].copy_from_slice(b"PE\0\0");
    bytes[0x84..0x86].copy_from_slice(&machine.to_le_bytes());
    bytes
}
