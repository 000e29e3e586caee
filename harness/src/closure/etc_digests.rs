use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use super::Closure;
use super::files::{ClosureFiles, FileError};
use super::mentions;
use crate::vocabulary::StorePath;

/// More files than any `/etc` has.
const MAX_FILES: usize = 20_000;
const MAX_DEPTH: usize = 12;
/// A larger file is told by its name.
const MAX_FILE: u64 = 1 << 20;

/// What each file of the toplevel's `etc` says, the hashes of store paths left out: equal for two builds that say the same.
///
/// By the path below `etc`; the value is for comparison only. Units are left out, for they are compared by their settings, and so
/// is what lies below a directory of another store path, which its name and version stand for.
pub fn etc_digests(closure: &Closure) -> BTreeMap<String, String> {
    let files = ClosureFiles::new(closure);
    let mut digests = BTreeMap::new();
    let Ok(etc) = files.resolve("/etc") else {
        return digests;
    };
    let own =
        StorePath::split(&etc.logical).map_or(etc.logical.clone(), |(own, _)| own.to_string());
    // A directory that links lead back into is read once: each level would have as many of it as there are links.
    let mut walked = BTreeSet::from([etc.logical]);
    let mut pending = vec![(String::new(), 0)];
    while let Some((directory, depth)) = pending.pop() {
        for name in files.list(&format!("/etc/{directory}")).unwrap_or_default() {
            let below = format!("{directory}{name}");
            if below == "systemd/system" || digests.len() >= MAX_FILES {
                continue;
            }
            let resolved = files.resolve(&format!("/etc/{below}"));
            let is_own_directory = resolved
                .as_ref()
                .is_ok_and(|resolved| resolved.logical.starts_with(&own) && resolved.host.is_dir());
            let mut is_new = || {
                let logical = resolved.as_ref().map(|resolved| resolved.logical.clone());
                logical.is_ok_and(|logical| walked.insert(logical))
            };
            if is_own_directory && depth < MAX_DEPTH {
                if is_new() {
                    pending.push((format!("{below}/"), depth + 1));
                }
            } else {
                let value = match resolved {
                    Ok(resolved) => digest(&files, &resolved.logical),
                    Err(FileError::Outside(_)) => "outside".to_owned(),
                    Err(error) => without_hashes(&error.to_string()),
                };
                digests.insert(below, value);
            }
        }
    }
    digests
}

fn digest(files: &ClosureFiles, path: &str) -> String {
    let Ok(bytes) = files.read(path, MAX_FILE) else {
        return without_hashes(path);
    };
    base16ct::lower::encode_string(&Sha256::digest(bytes_without_hashes(&bytes)))
}

/// A text with the hash of every store path that it names left out: two builds of the same thing then read the same.
pub fn without_hashes(text: &str) -> String {
    String::from_utf8_lossy(&bytes_without_hashes(text.as_bytes())).into_owned()
}

fn bytes_without_hashes(bytes: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for start in mentions::starts(bytes) {
        let after = start + mentions::PREFIX.len();
        let hash = bytes.get(after..after + HASH_LENGTH);
        let is_hash = hash.is_some_and(|hash| hash.iter().all(u8::is_ascii_alphanumeric));
        if is_hash && bytes.get(after + HASH_LENGTH) == Some(&b'-') {
            kept.extend_from_slice(&bytes[from..after]);
            from = after + HASH_LENGTH + 1;
        }
    }
    kept.extend_from_slice(&bytes[from..]);
    kept
}

const HASH_LENGTH: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::FakeClosure;

    const A: &str = "/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-tool";
    const B: &str = "/nix/store/1fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-tool";

    #[test]
    fn hashes_are_left_out_and_names_kept() {
        assert_eq!(
            without_hashes(&format!("{A}/bin x {B}")),
            without_hashes(&format!("{B}/bin x {A}"))
        );
        assert_eq!(without_hashes(A), "/nix/store/tool");
        for text in [
            "",
            "/nix/store/",
            "/nix/store/short-x",
            "/nix/store//nix/store/",
        ] {
            assert_eq!(without_hashes(text), text);
        }
    }

    #[test]
    fn directories_that_lead_into_each_other_are_read_once() {
        let fake = FakeClosure::new();
        fake.file("etc/deep/file", "");
        for n in 0..50 {
            fake.link("toplevel", &format!("etc/deep/{n}"), ".");
            fake.link("toplevel", &format!("etc/{n}"), "deep");
        }
        assert_eq!(etc_digests(&fake.closure()).len(), 1);
    }

    #[test]
    fn files_that_say_the_same_have_one_digest() {
        let of = |content: &str, link: &str| {
            let fake = FakeClosure::new();
            fake.file("etc/deep/file", content);
            fake.file("etc/systemd/system/a.service", "");
            fake.link("toplevel", "etc/mtab", link);
            fake.link("toplevel", "etc/loop", "loop");
            etc_digests(&fake.closure())
        };
        let one = of(A, "/proc/mounts");
        assert_eq!(
            one.keys().collect::<Vec<_>>(),
            ["deep/file", "loop", "mtab"]
        );
        assert_eq!(one, of(B, "/proc/mounts"));
        assert_ne!(one, of("other", "/proc/mounts"));
    }
}
