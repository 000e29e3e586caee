use std::collections::BTreeSet;
use std::io::BufReader;

use super::cpio_names;
use super::drivers;
use super::files::{ClosureFiles, FileError};
use super::modules::module_name;

/// Those of the modules that decide over a disk or a root file system which an initrd carries.
#[derive(Debug)]
pub(super) struct InitrdModules {
    pub(super) names: BTreeSet<&'static str>,
    /// Why the rest could not be read, where it could not.
    pub(super) damage: Option<String>,
}

/// Reads the names of the files in `toplevel/initrd`, and nothing of their content.
pub(super) fn read(files: &ClosureFiles) -> Result<InitrdModules, FileError> {
    let mut reader = BufReader::new(files.open(&files.in_toplevel("initrd"))?);
    let mut missing = drivers::disk_modules();
    missing.extend(drivers::file_system_modules());
    let mut names = BTreeSet::new();
    let result = cpio_names::visit_names(&mut reader, &mut |name| {
        if let Some(module) = module_name(name).and_then(|module| missing.take(module.as_str())) {
            names.insert(module);
        }
        !missing.is_empty()
    });
    Ok(InitrdModules {
        names,
        damage: result.err().map(|error| error.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::closure::testing::{FakeClosure, cpio_archive};

    const NIXOS: &str =
        "nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-linux-6.6.63-modules-shrunk/lib/modules/6.6.63";

    fn read_initrd(bytes: &[u8]) -> InitrdModules {
        let fake = FakeClosure::new();
        fake.file("initrd", bytes);
        let closure = fake.closure();
        read(&ClosureFiles::new(&closure)).unwrap()
    }

    #[test]
    fn modules_behind_microcode_and_compression_are_found() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
        let module = format!("{NIXOS}/kernel/drivers/ata/ahci.ko.xz");
        encoder
            .write_all(&cpio_archive(&["init", &module]))
            .unwrap();
        let mut bytes = cpio_archive(&["kernel/x86/microcode/AuthenticAMD.bin"]);
        bytes.extend(encoder.finish().unwrap());
        let initrd = read_initrd(&bytes);
        assert_eq!(initrd.names, BTreeSet::from(["ahci"]));
        assert_eq!(initrd.damage, None);
    }

    #[test]
    fn what_was_read_before_the_damage_counts() {
        let mut bytes = cpio_archive(&["lib/modules/nvme.ko"]);
        bytes.extend(b"neither archive nor compressed");
        let initrd = read_initrd(&bytes);
        assert_eq!(initrd.names, BTreeSet::from(["nvme"]));
        assert!(initrd.damage.is_some());
    }
}
