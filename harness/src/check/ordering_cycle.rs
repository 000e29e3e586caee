//! What systemd did to break a cycle of units that wait for each other: it drops jobs, says so in one line each, and goes on.
//!
//! Called by `log_signature`. The lines are of systemd's `src/core/transaction.c`: `A: Job B/start deleted to break ordering cycle starting
//! with A/start`, the same from 239 to 258. Which job it drops depends on the order in which it meets the units, so that a cycle may
//! cost another unit at each boot. A unit that runs nevertheless was started later by something else.

use std::collections::BTreeSet;

use crate::fold::ActiveState;
use crate::vocabulary::Finding;

use super::Scene;

/// How many units the sentence names.
const NAMED: usize = 3;

/// Names the units whose start was dropped. That one of them is not up fails the rehearsal by `unit_inactive`, and diagnosis joins both.
pub(super) fn judged(scene: &Scene<'_>, mut finding: Finding) -> Finding {
    let journal = scene.record.journal.iter().flatten();
    let dropped: BTreeSet<&str> = journal.filter_map(|e| dropped_unit(&e.message)).collect();
    let down: Vec<&str> = dropped
        .iter()
        .copied()
        .filter(|u| !is_up(scene, u))
        .collect();
    let (named, is_harmless) = match down.as_slice() {
        [] => (dropped.into_iter().collect::<Vec<_>>(), true),
        down => (down.to_vec(), false),
    };
    if !named.is_empty() {
        let more = match named.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let shown = named.iter().take(NAMED).copied().collect::<Vec<_>>();
        finding.summary = format!(
            "systemd dropped the start of {}{more} to break a cycle of units that wait for each other",
            shown.join(", "),
        );
    }
    if is_harmless {
        finding
            .summary
            .push_str(", and nothing is missing for it this time");
    }
    finding.as_warning()
}

/// `ledger.service` of `…: Job ledger.service/start deleted to break ordering cycle …`; `None` of any other line, and where the job was
/// one to stop it.
pub(super) fn dropped_unit(message: &str) -> Option<&str> {
    let (before, _) = message.split_once(" deleted to break ordering cycle")?;
    let (_, job) = before.rsplit_once("Job ")?;
    let (unit, kind) = job.rsplit_once('/')?;
    (!unit.is_empty() && kind != "stop").then_some(unit)
}

fn is_up(scene: &Scene<'_>, unit: &str) -> bool {
    let units = scene.record.units();
    // A oneshot that is done and a target that was dropped look alike: only what runs is not missed.
    units.and_then(|units| units.get(unit)).is_some_and(|unit| {
        matches!(
            unit.active_state,
            ActiveState::Active | ActiveState::Reloading | ActiveState::Activating
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use crate::vocabulary::{Severity, State};

    const LINE: &str = "sysinit.target: Job alpha.service/start deleted to break ordering cycle starting with sysinit.target/start";

    #[test]
    fn the_unit_that_was_dropped_is_named() {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Rebooted);
        guest.set_unit("alpha.service", &[("ActiveState", "inactive")]);
        guest.log_unit("sysinit.target", LINE);
        let findings = testing::findings(&plan, &recording);
        let ids: Vec<String> = findings.iter().map(Finding::id).collect();
        assert_eq!(
            ids,
            [
                "rebooted/unit-inactive/alpha.service",
                "rebooted/log-signature/ordering-cycle"
            ]
        );
        assert!(findings[1].summary.contains("the start of alpha.service"));
    }

    #[test]
    fn that_a_unit_runs_nevertheless_is_said() {
        let (plan, mut recording) = testing::healthy_recording();
        recording
            .guest(State::Rebooted)
            .log_unit("sysinit.target", LINE);
        let findings = testing::findings(&plan, &recording);
        assert_eq!(findings[0].severity, Severity::Warning);
        assert!(
            findings[0]
                .summary
                .ends_with("nothing is missing for it this time")
        );
    }

    #[test]
    fn a_stop_that_was_dropped_is_silent() {
        let line = "a.service: Job b.service/stop deleted to break ordering cycle starting with a.service/stop";
        assert_eq!(dropped_unit(line), None);
        let (plan, mut recording) = testing::healthy_recording();
        recording.guest(State::Rebooted).log_unit("a.service", line);
        assert_eq!(testing::finding_ids(&plan, &recording), [""; 0]);
    }

    #[test]
    fn absurd_lines_name_no_unit() {
        for line in [
            "",
            " deleted to break ordering cycle",
            "Job /start deleted to break ordering cycle",
        ] {
            assert_eq!(dropped_unit(line), None);
        }
    }
}
