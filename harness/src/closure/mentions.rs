use crate::vocabulary::STORE_DIR;

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

/// Goes over the store paths, with what lies below them, that a file mentions.
pub(super) fn in_bytes(bytes: &[u8]) -> impl Iterator<Item = Mention> + '_ {
    let prefix = STORE_DIR.as_bytes();
    let mut from = 0;
    std::iter::from_fn(move || {
        let rest = &bytes[from..];
        let start = from + rest.windows(prefix.len()).position(|w| w == prefix)?;
        let length = bytes[start..]
            .iter()
            .take(LONGEST)
            .take_while(|byte| is_path_byte(**byte))
            .count();
        from = start + length;
        let path = String::from_utf8_lossy(&bytes[start..from]);
        let path = path.trim_end_matches(['.', ':', '/']).to_owned();
        Some(Mention { start, path })
    })
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
