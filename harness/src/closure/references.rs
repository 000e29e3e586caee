use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::source::store_dir;
use super::{ClosureError, nix_store};
use crate::vocabulary::{STORE_DIR, StorePath};

/// More than any NixOS closure has by a factor of ten.
const MAX_PATHS: usize = 200_000;
const HASH_LENGTH: usize = 32;
const CHUNK: usize = 1 << 20;

/// Asks `nix-store -qR`; `None` when Nix is not there or does not know the path.
///
/// # Errors
/// When Nix does not answer in time.
pub(super) fn by_nix(
    root: &Path,
    toplevel: &StorePath,
) -> Result<Option<BTreeSet<StorePath>>, ClosureError> {
    let Some(answer) = nix_store::ask(root, &["-qR", toplevel.as_str()])? else {
        return Ok(None);
    };
    let paths: Option<BTreeSet<StorePath>> = answer
        .lines()
        .map(|line| StorePath::parse(line).ok())
        .collect();
    Ok(paths.filter(|paths| paths.contains(toplevel)))
}

/// Finds the closure by Nix's own notion of a reference: the hash of a path of the store occurs in a file, in the target of a
/// link, or in a file name.
///
/// # Errors
/// When a file of the closure cannot be read.
pub(super) fn by_scan(
    root: &Path,
    toplevel: &StorePath,
) -> Result<BTreeSet<StorePath>, ClosureError> {
    let store = store_dir(root);
    let known = store_paths(&store)?;
    let mut reached = BTreeSet::from([toplevel.clone()]);
    let mut pending = vec![toplevel.clone()];
    while let Some(path) = pending.pop() {
        let mut found = BTreeSet::new();
        scan_tree(&store.join(path.base_name()), &known, &mut found)?;
        pending.extend(
            found
                .into_iter()
                .filter(|path| reached.insert(path.clone())),
        );
        if reached.len() > MAX_PATHS {
            return Err(ClosureError::TooLarge(MAX_PATHS));
        }
    }
    Ok(reached)
}

type Known = HashMap<[u8; HASH_LENGTH], StorePath>;

fn store_paths(store: &Path) -> Result<Known, ClosureError> {
    let mut known = Known::new();
    for entry in fs::read_dir(store).map_err(ClosureError::io(store))? {
        let entry = entry.map_err(ClosureError::io(store))?;
        let path = entry
            .file_name()
            .to_str()
            .and_then(|base| StorePath::parse(&format!("{STORE_DIR}/{base}")).ok());
        // `.links`, lock files and temporary directories are no store paths; of `X` and `X.drv.chroot` the shorter name is meant.
        let Some(path) = path else { continue };
        if [".lock", ".drv", ".chroot", ".check"]
            .iter()
            .any(|suffix| path.name().ends_with(suffix))
        {
            continue;
        }
        if let Ok(hash) = path.hash().as_bytes().try_into() {
            known.insert(hash, path);
        }
    }
    Ok(known)
}

fn scan_tree(
    top: &Path,
    known: &Known,
    found: &mut BTreeSet<StorePath>,
) -> Result<(), ClosureError> {
    let mut pending = vec![top.to_owned()];
    while let Some(path) = pending.pop() {
        let metadata = path.symlink_metadata().map_err(ClosureError::io(&path))?;
        if metadata.is_symlink() {
            let target = path.read_link().map_err(ClosureError::io(&path))?;
            scan_bytes(target.as_os_str().as_bytes(), known, found);
        } else if metadata.is_dir() {
            for entry in fs::read_dir(&path).map_err(ClosureError::io(&path))? {
                let entry = entry.map_err(ClosureError::io(&path))?;
                scan_bytes(entry.file_name().as_bytes(), known, found);
                pending.push(entry.path());
            }
        } else if metadata.is_file() {
            scan_file(&path, known, found)?;
        }
    }
    Ok(())
}

fn scan_file(
    path: &Path,
    known: &Known,
    found: &mut BTreeSet<StorePath>,
) -> Result<(), ClosureError> {
    let mut file = File::open(path).map_err(ClosureError::io(path))?;
    let mut buffer = vec![0; CHUNK];
    let mut kept = 0;
    loop {
        let read = file
            .read(&mut buffer[kept..])
            .map_err(ClosureError::io(path))?;
        if read == 0 {
            return Ok(());
        }
        let filled = kept + read;
        scan_bytes(&buffer[..filled], known, found);
        // A hash may straddle two reads: its first 31 characters are looked at again.
        kept = filled.min(HASH_LENGTH - 1);
        buffer.copy_within(filled - kept..filled, 0);
    }
}

/// Looks at every window of 32 characters; one character outside the alphabet rules out all windows that hold it.
fn scan_bytes(bytes: &[u8], known: &Known, found: &mut BTreeSet<StorePath>) {
    let mut start = 0;
    while start + HASH_LENGTH <= bytes.len() {
        let window = &bytes[start..start + HASH_LENGTH];
        if let Some(stranger) = window.iter().rposition(|&byte| !IN_ALPHABET[byte as usize]) {
            start += stranger + 1;
            continue;
        }
        if let Some(path) = known.get(window) {
            found.insert(path.clone());
        }
        start += 1;
    }
}

const IN_ALPHABET: [bool; 256] = {
    let mut table = [false; 256];
    let alphabet = b"0123456789abcdfghijklmnpqrsvwxyz";
    let mut i = 0;
    while i < alphabet.len() {
        table[alphabet[i] as usize] = true;
        i += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    const A: &str = "0aqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-a";
    const B: &str = "0bqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-b";
    const C: &str = "0cqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-c";
    const D: &str = "0dqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-d";

    fn path(base: &str) -> StorePath {
        StorePath::parse(&format!("{STORE_DIR}/{base}")).unwrap()
    }

    #[test]
    fn references_in_files_links_and_across_reads_are_found() {
        let root = tempfile::tempdir().unwrap();
        let store = store_dir(root.path());
        fs::create_dir_all(store.join(A).join("bin")).unwrap();
        // The reference to B straddles the end of the first chunk.
        let mut text = vec![b'x'; CHUNK - 10];
        text.push(b'/');
        text.extend_from_slice(B.as_bytes());
        fs::write(store.join(A).join("bin/tool"), text).unwrap();
        symlink(format!("/nix/store/{C}/lib"), store.join(B)).unwrap();
        fs::write(store.join(C), "no references").unwrap();
        fs::write(store.join(D), format!("unreferenced, {A}")).unwrap();
        let closure = by_scan(root.path(), &path(A)).unwrap();
        assert_eq!(closure, BTreeSet::from([path(A), path(B), path(C)]));
    }
}
