//! What the words of `switch-to-configuration` say, beyond its exit code.

/// What `system.preSwitchChecks` end with, among them NixOS 26.05's `switchInhibitors`
/// (`nixos/modules/system/activation/pre-switch-check.nix`, `switch-to-configuration-ng`).
const CHECKS_FAILED: &str = "Pre-switch checks failed";

/// Whether the closure's own checks refused to switch to it live, which leaves `boot` and a reboot.
pub fn refused_by_own_checks(exit_code: i32, output: &str) -> bool {
    exit_code == 1 && output.contains(CHECKS_FAILED)
}

#[cfg(test)]
mod tests {
    use super::refused_by_own_checks;

    #[test]
    fn only_the_checks_words_with_their_exit_code_are_a_refusal() {
        assert!(refused_by_own_checks(1, "x\nPre-switch checks failed\n"));
        assert!(!refused_by_own_checks(4, "Pre-switch checks failed"));
        assert!(!refused_by_own_checks(
            1,
            "failed to install the bootloader"
        ));
    }
}
