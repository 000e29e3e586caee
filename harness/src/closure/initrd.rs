use std::io::BufReader;

use super::cpio_names;
use super::files::{ClosureFiles, FileError};
use super::modules::module_name;
use crate::vocabulary::InitrdModules;

/// More modules than any distribution's kernel has.
const MAX_MODULES: usize = 20_000;
/// An initrd is made for one kernel.
const MAX_VERSIONS: usize = 16;

/// The modules in an initrd.
#[derive(Debug)]
pub(super) struct Initrd {
    pub(super) modules: InitrdModules,
    /// Why the rest could not be read, where it could not.
    pub(super) damage: Option<String>,
}

/// Reads the names of the files in `toplevel/initrd`, and nothing of their content.
pub(super) fn read(files: &ClosureFiles) -> Result<Initrd, FileError> {
    let mut reader = BufReader::new(files.open(&files.in_toplevel("initrd"))?);
    let mut modules = InitrdModules::default();
    let result = cpio_names::visit_names(&mut reader, cpio_names::LIMIT, &mut |name| {
        if let Some(module) = module_name(name) {
            modules.names.insert(module);
            if modules.versions.len() < MAX_VERSIONS {
                modules.versions.extend(version_of(name));
            }
        }
        modules.names.len() < MAX_MODULES
    });
    Ok(Initrd {
        modules,
        damage: result.err().map(|error| error.to_string()),
    })
}

/// `6.6.63` of `…/lib/modules/6.6.63/kernel/fs/ext4/ext4.ko.xz`.
fn version_of(name: &str) -> Option<String> {
    let (before, after) = name.split_once("lib/modules/")?;
    let (version, _) = after.split_once('/')?;
    (before.is_empty() || before.ends_with('/')).then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::io::Write;

    use super::*;
    use crate::closure::testing::{FakeClosure, cpio_archive};

    const NIXOS: &str =
        "nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-linux-6.6.63-modules-shrunk/lib/modules/6.6.63";

    fn read_initrd(bytes: &[u8]) -> Initrd {
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
        assert_eq!(initrd.modules.names, BTreeSet::from(["ahci".to_owned()]));
        let versions = BTreeSet::from(["6.6.63".to_owned()]);
        assert_eq!(initrd.modules.versions, versions);
        assert_eq!(initrd.damage, None);
    }

    #[test]
    fn what_was_read_before_the_damage_counts() {
        let mut bytes = cpio_archive(&["lib/modules/nvme.ko"]);
        bytes.extend(b"neither archive nor compressed");
        let initrd = read_initrd(&bytes);
        assert_eq!(initrd.modules.names, BTreeSet::from(["nvme".to_owned()]));
        assert!(initrd.damage.is_some());
    }
}
