use crate::vocabulary::StorePath;

/// A path below the store that occurs in a text or a binary.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mention {
    /// Offset of its first byte.
    pub(super) start: usize,
    /// From `/nix/store/` to the last character that a path without quoting can have.
    pub(super) path: String,
}

/// Longest path that is taken; what follows in a binary without terminator is cut off.
const LONGEST: usize = 4096;

/// What a store path begins with.
pub(super) const PREFIX: &[u8] = b"/nix/store/";

/// Goes over the places at which a store path may begin.
pub(super) fn starts(bytes: &[u8]) -> impl Iterator<Item = usize> + '_ {
    memchr::memmem::find_iter(bytes, PREFIX)
}

/// Goes over the store paths, with what lies below them, that a file mentions.
pub(super) fn in_bytes(bytes: &[u8]) -> impl Iterator<Item = Mention> + '_ {
    let mut end = 0;
    starts(bytes).filter_map(move |start| {
        // What another mention has swallowed is part of it.
        if start < end {
            return None;
        }
        let length = bytes[start..]
            .iter()
            .take(LONGEST)
            .take_while(|byte| is_path_byte(**byte))
            .count();
        end = start + length;
        let path = String::from_utf8_lossy(&bytes[start..end]);
        let path = path.trim_end_matches(['.', ':', '/']).to_owned();
        Some(Mention { start, path })
    })
}

/// The store paths that a mention is of, several where it is a search path; without those that nixpkgs' `nuke-refs` and
/// `remove-references-to` overwrote because they are not needed.
pub(super) fn store_paths(mention: &str) -> Vec<StorePath> {
    let is_nuked = |path: &StorePath| path.hash().bytes().all(|byte| byte == b'e');
    mention
        .split(':')
        .filter_map(|path| StorePath::split(path).ok())
        .map(|(path, _)| path)
        .filter(|path| !is_nuked(path))
        .collect()
}

fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/+-._?=@%~,:".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &[u8]) -> Vec<String> {
        in_bytes(text).map(|mention| mention.path).collect()
    }

    #[test]
    fn paths_end_at_quotes_blanks_and_nul() {
        assert_eq!(
            paths(b"exec '/nix/store/a-b/bin/x' -c /nix/store/c-d.conf;\0/nix/store/e\0"),
            [
                "/nix/store/a-b/bin/x",
                "/nix/store/c-d.conf",
                "/nix/store/e"
            ]
        );
    }

    #[test]
    fn text_without_paths_has_none() {
        assert!(paths(b"").is_empty());
        assert!(paths(b"/nix/var /etc/nix/stor").is_empty());
    }
}
