//! No service may be restarted again and again.
//!
//! `Restart=on-failure` with a `RestartSec=` that never meets the start limit looks healthy in one sample; two samples of
//! `NRestarts` tell.

use std::collections::BTreeMap;

use crate::fold::{StateRecord, Unit};
use crate::vocabulary::{Check, Finding};

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
    let finding = Finding::new(Check::RestartLoop, scene.state, id, summary)
        .with_evidence("systemctl show", shown);
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
    fn a_restart_before_the_window_is_no_loop() {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Rebooted);
        guest.set_unit("alpha.service", &[("NRestarts", "3")]);
        assert_eq!(testing::finding_ids(&plan, &recording), [""; 0]);
    }
}
