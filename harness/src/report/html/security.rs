//! What a browser may do with the page: show it, and nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// The page's own style, and its own script: it opens what a link leads into, and everything for a printer.
pub(super) const STYLE: &str = include_str!("../../../templates/report.css");
pub(super) const SCRIPT: &str = include_str!("../../../templates/report.js");

/// A Content-Security-Policy (W3C CSP Level 3) that names the two by their hashes: nothing else runs, and nothing is loaded.
pub(super) fn policy() -> String {
    format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; img-src data:; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn style_and_script_cannot_end_their_elements() {
        assert!(!STYLE.contains("</") && !SCRIPT.contains("</"));
    }

    #[test]
    fn nothing_is_allowed_by_kind() {
        assert!(!policy().contains("unsafe"));
    }
}
