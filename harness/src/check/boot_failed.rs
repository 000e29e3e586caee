//! The guest must come up, at the first boot and after the reboot, and not in emergency or rescue mode, where a root shell may answer.

use std::collections::BTreeMap;

use crate::fold::{ActiveState, Run, StateRecord, state_after};
use crate::vocabulary::{Check, Finding, Plan, Stage, State, Step, StepOutcome};

use super::signatures::telling_line;

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
            // Without a baseline the disk is made bootable by a boot of the candidate itself.
            Step::Provision if plan.baseline.is_none() => State::Booted,
            Step::Provision | Step::Switch => return None,
            step => state_after(plan, step)?,
        };
        let boot = record.boot.and_then(|number| run.boot(number));
        let who = who(record.chosen.as_deref());
        let summary = format!("{who} did not come up: {}", story(reason, *stage));
        let mut finding = Finding::new(Check::BootFailed, state, record.step.as_str(), summary);
        let console = boot.map_or(&[][..], |boot| &boot.console);
        let line = telling_line(console)
            .or_else(|| first_failure(console).filter(|_| is_maintenance(reason)));
        if let Some(line) = line {
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
    boots.chain(in_maintenance(plan, run)).collect()
}

/// Whether the boot ended where systemd goes when something that it needs has failed.
fn is_maintenance(reason: &str) -> bool {
    ["emergency mode", "rescue mode"].contains(&reason)
}

/// What systemd says first of what failed, or was waited for in vain (`src/core/job.c`).
fn first_failure(console: &[String]) -> Option<&str> {
    let mut lines = console.iter().map(|line| line.trim_start());
    lines.find(|line| {
        ["[FAILED] ", "[ TIME ] "]
            .iter()
            .any(|start| line.starts_with(start))
    })
}

/// The word of systemctl(1), `is-system-running`, for emergency and rescue mode.
pub(super) const MAINTENANCE: &str = "maintenance";
/// How many failed units a summary names.
const UNITS_NAMED: usize = 3;

/// Boots whose root shell greeted before they ended in emergency or rescue mode.
fn in_maintenance(plan: &Plan, run: &Run) -> impl Iterator<Item = Finding> {
    // Several cycles come to one state by one step.
    let mut reached: BTreeMap<State, Step> = BTreeMap::new();
    for record in &run.steps {
        let is_boot =
            record.step == Step::Boot || record.step.is_reboot() || record.step.cuts_power();
        let is_done = record.outcome == Some(StepOutcome::Done);
        if let Some(state) = state_after(plan, record.step).filter(|_| is_boot && is_done) {
            reached.entry(state).or_insert(record.step);
        }
    }
    run.looks().into_iter().filter_map(move |(state, record)| {
        let step = reached.get(&state)?;
        if record.system_state.as_deref() != Some(MAINTENANCE) {
            return None;
        }
        let stages = record.boot.and_then(|number| run.boot(number));
        let stage = stages.and_then(|boot| boot.stages.iter().map(|(stage, _)| *stage).max());
        let units = record.units().into_iter().flat_map(|units| units.values());
        let failed: Vec<&str> = units
            .filter(|unit| unit.active_state == ActiveState::Failed)
            .map(|unit| unit.id.as_str())
            .take(UNITS_NAMED)
            .collect();
        let mode = mode_of(record);
        let reason = match failed.as_slice() {
            [] => mode.to_owned(),
            units => format!("{mode}, because {} failed", units.join(", ")),
        };
        let chosen = record.occasion.as_deref();
        let who = who(chosen.filter(|_| state == State::Specialised));
        let summary = format!("{who} did not come up: {}", story(&reason, stage));
        Some(
            Finding::new(Check::BootFailed, state, step.as_str(), summary)
                .with_evidence("systemctl is-system-running", MAINTENANCE),
        )
    })
}

/// Which of the two modes it is, as far as its target tells.
fn mode_of(record: &StateRecord) -> &'static str {
    let is_active = |name: &str| {
        let unit = record.units().and_then(|units| units.get(name));
        unit.is_some_and(|unit| unit.active_state == ActiveState::Active)
    };
    if is_active("emergency.target") {
        "emergency mode"
    } else if is_active("rescue.target") {
        "rescue mode"
    } else {
        "emergency mode or rescue mode"
    }
}

/// Of a specialisation its name.
fn who(specialisation: Option<&str>) -> String {
    specialisation.map_or_else(
        || "the guest".to_owned(),
        |name| format!("the specialisation `{name}`"),
    )
}

/// What ended the wait, and how far the boot got.
fn story(reason: &str, stage: Option<Stage>) -> String {
    match stage {
        Some(stage) => format!("{reason}, after it had reached {}", stage.as_str()),
        None => format!("{reason}, and nothing of a boot was seen"),
    }
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
    fn an_emergency_is_found_with_the_line_of_what_failed() {
        let (plan, mut recording) = testing::healthy_recording();
        let reason = "emergency mode".to_owned();
        let emergency = StepOutcome::GuestFailed {
            stage: Some(Stage::Initrd),
            reason,
            last_line: Some("to boot into default mode.".to_owned()),
        };
        recording.fail_step(Step::WarmReboot, emergency);
        recording.guests.remove(&State::Rebooted);
        let failed = "[FAILED] Failed to start unlock-data.service - Unlock the data.";
        recording.console = vec![
            "[  OK  ] Reached target Swaps.".to_owned(),
            failed.to_owned(),
        ];
        let findings = testing::findings(&plan, &recording);
        assert_eq!(findings[0].evidence[0].text, failed);
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

    #[test]
    fn a_boot_that_ends_in_emergency_mode_did_not_come_up_although_its_shell_answers() {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Rebooted);
        guest.system_state = "maintenance".to_owned();
        guest.set_unit("emergency.target", &[("ActiveState", "active")]);
        guest.set_unit(
            "srv.mount",
            &[("ActiveState", "failed"), ("Result", "exit-code")],
        );
        guest.set_unit("alpha.service", &[("ActiveState", "inactive")]);
        let findings = testing::findings(&plan, &recording);
        let ids: Vec<String> = findings.iter().map(|f| f.id()).collect();
        assert_eq!(
            ids,
            [
                "rebooted/boot-failed/warm-reboot",
                "rebooted/unit-failed/srv.mount"
            ]
        );
        assert!(
            findings[0]
                .summary
                .contains("emergency mode, because srv.mount failed")
        );
    }

    #[test]
    fn a_switch_into_emergency_mode_is_no_boot_that_failed() {
        let (plan, mut recording) = testing::healthy_recording();
        recording.guest(State::Switched).system_state = "maintenance".to_owned();
        assert_eq!(
            testing::finding_ids(&plan, &recording),
            ["switched/system-state/systemd"]
        );
    }
}
