//! What belongs to the switch: the words of `switch-to-configuration` beyond its exit code, and the journal since.

use super::{Run, StateRecord};
use crate::vocabulary::State;

/// What `system.preSwitchChecks` end with, among them NixOS 26.05's `switchInhibitors`
/// (`nixos/modules/system/activation/pre-switch-check.nix`, `switch-to-configuration-ng`).
const CHECKS_FAILED: &str = "Pre-switch checks failed";

/// Whether the closure's own checks refused to switch to it live, which leaves `boot` and a reboot.
pub fn refused_by_own_checks(exit_code: i32, output: &str) -> bool {
    exit_code == 1 && output.contains(CHECKS_FAILED)
}

/// *Switched* belongs to the boot of *before*, so its journal repeats the older one: what the baseline did is not the candidate's.
pub(super) fn keep_news(run: &mut Run) {
    let boot_id = |record: &StateRecord| record.identity.as_ref()?.boot_id.clone();
    let Some(before) = run.states.get(&State::Before) else {
        return;
    };
    let before_id = boot_id(before);
    let newest = before
        .journal
        .iter()
        .flatten()
        .filter_map(|e| e.monotonic_us)
        .max();
    let (Some(before_id), Some(newest)) = (before_id, newest) else {
        return;
    };
    if let Some(switched) = run.states.get_mut(&State::Switched)
        && boot_id(switched).as_ref() == Some(&before_id)
        && let Some(journal) = &mut switched.journal
    {
        journal.retain(|e| e.monotonic_us.is_none_or(|at| at > newest));
    }
}

#[cfg(test)]
mod tests {
    use super::refused_by_own_checks;
    use crate::fold::fold;
    use crate::testing;
    use crate::vocabulary::State;

    #[test]
    fn only_the_checks_words_with_their_exit_code_are_a_refusal() {
        assert!(refused_by_own_checks(1, "x\nPre-switch checks failed\n"));
        assert!(!refused_by_own_checks(4, "Pre-switch checks failed"));
        assert!(!refused_by_own_checks(
            1,
            "failed to install the bootloader"
        ));
    }

    #[test]
    fn the_journal_of_the_baseline_is_not_held_against_the_candidate() {
        let (_, mut recording) = testing::healthy_recording();
        let journal = r#"{"MESSAGE":"old.service: Failed at step EXEC spawning x: Exec format error","__MONOTONIC_TIMESTAMP":"5"}"#;
        recording.append_journal(State::Before, journal);
        recording.append_journal(State::Switched, journal);
        let run = fold(&recording.observations());
        let has_old = |state| {
            let journal = run.states[&state].journal.as_ref().unwrap();
            journal.iter().any(|e| e.message.starts_with("old"))
        };
        assert!(has_old(State::Before));
        assert!(!has_old(State::Switched));
    }
}
