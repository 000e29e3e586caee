//! Units that are failed, and services that systemd starts again and again.

use super::{Outcome, Scene, names};
use crate::audit::model::{AuditCheck, AuditFinding};
use crate::fold::{ActiveState, Unit};

/// Of a program that the kernel refused (`EXIT_EXEC`, systemd.exec(5)).
const EXIT_EXEC: i64 = 203;
/// A service that was restarted so often is told, whether or not it is in a loop now.
const MANY_RESTARTS: u64 = 10;

pub(super) fn rule(scene: &Scene, outcome: &mut Outcome) {
    let first = scene.machine.units_first.as_ref();
    let last = scene.machine.units_last.as_ref().or(first);
    let (mut failed, mut looping) = (Vec::new(), Vec::new());
    for (name, unit) in last.into_iter().flatten() {
        let before = first.and_then(|units| units.get(name));
        if unit.active_state == ActiveState::Failed {
            failed.push(of_failed(unit));
        } else if loops(before, unit) {
            let finding = of_looping(unit);
            // Some services are meant to end and to be started again.
            match ends_badly(before, unit) {
                true => looping.push(finding),
                false => outcome.findings.push(finding.into_warning()),
            }
        } else if unit.awaits_restart() {
            let summary = format!("waits to be started again{}", refused(unit));
            let finding = AuditFinding::new(AuditCheck::RestartLoop, name, summary);
            outcome.findings.push(shown(finding, unit).into_warning());
        } else if let Some(restarts) = unit.restarts.filter(|restarts| *restarts >= MANY_RESTARTS) {
            let summary = format!("was restarted {restarts} times since it was started, and runs");
            let finding = AuditFinding::new(AuditCheck::RestartLoop, name, summary);
            outcome.findings.push(finding.into_warning());
        }
    }
    for (findings, what) in [(looping, "restarted again and again"), (failed, "failed")] {
        if findings.is_empty() {
            continue;
        }
        let subjects: Vec<&str> = findings.iter().map(|f| f.subject.as_str()).collect();
        let are = if subjects.len() == 1 { "is" } else { "are" };
        let headline = format!("{} {are} {what} now", names(&subjects));
        let advice = format!("read `journalctl --unit {}`", subjects[0]);
        outcome.cause(headline, &advice, findings);
    }
}

/// Between two looks it was restarted, or it waits to be, and was before.
fn loops(before: Option<&Unit>, unit: &Unit) -> bool {
    let earlier = before.and_then(|unit| unit.restarts);
    let grew = earlier.zip(unit.restarts).is_some_and(|(a, b)| b > a);
    let waits = unit.awaits_restart() || before.is_some_and(Unit::awaits_restart);
    grew || (waits && unit.restarts.is_some_and(|restarts| restarts > 0))
}

/// At one of two looks its last end was a failure; while it runs nothing is known of it.
fn ends_badly(before: Option<&Unit>, unit: &Unit) -> bool {
    let failed = |unit: &Unit| {
        unit.exec_main_status.is_some_and(|status| status != 0)
            || !["", "success"].contains(&unit.result.as_str())
    };
    failed(unit) || before.is_some_and(failed)
}

fn of_failed(unit: &Unit) -> AuditFinding {
    let result = match unit.result.as_str() {
        "" => String::new(),
        result => format!(": {result}"),
    };
    let finding = AuditFinding::new(
        AuditCheck::UnitFailed,
        &unit.id,
        format!("is in the state `failed`{result}{}", refused(unit)),
    );
    shown(finding, unit)
}

fn of_looping(unit: &Unit) -> AuditFinding {
    let times = match unit.restarts {
        Some(restarts) => format!(" ({restarts} times by now)"),
        None => String::new(),
    };
    let summary = format!("is restarted again and again{times}{}", refused(unit));
    shown(
        AuditFinding::new(AuditCheck::RestartLoop, &unit.id, summary),
        unit,
    )
}

fn refused(unit: &Unit) -> &'static str {
    match unit.exec_main_status {
        Some(EXIT_EXEC) => ": the kernel refused its program (203/EXEC)",
        _ => "",
    }
}

fn shown(finding: AuditFinding, unit: &Unit) -> AuditFinding {
    let number = |n: Option<i64>| n.map_or("-".to_owned(), |n| n.to_string());
    let text = format!(
        "SubState={} Result={} ExecMainStatus={}",
        unit.sub_state,
        unit.result,
        number(unit.exec_main_status)
    );
    finding.with_evidence("systemctl show", text)
}
