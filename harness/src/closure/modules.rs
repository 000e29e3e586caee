use std::collections::BTreeSet;
use std::fs;

use super::files::{ClosureFiles, FileError};

/// `modules.dep` of a distribution's kernel is about 1 MB.
const INDEX_LIMIT: u64 = 64 << 20;
const MAX_MODULES: usize = 100_000;

/// The drivers of a kernel: those built in, and those that are modules.
#[derive(Debug, Default)]
pub(super) struct KernelModules {
    pub(super) built_in: BTreeSet<String>,
    pub(super) loadable: BTreeSet<String>,
}

impl KernelModules {
    /// Reads the lists of the kernel's own directory, as depmod(8) and the kernel's build write them: paths, one a line, in `modules.dep`
    /// followed by `:` and what they depend on.
    pub(super) fn read(files: &ClosureFiles, kernel: Option<&str>) -> Result<Self, FileError> {
        let dir = directory(files, kernel)?;
        let built_in = files.read(&format!("{dir}/modules.builtin"), INDEX_LIMIT)?;
        let loadable = match files.read(&format!("{dir}/modules.dep"), INDEX_LIMIT) {
            Ok(index) => names_of_index(&index),
            Err(FileError::Missing(_)) => names_of_tree(files, &dir)?,
            Err(error) => return Err(error),
        };
        Ok(Self {
            built_in: names_of_index(&built_in),
            loadable,
        })
    }

    pub(super) fn has(&self, module: &str) -> bool {
        self.built_in.contains(module) || self.loadable.contains(module)
    }
}

/// `toplevel/kernel-modules/lib/modules/VERSION`: of the kernel's version, or else of the first that is there.
pub(super) fn directory(files: &ClosureFiles, kernel: Option<&str>) -> Result<String, FileError> {
    let top = files.in_toplevel("kernel-modules/lib/modules");
    let versions = files.list(&top)?;
    let version = versions
        .iter()
        .find(|version| Some(version.as_str()) == kernel)
        .or_else(|| versions.first())
        .ok_or_else(|| FileError::Missing(format!("{top}/VERSION")))?;
    Ok(format!("{top}/{version}"))
}

fn names_of_index(index: &[u8]) -> BTreeSet<String> {
    String::from_utf8_lossy(index)
        .lines()
        .filter_map(|line| module_name(line.split(':').next()?))
        .collect()
}

fn names_of_tree(files: &ClosureFiles, dir: &str) -> Result<BTreeSet<String>, FileError> {
    let mut names = BTreeSet::new();
    let mut pending = vec![files.resolve(dir)?.host];
    while let Some(dir) = pending.pop() {
        // What cannot be listed offers no module; links are not followed, so that the walk ends inside the store path.
        let Ok(entries) = fs::read_dir(&dir) else {
            continue;
        };
        for entry in entries.flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => pending.push(entry.path()),
                _ => names.extend(entry.file_name().to_str().and_then(module_name)),
            }
        }
        if names.len() > MAX_MODULES {
            break;
        }
    }
    Ok(names)
}

/// The name of the module in a file such as `kernel/drivers/block/virtio_blk.ko.xz`, with `-` as `_`; `None` for other files.
pub(super) fn module_name(path: &str) -> Option<String> {
    let file = path.trim().rsplit('/').next()?;
    let plain = [".xz", ".zst", ".gz"]
        .iter()
        .find_map(|suffix| file.strip_suffix(suffix))
        .unwrap_or(file);
    let name = plain.strip_suffix(".ko")?;
    (!name.is_empty()).then(|| name.replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::FakeClosure;

    const DIR: &str = "kernel-modules/lib/modules/6.6.63";

    #[test]
    fn module_names_are_normalised() {
        for (path, name) in [
            ("kernel/drivers/block/virtio_blk.ko", "virtio_blk"),
            (
                "kernel/drivers/char/hw_random/virtio-rng.ko.xz",
                "virtio_rng",
            ),
            ("nvme.ko.zst", "nvme"),
            ("e1000.ko.gz", "e1000"),
        ] {
            assert_eq!(module_name(path).as_deref(), Some(name));
        }
        for path in ["modules.dep", "libkmod.so", "x.ko.bak", ".ko"] {
            assert_eq!(module_name(path), None);
        }
    }

    #[test]
    fn built_in_and_loadable_modules_are_read() {
        let fake = FakeClosure::new();
        fake.file(
            &format!("{DIR}/modules.builtin"),
            "kernel/drivers/scsi/sd_mod.ko\n",
        );
        fake.file(
            &format!("{DIR}/modules.dep"),
            "kernel/drivers/ata/ahci.ko.xz: kernel/drivers/ata/libahci.ko.xz\n",
        );
        let closure = fake.closure();
        let modules = KernelModules::read(&ClosureFiles::new(&closure), None).unwrap();
        assert!(modules.built_in.contains("sd_mod"));
        assert!(modules.loadable.contains("ahci"));
        assert!(!modules.has("libahci"));
    }

    #[test]
    fn without_an_index_the_tree_is_listed() {
        let fake = FakeClosure::new();
        fake.file(&format!("{DIR}/modules.builtin"), "");
        fake.file(&format!("{DIR}/kernel/drivers/net/virtio_net.ko.zst"), "");
        let closure = fake.closure();
        let modules = KernelModules::read(&ClosureFiles::new(&closure), None).unwrap();
        assert!(modules.has("virtio_net"));
    }

    #[test]
    fn the_directory_of_the_kernels_version_is_read() {
        let fake = FakeClosure::new();
        for version in ["6.6.62", "6.6.63"] {
            fake.file(&format!("kernel-modules/lib/modules/{version}/x"), "");
        }
        let closure = fake.closure();
        let files = ClosureFiles::new(&closure);
        let of = |kernel| directory(&files, kernel).unwrap();
        assert!(of(Some("6.6.63")).ends_with("/6.6.63"));
        assert!(of(Some("6.6.64")).ends_with("/6.6.62"));
    }

    #[test]
    fn a_kernel_without_modules_is_unreadable() {
        let closure = FakeClosure::new().closure();
        assert!(KernelModules::read(&ClosureFiles::new(&closure), None).is_err());
    }
}
