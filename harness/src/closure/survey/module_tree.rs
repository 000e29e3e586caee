use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::closure::file_system_names;
use crate::closure::files::ClosureFiles;
use crate::closure::module_file::{self, ModuleFile};
use crate::closure::modules::{self, KernelModules, module_name};
use crate::vocabulary::StorePath;

/// Modules that are read of each package.
const SAMPLE: usize = 3;
/// More entries than the merged tree of any kernel has.
const MAX_ENTRIES: usize = 200_000;
const MAX_PACKAGES: usize = 32;
const MAX_DEPTH: usize = 16;

/// The directory of `kernel-modules` that the kernel looks into.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModuleTree {
    /// The directory's name.
    pub version: String,
    /// Whether it has `modules.dep` or its binary form, without which modprobe(8) finds no module.
    pub has_index: bool,
    pub built_in: BTreeSet<String>,
    pub loadable: BTreeSet<String>,
    /// The module behind each name of a file system that is not the module's own.
    pub file_systems: BTreeMap<String, String>,
    /// The store paths that the tree is merged of, the kernel's own one and those of `boot.extraModulePackages`.
    pub packages: Vec<ModulePackage>,
}

/// A sample of the modules that one store path adds to the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModulePackage {
    pub store_path: StorePath,
    /// How many modules it has.
    pub count: usize,
    /// The path of each module that was read, link-free.
    pub modules: Vec<(String, ModuleFile)>,
    /// Modules of the sample that cannot be read, and why.
    pub unreadable: Vec<(String, String)>,
}

impl ModuleTree {
    /// The module that mounts file systems of a type of fstab(5), whether it is there or not.
    pub fn file_system_module<'a>(&'a self, fs_type: &'a str) -> &'a str {
        match self.file_systems.get(fs_type) {
            Some(module) => module,
            None if self.has(fs_type) => fs_type,
            // With `CONFIG_EXT4_USE_FOR_EXT2`, as distributions have it.
            None if matches!(fs_type, "ext2" | "ext3") => "ext4",
            None => fs_type,
        }
    }

    pub fn has(&self, module: &str) -> bool {
        self.built_in.contains(module) || self.loadable.contains(module)
    }
}

/// Reads the tree of the kernel's version; `None` where its lists cannot be read.
pub(super) fn read(files: &ClosureFiles, kernel: Option<&str>) -> Option<ModuleTree> {
    let dir = modules::directory(files, kernel).ok()?;
    let modules = KernelModules::read(files, kernel).ok()?;
    let index = ["modules.dep", "modules.dep.bin"];
    Some(ModuleTree {
        version: dir.rsplit('/').next().unwrap_or_default().to_owned(),
        has_index: index
            .iter()
            .any(|name| files.is_there(&format!("{dir}/{name}"))),
        built_in: modules.built_in,
        loadable: modules.loadable,
        file_systems: file_system_names::read(files, &dir),
        packages: packages(files, &dir),
    })
}

/// Looks for the store paths behind the tree, which `buildEnv` merges of links to files, and to whole directories where only one
/// package has them.
fn packages(files: &ClosureFiles, dir: &str) -> Vec<ModulePackage> {
    let mut samples: BTreeMap<StorePath, (usize, Vec<String>)> = BTreeMap::new();
    let mut left = MAX_ENTRIES;
    let mut pending = vec![(dir.to_owned(), 0)];
    while let Some((dir, depth)) = pending.pop() {
        let Ok(place) = files.resolve(&dir) else {
            continue;
        };
        let Ok((owner, _)) = StorePath::split(&place.logical) else {
            continue;
        };
        let Ok(entries) = fs::read_dir(&place.host) else {
            continue;
        };
        let mut names = Vec::new();
        for entry in entries.flatten().take(left) {
            left -= 1;
            if let (Ok(kind), Ok(name)) = (entry.file_type(), entry.file_name().into_string()) {
                names.push((name, kind));
            }
        }
        names.sort_by(|a, b| b.0.cmp(&a.0));
        for (name, kind) in names {
            let path = format!("{}/{name}", place.logical);
            if kind.is_dir() || (kind.is_symlink() && module_name(&name).is_none()) {
                // `build` and `source` lead to the kernel's sources.
                if depth < MAX_DEPTH && !["build", "source"].contains(&name.as_str()) {
                    pending.push((path, depth + 1));
                }
            } else if module_name(&name).is_some() {
                let real = match kind.is_symlink() {
                    true => files.resolve(&path).map(|place| place.logical),
                    false => Ok(path),
                };
                let Ok(real) = real else { continue };
                let owner = StorePath::split(&real).map_or(owner.clone(), |(owner, _)| owner);
                if samples.len() < MAX_PACKAGES || samples.contains_key(&owner) {
                    let (count, sample) = samples.entry(owner).or_default();
                    *count += 1;
                    if sample.len() < SAMPLE {
                        sample.push(real);
                    }
                }
            }
        }
    }
    samples
        .into_iter()
        .map(|(store_path, (count, paths))| package(files, store_path, count, paths))
        .collect()
}

fn package(
    files: &ClosureFiles,
    store_path: StorePath,
    count: usize,
    paths: Vec<String>,
) -> ModulePackage {
    let mut package = ModulePackage {
        store_path,
        count,
        modules: Vec::new(),
        unreadable: Vec::new(),
    };
    for path in paths {
        match module_file::read(files, &path) {
            Ok(module) => package.modules.push((path, module)),
            Err(error) => package.unreadable.push((path, error.to_string())),
        }
    }
    package
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::{FakeClosure, module};
    use crate::vocabulary::ElfClass;

    const DIR: &str = "lib/modules/6.6.63";

    fn merged() -> FakeClosure {
        let fake = FakeClosure::new();
        let ours = module(ElfClass::X86_64, "6.6.63 SMP");
        let theirs = module(ElfClass::I386, "6.6.62 SMP");
        for name in ["a", "b", "c", "d"] {
            let below = format!("{DIR}/kernel/fs/{name}.ko");
            fake.store_file("linux", &below, &ours);
        }
        let extra = format!("{DIR}/kernel/drivers/x.ko");
        let extra = fake.store_file("nvidia", &extra, &theirs);
        let tree = format!("kernel-modules/{DIR}");
        let kernel = fake.path_of("linux", &format!("{DIR}/kernel/fs"));
        fake.link("toplevel", &format!("{tree}/kernel/fs"), &kernel);
        fake.link("toplevel", &format!("{tree}/kernel/drivers/x.ko"), &extra);
        fake.link("toplevel", &format!("{tree}/build"), "/nix/store/gone");
        let list = |name: &str, text: &str| fake.file(&format!("{tree}/{name}"), text);
        list("modules.builtin", "kernel/fs/ext4/ext4.ko\n");
        list("modules.dep", "kernel/fs/isofs/isofs.ko:\n");
        list("modules.alias", "alias fs-iso9660 isofs\n");
        fake
    }

    #[test]
    fn a_sample_of_each_merged_package_is_read() {
        let fake = merged();
        let closure = fake.closure();
        let tree = read(&ClosureFiles::new(&closure), Some("6.6.63")).unwrap();
        assert_eq!(tree.version, "6.6.63");
        assert!(tree.has_index);
        let [linux, nvidia] = tree.packages.as_slice() else {
            panic!("{:?}", tree.packages);
        };
        assert_eq!(linux.store_path.name(), "linux");
        assert_eq!((linux.count, linux.modules.len()), (4, SAMPLE));
        assert_eq!(nvidia.modules[0].1.class, ElfClass::I386);
    }

    #[test]
    fn file_systems_are_known_by_their_modules() {
        let closure = merged();
        let closure = closure.closure();
        let tree = read(&ClosureFiles::new(&closure), None).unwrap();
        for (fs_type, module) in [("iso9660", "isofs"), ("ext3", "ext4"), ("xfs", "xfs")] {
            assert_eq!(tree.file_system_module(fs_type), module);
        }
        assert!(tree.has("ext4") && tree.has("isofs") && !tree.has("xfs"));
    }
}
