//! systemd must have finished starting, and must not call itself anything but `running` or `degraded`.
//!
//! `running` proves little: in the outage systemd said so while three services died in a loop.

use crate::fold::ActiveState;
use crate::vocabulary::{Check, Finding};

use super::Scene;

/// Enough of the queue to see what a start waits for.
const JOBS_SHOWN: usize = 5;

pub(super) fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let Some(word) = scene.record.system_state.as_deref() else {
        return Vec::new();
    };
    let summary = match word {
        "running" => return Vec::new(),
        "degraded" if has_failed_unit(scene) => return Vec::new(),
        "degraded" => "systemd is degraded, and no failed unit that was seen explains it",
        "initializing" | "starting" => "systemd has not finished starting",
        "maintenance" => "systemd is in rescue or emergency mode",
        "stopping" => "systemd is shutting down",
        _ => "systemd is not running",
    };
    let mut finding = Finding::new(Check::SystemState, scene.state, "systemd", summary)
        .with_evidence("systemctl is-system-running", word);
    for job in scene.record.jobs.iter().take(JOBS_SHOWN) {
        finding = finding.with_evidence("systemctl list-jobs", job.as_str());
    }
    vec![finding]
}

fn has_failed_unit(scene: &Scene<'_>) -> bool {
    let samples = [&scene.record.units_first, &scene.record.units_last];
    samples
        .into_iter()
        .flatten()
        .flat_map(|units| units.values())
        .any(|unit| unit.active_state == ActiveState::Failed)
}

#[cfg(test)]
mod tests {
    use crate::testing;
    use crate::vocabulary::State;

    #[test]
    fn a_start_that_does_not_end_is_found_with_its_jobs() {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Rebooted);
        guest.system_state = "starting".to_owned();
        guest.jobs = "112 slow.service start running\n".to_owned();
        let findings = testing::findings(&plan, &recording);
        assert_eq!(findings[0].id(), "rebooted/system-state/systemd");
        assert_eq!(
            findings[0].evidence[1].text,
            "112 slow.service start running"
        );
    }

    #[test]
    fn degraded_is_told_by_the_unit_that_failed() {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Rebooted);
        guest.system_state = "degraded".to_owned();
        guest.set_unit("alpha.service", &[("ActiveState", "failed")]);
        assert_eq!(
            testing::finding_ids(&plan, &recording),
            ["rebooted/unit-failed/alpha.service"]
        );
    }
}
