use serde::{Deserialize, Serialize};

use super::StorePath;

/// Which closure: its store path, and what the store's database says it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosureIdentity {
    pub toplevel: StorePath,
    /// The NAR hash of the toplevel alone: `sha256:` and Nix's base 32.
    pub nar_hash: String,
    /// How many store paths the closure has.
    pub paths: usize,
    /// SHA-256, in hex, of all of them: sorted lines `PATH NAR-HASH`.
    pub closure_hash: String,
}
