//! No service may be restarted again and again.
//!
//! `Restart=on-failure` with a `RestartSec=` that never meets the start limit looks healthy in one sample; two samples of
//! `NRestarts` tell.

use std::collections::BTreeMap;

use crate::fold::{ActiveState, StateRecord, Unit};
use crate::vocabulary::{Check, Finding};

use super::last_words::own_words;
use super::{Scene, lacks};

pub(super) fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let Some(last) = &scene.record.units_last else {
        return Vec::new();
    };
    last.keys()
        .filter(|id| is_looping(scene.record, id))
        .map(|id| finding(scene, id))
        .collect()
}

/// Whether a unit was restarted between the two samples, or awaited a restart in both.
pub fn is_looping(record: &StateRecord, id: &str) -> bool {
    let sample = |units: &Option<BTreeMap<String, Unit>>| {
        units.as_ref().and_then(|units| units.get(id)).cloned()
    };
    match (sample(&record.units_first), sample(&record.units_last)) {
        // systemd gave up: that is a failed unit, and no loop.
        (_, Some(last)) if has_given_up(&last) => false,
        (Some(first), Some(last)) => {
            let restarted = first
                .restarts
                .zip(last.restarts)
                .is_some_and(|(a, b)| b > a);
            restarted || (first.awaits_restart() && last.awaits_restart())
        }
        _ => false,
    }
}

/// Between two attempts a later systemd calls a unit failed as well, in the sub-state `failed-before-auto-restart`.
pub(super) fn has_given_up(unit: &Unit) -> bool {
    unit.active_state == ActiveState::Failed && unit.sub_state == "failed"
}

fn finding(scene: &Scene<'_>, id: &str) -> Finding {
    let restarts = |units: &Option<BTreeMap<String, Unit>>| {
        let count = units.as_ref().and_then(|u| u.get(id)?.restarts);
        count.map_or_else(|| "unknown".to_owned(), |n| n.to_string())
    };
    let shown = format!(
        "NRestarts={}, then NRestarts={} after {} s",
        restarts(&scene.record.units_first),
        restarts(&scene.record.units_last),
        scene.plan.window_seconds,
    );
    let summary = format!("{id} is restarted again and again");
    let mut finding = Finding::new(Check::RestartLoop, scene.state, id, summary)
        .with_evidence("systemctl show", shown);
    for message in own_words(scene.record, id) {
        finding = finding.with_evidence("journal", message);
    }
    lacks::excused(scene, id, finding)
}

#[cfg(test)]
mod tests {
    use crate::testing;
    use crate::vocabulary::State;

    #[test]
    fn a_rising_count_is_a_loop_although_the_sample_says_running() {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Rebooted);
        guest.set_last("alpha.service", "NRestarts", "2");
        assert_eq!(
            testing::finding_ids(&plan, &recording),
            ["rebooted/restart-loop/alpha.service"]
        );
    }

    #[test]
    fn waiting_for_a_restart_in_both_samples_is_a_loop() {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Rebooted);
        guest.set_unit(
            "alpha.service",
            &[("ActiveState", "activating"), ("SubState", "auto-restart")],
        );
        assert_eq!(
            testing::finding_ids(&plan, &recording),
            ["rebooted/restart-loop/alpha.service"]
        );
    }

    #[test]
    fn what_systemd_gave_up_on_is_no_loop() {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Rebooted);
        guest.set_last("alpha.service", "NRestarts", "5");
        guest.set_last("alpha.service", "ActiveState", "failed");
        guest.set_last("alpha.service", "SubState", "failed");
        guest.log_unit(
            "alpha.service",
            "alpha.service: Start request repeated too quickly.",
        );
        let findings = testing::findings(&plan, &recording);
        assert_eq!(findings.len(), 1);
        assert_eq!(
            findings[0].summary,
            "alpha.service failed, and systemd gave up restarting it"
        );
    }

    #[test]
    fn the_last_words_of_a_looping_service_are_quoted() {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Rebooted);
        guest.set_last("alpha.service", "NRestarts", "2");
        guest.journal.push(
            r#"{"MESSAGE":"cannot open /run/alpha/key: No such file or directory","_SYSTEMD_UNIT":"alpha.service","SYSLOG_IDENTIFIER":"alpha"}"#.to_owned(),
        );
        let findings = testing::findings(&plan, &recording);
        assert!(findings[0].evidence[1].text.starts_with("cannot open"));
    }

    #[test]
    fn a_restart_before_the_window_is_no_loop() {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Rebooted);
        guest.set_unit("alpha.service", &[("NRestarts", "3")]);
        assert_eq!(testing::finding_ids(&plan, &recording), [""; 0]);
    }
}
