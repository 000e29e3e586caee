//! Texts without what another build changes, for fingerprints.

use std::sync::LazyLock;

use regex::Regex;

/// `/nix/store/<hash>-<name>`, without what lies below; Nix's base 32 leaves out e, o, u and t.
static STORE_PATH: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?:/nix/store/)?\b[0-9abcdfghijklmnpqrsvwxyz]{32}-([A-Za-z0-9+._?=-]+)").ok()
});

/// The text with the names of store paths in the place of the paths, without their hashes and versions.
pub(super) fn without_builds(text: &str) -> String {
    match &*STORE_PATH {
        Some(pattern) => pattern
            .replace_all(text, |found: &regex::Captures<'_>| {
                package(&found[1]).to_owned()
            })
            .into_owned(),
        None => text.to_owned(),
    }
}

/// A name without its version, which begins at the first dash that no letter follows (Nix's `parseDrvName`).
fn package(name: &str) -> &str {
    let is_version = |at: &usize| {
        let next = name[at + 1..].chars().next();
        next.is_some_and(|c| !c.is_ascii_alphabetic())
    };
    let end = name.match_indices('-').map(|(at, _)| at).find(is_version);
    &name[..end.unwrap_or(name.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hash_and_version_are_left_out() {
        let of = |hash: char, version: &str| {
            let hash = hash.to_string().repeat(32);
            without_builds(&format!("x: /nix/store/{hash}-nginx-{version}/bin/nginx y"))
        };
        assert_eq!(of('a', "1.26.0"), "x: nginx/bin/nginx y");
        assert_eq!(of('a', "1.26.0"), of('b', "1.27.1-beta"));
        assert_eq!(without_builds("alpha.service"), "alpha.service");
        assert_eq!(package("nixos-system-web-24.11"), "nixos-system-web");
        assert_eq!(package("unit-alpha.service"), "unit-alpha.service");
        assert_eq!(package("a-"), "a-");
    }
}
