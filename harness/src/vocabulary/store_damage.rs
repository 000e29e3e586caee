use serde::{Deserialize, Serialize};

/// A store path of the guest that is not what it is on the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DamagedPath {
    /// `<hash>-<name>`.
    pub path: String,
    pub of_baseline: bool,
    pub of_candidate: bool,
    /// Files and links of it that are missing or other ones.
    pub files: u64,
    /// The first of them, and what it is: `bin/alpha: 0 bytes, not 812`.
    pub first: String,
    /// Whether the guest's Nix calls it valid, so that no deploy copies it again; `None` where there is no Nix to ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid: Option<bool>,
}
