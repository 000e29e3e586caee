//! Every executable that a unit names must be one that the kernel runs.
//!
//! systemd says so in three lines (`src/core/exec-invoke.c`, `src/core/service.c`) and in the exit status 203 (`EXIT_EXEC`,
//! systemd.exec(5)). The best line is quoted: status and sub-state change between two restarts, the journal does not.

use std::collections::BTreeMap;

use crate::fold::{ActiveState, JournalEntry};
use crate::vocabulary::{Check, Finding, System};

use super::{Scene, is_looping, kernel_runs};

const EXIT_EXEC: i64 = 203;

pub(super) fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let mut refused: BTreeMap<String, Option<&str>> = BTreeMap::new();
    for (unit, (_, message)) in lines(scene) {
        refused.insert(unit, Some(message));
    }
    let samples = [&scene.record.units_first, &scene.record.units_last];
    for unit in samples.into_iter().flatten().flat_map(|u| u.values()) {
        if unit.exec_main_status == Some(EXIT_EXEC) {
            refused.entry(unit.id.clone()).or_insert(None);
        }
    }
    refused
        .into_iter()
        .map(|(unit, message)| finding(scene, &unit, message))
        .collect()
}

/// The most telling line of each unit, with its rank; of several such, the first.
fn lines<'a>(scene: &Scene<'a>) -> BTreeMap<String, (u8, &'a str)> {
    let mut best: BTreeMap<String, (u8, &str)> = BTreeMap::new();
    for entry in scene.record.journal.iter().flatten() {
        let (Some(rank), Some(subject)) = (rank(&entry.message), subject(entry)) else {
            continue;
        };
        let line = (rank, entry.message.as_str());
        best.entry(subject)
            .and_modify(|kept| {
                if rank < kept.0 {
                    *kept = line;
                }
            })
            .or_insert(line);
    }
    best
}

/// How telling a line is; the lower the better.
fn rank(message: &str) -> Option<u8> {
    if message.contains("Failed to execute ") {
        message.contains(": ").then_some(0)
    } else if message.contains("Failed at step EXEC spawning") {
        Some(1)
    } else if message.contains("Exec format error") {
        Some(2)
    } else if message.contains("status=203/EXEC") {
        Some(3)
    } else {
        None
    }
}

fn subject(entry: &JournalEntry) -> Option<String> {
    // The kernel and user sessions speak of no unit of the system.
    (!entry.from_kernel)
        .then(|| entry.unit.clone().or_else(|| entry.identifier.clone()))
        .flatten()
}

fn finding(scene: &Scene<'_>, unit: &str, message: Option<&str>) -> Finding {
    let reason = message
        .filter(|m| rank(m).is_some_and(|rank| rank < 3))
        .and_then(|m| m.rsplit_once(": "))
        .map_or("203/EXEC", |(_, reason)| reason);
    let summary = format!("the executable of {unit} could not be started: {reason}");
    let mut finding = Finding::new(Check::ExecFailed, scene.state, unit, summary);
    finding = match message {
        Some(message) => finding.with_evidence("journal", message),
        None => finding.with_evidence("systemctl show", "ExecMainStatus=203"),
    };
    if let Some(mismatch) = mismatch(scene, unit) {
        finding = finding.with_evidence("closure", mismatch);
    }
    if has_recovered(scene, unit) {
        finding.summary.push_str(", and it runs since");
        finding = finding.as_warning();
    }
    finding
}

/// Says that the kernel cannot run the unit's executable, where the files of the closure and the guest's kernel agree on it.
fn mismatch(scene: &Scene<'_>, unit: &str) -> Option<String> {
    let executables = &scene.closure().unit_executables;
    let class = *executables.get(unit).or_else(|| {
        let (name, instance) = unit.split_once('@')?;
        let (_, kind) = instance.rsplit_once('.')?;
        executables.get(&format!("{name}@.{kind}"))
    })?;
    let machine = scene.record.identity.as_ref()?.machine.as_deref()?;
    let kernel = System::of_uname_machine(machine);
    (kernel_runs(&kernel, class) == Some(false)).then(|| {
        format!("the executable of {unit} is of class {class}; the running kernel is {kernel}")
    })
}

/// An early failure of a unit that runs and stays up has no consequence now.
fn has_recovered(scene: &Scene<'_>, id: &str) -> bool {
    let unit = scene.record.units().and_then(|units| units.get(id));
    unit.is_some_and(|unit| {
        unit.active_state == ActiveState::Active
            && unit.exec_main_status != Some(EXIT_EXEC)
            && unit.sub_state == "running"
            && !is_looping(scene.record, id)
    })
}

#[cfg(test)]
mod tests {
    use crate::testing;
    use crate::vocabulary::{Severity, State};

    #[test]
    fn the_line_that_names_executable_and_error_is_quoted_first() {
        let (plan, recording) = testing::outage_recording();
        let findings = testing::findings(&plan, &recording);
        let alpha = findings
            .iter()
            .find(|f| f.id() == "rebooted/exec-failed/alpha.service")
            .unwrap();
        assert_eq!(
            alpha.summary,
            "the executable of alpha.service could not be started: Exec format error"
        );
        assert!(
            alpha.evidence[0]
                .text
                .starts_with("alpha.service: Failed to execute /nix/store/")
        );
        assert_eq!(
            alpha.evidence[1].text,
            "the executable of alpha.service is of class x86_64; the running kernel is i686-linux"
        );
    }

    #[test]
    fn the_exit_status_tells_where_the_journal_does_not() {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Switched);
        guest.set_unit(
            "alpha.service",
            &[("ActiveState", "failed"), ("ExecMainStatus", "203")],
        );
        assert_eq!(
            testing::finding_ids(&plan, &recording),
            [
                "switched/unit-failed/alpha.service",
                "switched/exec-failed/alpha.service"
            ]
        );
    }

    #[test]
    fn a_unit_that_runs_since_is_only_told() {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Switched);
        guest.log_unit(
            "alpha.service",
            "alpha.service: Failed at step EXEC spawning /x: No such file or directory",
        );
        let findings = testing::findings(&plan, &recording);
        assert_eq!(findings[0].severity, Severity::Warning);
    }

    #[test]
    fn other_exit_statuses_are_silent() {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Switched);
        guest.log_unit(
            "alpha.service",
            "alpha.service: Main process exited, code=exited, status=1/FAILURE",
        );
        assert_eq!(testing::finding_ids(&plan, &recording), [""; 0]);
    }
}
