//! systemd must have finished starting, and must not call itself anything but `running` or `degraded`.
//!
//! `running` proves little: in the outage systemd said so while three services died in a loop.

use crate::fold::ActiveState;
use crate::vocabulary::{Check, Finding, State};

use super::boot_failed::MAINTENANCE;
use super::{Scene, lacks};

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
        // After a boot that is `boot_failed`'s.
        MAINTENANCE if scene.state != State::Switched => return Vec::new(),
        MAINTENANCE => "systemd is in rescue or emergency mode",
        "stopping" => "systemd is shutting down",
        _ => "systemd is not running",
    };
    let mut finding = Finding::new(Check::SystemState, scene.state, "systemd", summary)
        .with_evidence("systemctl is-system-running", word);
    // What the others wait for says most.
    let runs = |job: &&String| job.ends_with(" running");
    let (running, waiting): (Vec<_>, Vec<_>) = scene.record.jobs.iter().partition(runs);
    for job in running.into_iter().chain(waiting).take(JOBS_SHOWN) {
        finding = finding.with_evidence("systemctl list-jobs", job.as_str());
    }
    if let Some(reason) = waits_for_what_the_vm_lacks(scene) {
        finding = lacks::with_reason(finding, reason);
    }
    vec![finding]
}

/// The reason where every job that runs is of a unit that is excused; the jobs that wait, wait for those.
fn waits_for_what_the_vm_lacks(scene: &Scene<'_>) -> Option<&'static str> {
    let mut found = None;
    for (unit, _) in scene.record.queue().filter(|(_, is)| *is == "running") {
        found = Some(lacks::excuse(scene, unit)?);
    }
    found
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
    use crate::vocabulary::{Severity, State};

    #[test]
    fn a_start_that_does_not_end_is_found_with_its_jobs() {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Rebooted);
        guest.system_state = "starting".to_owned();
        guest.jobs =
            "90 multi-user.target start waiting\n112 slow.service start running\n".to_owned();
        let findings = testing::findings(&plan, &recording);
        assert_eq!(findings[0].id(), "rebooted/system-state/systemd");
        assert_eq!(
            findings[0].evidence[1].text,
            "112 slow.service start running"
        );
    }

    #[test]
    fn a_start_that_waits_for_what_the_vm_lacks_is_only_told() {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Rebooted);
        guest.system_state = "starting".to_owned();
        guest.jobs = "112 amazon-init.service start running\n\
                      90 multi-user.target start waiting\n"
            .to_owned();
        let findings = testing::findings(&plan, &recording);
        assert_eq!(findings[0].severity, Severity::Warning);
        let guest = recording.guest(State::Rebooted);
        guest.jobs.push_str("113 slow.service start running\n");
        let findings = testing::findings(&plan, &recording);
        assert_eq!(findings[0].severity, Severity::Error);
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
