use std::fmt;

use serde::{Deserialize, Serialize};

/// The identity of one boot: the kernel's `/proc/sys/kernel/random/boot_id`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(with = "String"))]
#[serde(transparent)]
pub struct BootId(String);

impl BootId {
    /// Parses the kernel's form, a lower-case UUID of 36 characters; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let well_formed = text.len() == 36
            && text.bytes().enumerate().all(|(i, b)| match i {
                8 | 13 | 18 | 23 => b == b'-',
                _ => b.is_ascii_digit() || (b'a'..=b'f').contains(&b),
            });
        well_formed.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BootId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_kernels_form_is_a_boot_id() {
        assert!(BootId::parse("0c6cbd2a-6d4c-4f9e-a5c1-6f6f4d1f0a11\n").is_some());
        assert!(BootId::parse("0C6CBD2A-6d4c-4f9e-a5c1-6f6f4d1f0a11").is_none());
        assert!(BootId::parse("0c6cbd2a").is_none());
        assert!(BootId::parse("").is_none());
    }
}
