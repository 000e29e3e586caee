use std::fmt;

use serde::{Deserialize, Serialize};

/// The directory that every Nix store path begins with, as seen by the machine that runs the closure.
pub const STORE_DIR: &str = "/nix/store";

/// A top-level path of the Nix store, `/nix/store/<hash>-<name>`, in its logical form (never prefixed by a chroot store's root).
///
/// The hash is 32 characters of Nix's base 32, the name is of `[A-Za-z0-9+._?=-]`, as in Nix's `store-api`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(with = "String"))]
#[serde(try_from = "String", into = "String")]
pub struct StorePath(String);

/// Why a text is no store path.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum StorePathError {
    #[error("`{0}` is outside the Nix store ({STORE_DIR})")]
    OutsideStore(String),
    #[error("`{0}` is no store path: expected {STORE_DIR}/<32 characters of hash>-<name>")]
    Malformed(String),
}

impl StorePath {
    /// Parses exactly a top-level store path.
    ///
    /// # Errors
    /// When the text is outside the store, or names something below a store path.
    pub fn parse(text: &str) -> Result<Self, StorePathError> {
        let (path, below) = Self::split(text)?;
        if below.is_empty() {
            Ok(path)
        } else {
            Err(StorePathError::Malformed(text.to_owned()))
        }
    }

    /// Splits `/nix/store/<hash>-<name>/some/file` into the store path and `some/file`.
    ///
    /// # Errors
    /// When the text does not begin with a store path.
    pub fn split(text: &str) -> Result<(Self, &str), StorePathError> {
        let rest = text
            .strip_prefix(STORE_DIR)
            .and_then(|rest| rest.strip_prefix('/'))
            .ok_or_else(|| StorePathError::OutsideStore(text.to_owned()))?;
        let (base, below) = rest.split_once('/').unwrap_or((rest, ""));
        if is_base_name(base) {
            let path = Self(format!("{STORE_DIR}/{base}"));
            Ok((path, below.trim_end_matches('/')))
        } else {
            Err(StorePathError::Malformed(text.to_owned()))
        }
    }

    /// The whole path, `/nix/store/<hash>-<name>`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `<hash>-<name>`.
    pub fn base_name(&self) -> &str {
        &self.0[STORE_DIR.len() + 1..]
    }

    /// The 32 characters of hash.
    pub fn hash(&self) -> &str {
        &self.base_name()[..HASH_LENGTH]
    }

    /// What follows the hash.
    pub fn name(&self) -> &str {
        &self.base_name()[HASH_LENGTH + 1..]
    }
}

const HASH_LENGTH: usize = 32;

fn is_base_name(base: &str) -> bool {
    let Some((hash, rest)) = base.split_at_checked(HASH_LENGTH) else {
        return false;
    };
    let Some(name) = rest.strip_prefix('-') else {
        return false;
    };
    hash.bytes()
        .all(|b| b"0123456789abcdfghijklmnpqrsvwxyz".contains(&b))
        && !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-._?=".contains(&b))
}

impl fmt::Display for StorePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for StorePath {
    type Error = StorePathError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<StorePath> for String {
    fn from(path: StorePath) -> Self {
        path.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-nixos-system-web-24.11";

    #[test]
    fn a_store_path_has_a_hash_and_a_name() {
        let path = StorePath::parse(PATH).unwrap();
        assert_eq!(path.hash(), "0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5");
        assert_eq!(path.name(), "nixos-system-web-24.11");
        assert_eq!(path.to_string(), PATH);
    }

    #[test]
    fn what_lies_below_is_split_off() {
        let text = format!("{PATH}/sw/bin/bash");
        let (path, below) = StorePath::split(&text).unwrap();
        assert_eq!((path.as_str(), below), (PATH, "sw/bin/bash"));
        assert!(StorePath::parse(&text).is_err());
    }

    #[test]
    fn paths_outside_the_store_are_told_from_malformed_ones() {
        assert_eq!(
            StorePath::parse("/etc/nixos"),
            Err(StorePathError::OutsideStore("/etc/nixos".into()))
        );
        assert!(matches!(
            StorePath::parse("/nix/store/short-name"),
            Err(StorePathError::Malformed(_))
        ));
        assert!(matches!(
            StorePath::parse("/nix/store/../etc/passwd"),
            Err(StorePathError::Malformed(_))
        ));
        assert!(matches!(
            StorePath::parse("/nix/storefront"),
            Err(StorePathError::OutsideStore(_))
        ));
    }
}
