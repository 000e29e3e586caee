//! What an initrd carries. It is decompressed once, which takes as long as all else that is read of a closure: the closure's facts and
//! its survey ask [`Closure::initrd`], and `read_ahead` asks before either.

mod libraries;
mod programs;
mod services;

use std::fmt;
use std::io::{BufRead, BufReader, Read as _};
use std::sync::{Mutex, OnceLock, PoisonError};

pub use programs::InitrdFiles;
use programs::{FIRST_BYTES, Follower};
pub use services::InitrdService;

use super::Closure;
use super::cpio_names::{self, TRAILER};
use super::decompress;
use super::files::{ClosureFiles, FileError};
use super::modules::module_name;
use super::read_ahead::Ahead;
use super::stage_1_root::Stage1Root;
use crate::vocabulary::{InitrdDamage, InitrdModules};

/// More modules than any distribution's kernel has.
const MAX_MODULES: usize = 20_000;
/// An initrd is made for one kernel.
const MAX_VERSIONS: usize = 16;

/// What an initrd carries.
#[derive(Debug)]
pub(super) struct Initrd {
    pub(super) modules: InitrdModules,
    /// The device that its stage 1 mounts as the root, where it tells.
    pub(super) root: Option<String>,
    /// What the kernel executes of it.
    pub(super) programs: InitrdFiles,
    /// Why the rest could not be read, where it could not.
    pub(super) unread: Option<String>,
    /// Where that is because it is cut short or corrupt.
    pub(super) damage: Option<InitrdDamage>,
}

/// The initrd of a closure, read when somebody first asks.
///
/// It is no part of what a closure is: a copy begins empty, and every two are equal.
#[derive(Default)]
pub(super) struct KnownInitrd {
    read: OnceLock<Result<Initrd, FileError>>,
    ahead: Mutex<Option<Ahead>>,
}

impl KnownInitrd {
    /// One that is being read already.
    pub(super) fn begun(ahead: Ahead) -> Self {
        Self {
            read: OnceLock::new(),
            ahead: Mutex::new(Some(ahead)),
        }
    }

    pub(super) fn into_read(self) -> Option<Result<Initrd, FileError>> {
        self.read.into_inner()
    }
}

impl Closure {
    /// What `toplevel/initrd` carries; an error where it cannot be opened.
    pub(super) fn initrd(&self) -> &Result<Initrd, FileError> {
        self.initrd.read.get_or_init(|| {
            let ahead = &self.initrd.ahead;
            let ahead = ahead.lock().unwrap_or_else(PoisonError::into_inner).take();
            match ahead.and_then(|ahead| ahead.finish(self)) {
                Some(initrd) => Ok(initrd),
                None => read(&ClosureFiles::new(self)),
            }
        })
    }
}

impl Clone for KnownInitrd {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for KnownInitrd {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for KnownInitrd {}

impl fmt::Debug for KnownInitrd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KnownInitrd")
    }
}

fn read(files: &ClosureFiles) -> Result<Initrd, FileError> {
    let file = files.open(&files.in_toplevel("initrd"))?;
    Ok(parse(&mut BufReader::new(file)))
}

/// Reads the names of an initrd's files, the beginnings of programs, and the content of what tells the root.
pub(super) fn parse(reader: &mut dyn BufRead) -> Initrd {
    let mut modules = InitrdModules::default();
    let mut root = Stage1Root::default();
    let mut programs = Follower::new();
    let mut has_init = false;
    let mut init_is_whole = false;
    let mut first = Vec::new();
    let result = cpio_names::visit_files(reader, cpio_names::LIMIT, &mut |entry, content| {
        let name = entry.name;
        has_init |= name.trim_start_matches("./") == "init";
        init_is_whole |= has_init && name == TRAILER;
        if let Some(module) = module_name(name).filter(|_| modules.names.len() < MAX_MODULES) {
            modules.names.insert(module);
            if modules.versions.len() < MAX_VERSIONS {
                modules.versions.extend(version_of(name));
            }
        }
        first.clear();
        content.take(FIRST_BYTES).read_to_end(&mut first)?;
        // Of texts, which the other reads, this one takes nothing further.
        programs.look(&entry, &first, content)?;
        root.look(entry, &mut first.as_slice().chain(content))?;
        Ok(modules.names.len() < MAX_MODULES || !programs.is_done())
    });
    let damage = result.as_ref().err().filter(|e| decompress::is_damage(e));
    Initrd {
        modules,
        root: root.found(),
        programs: programs.finish(&result),
        damage: damage.map(|error| InitrdDamage {
            reason: error.to_string(),
            init_is_whole,
        }),
        unread: result.err().map(|error| error.to_string()),
    }
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
    use crate::closure::testing::cpio_archive;

    const NIXOS: &str =
        "nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-linux-6.6.63-modules-shrunk/lib/modules/6.6.63";

    fn read_initrd(mut bytes: &[u8]) -> Initrd {
        parse(&mut bytes)
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
        assert_eq!((initrd.damage, initrd.unread), (None, None));
    }

    #[test]
    fn what_was_read_before_the_damage_counts() {
        let mut bytes = cpio_archive(&["lib/modules/nvme.ko"]);
        bytes.extend(b"neither archive nor compressed");
        let initrd = read_initrd(&bytes);
        assert_eq!(initrd.modules.names, BTreeSet::from(["nvme".to_owned()]));
        // No compression that is known: it may be one that is not.
        assert!(initrd.unread.is_some() && initrd.damage.is_none());
    }

    #[test]
    fn damage_is_told_by_whether_the_archive_of_init_was_whole() {
        let whole = cpio_archive(&["init", "lib/modules/nvme.ko"]);
        let is_whole = |bytes: &[u8]| read_initrd(bytes).damage.map(|d| d.init_is_whole);
        assert_eq!(is_whole(&whole), None);
        assert_eq!(is_whole(&whole[..whole.len() - 200]), Some(false));
        let mut more = cpio_archive(&["kernel/x86/microcode/GenuineIntel.bin"]);
        more.extend(&whole[..200]);
        assert_eq!(is_whole(&more), Some(false));
        let mut more = whole.clone();
        more.extend(&whole[..200]);
        assert_eq!(is_whole(&more), Some(true));
    }
}
