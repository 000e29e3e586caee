//! The guest must come up, at the first boot and after the reboot.

use crate::fold::{BootRecord, Run, state_after};
use crate::vocabulary::{Check, Finding, Plan, Stage, State, Step, StepOutcome};

use super::signatures::{is_kernel_line, matching};

pub(super) fn check(plan: &Plan, run: &Run) -> Vec<Finding> {
    let boots = run.steps.iter().filter_map(|record| {
        let StepOutcome::GuestFailed {
            stage,
            reason,
            last_line,
        } = record.outcome.as_ref()?
        else {
            return None;
        };
        let state = match record.step {
            Step::Boot | Step::WarmReboot => state_after(plan, record.step)?,
            // Without a baseline the disk is made bootable by a boot of the candidate itself.
            Step::Provision if plan.baseline.is_none() => State::Booted,
            Step::Provision | Step::Switch => return None,
        };
        let summary = format!("the guest did not come up: {}", story(reason, *stage));
        let mut finding = Finding::new(Check::BootFailed, state, record.step.as_str(), summary);
        let boot = record.boot.and_then(|number| run.boot(number));
        if let Some(line) = boot.and_then(telling_line) {
            finding = finding.with_evidence("console", line);
        }
        if let Some(line) = last_line.as_ref().filter(|l| !l.is_empty()) {
            finding = finding.with_evidence("console, last line", line);
        }
        if let Some(exit) = boot.and_then(|b| b.exit.as_ref()) {
            finding = finding.with_evidence("qemu", exit);
        }
        Some(finding)
    });
    boots.collect()
}

/// What ended the wait, and how far the boot got.
fn story(reason: &str, stage: Option<Stage>) -> String {
    match stage {
        Some(stage) => format!("{reason}, after it had reached {}", stage.as_str()),
        None => format!("{reason}, and nothing of a boot was seen"),
    }
}

/// The first line of the console that bears a known signature.
fn telling_line(boot: &BootRecord) -> Option<&str> {
    let mut lines = boot.console.iter().map(String::as_str);
    lines.find(|line| matching(line, is_kernel_line(line)).next().is_some())
}

#[cfg(test)]
mod tests {
    use crate::testing;
    use crate::vocabulary::{Severity, Stage, State, Step, StepOutcome};

    fn panicked() -> StepOutcome {
        StepOutcome::GuestFailed {
            stage: Some(Stage::Kernel),
            reason: "kernel panic".to_owned(),
            last_line: Some("---[ end Kernel panic ]---".to_owned()),
        }
    }

    #[test]
    fn a_reboot_that_panics_is_found_with_its_line() {
        let (plan, mut recording) = testing::healthy_recording();
        recording.fail_step(Step::WarmReboot, panicked());
        recording.guests.remove(&State::Rebooted);
        let panic = "[    1.000000] Kernel panic - not syncing: VFS: Unable to mount root fs";
        recording.console = vec!["[    0.000000] Linux version".to_owned(), panic.to_owned()];
        let findings = testing::findings(&plan, &recording);
        assert_eq!(findings[0].id(), "rebooted/boot-failed/warm-reboot");
        assert_eq!(findings[0].evidence[0].text, panic);
        assert_eq!(
            findings[0].summary,
            "the guest did not come up: kernel panic, after it had reached kernel"
        );
        assert!(findings[0].latent);
    }

    #[test]
    fn a_baseline_that_does_not_boot_is_no_fault_of_the_candidate() {
        let (plan, mut recording) = testing::healthy_recording();
        recording.fail_step(Step::Boot, panicked());
        recording.guests.clear();
        let findings = testing::findings(&plan, &recording);
        assert_eq!(findings[0].id(), "before/boot-failed/boot");
        assert_eq!(findings[0].severity, Severity::Warning);
    }

    #[test]
    fn a_candidate_that_cannot_even_be_provisioned_has_failed() {
        let plan = testing::without_baseline();
        let mut recording = testing::Recording::healthy(&plan);
        recording.steps.insert(0, (Step::Provision, panicked()));
        recording.fail_step(Step::Provision, panicked());
        recording.guests.clear();
        assert_eq!(
            testing::finding_ids(&plan, &recording),
            ["booted/boot-failed/provision"]
        );
    }

    #[test]
    fn a_boot_that_bootproof_could_not_watch_is_not_blamed_on_the_guest() {
        let (plan, mut recording) = testing::healthy_recording();
        let reason = "QEMU could not be started".to_owned();
        recording.fail_step(Step::WarmReboot, StepOutcome::Unobservable { reason });
        assert_eq!(testing::finding_ids(&plan, &recording), [""; 0]);
    }
}
