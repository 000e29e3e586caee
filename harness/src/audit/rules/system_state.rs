//! What systemd says of itself.

use super::{Outcome, Scene};
use crate::audit::model::{AuditCheck, AuditFinding};
use crate::fold::ActiveState;

pub(super) fn rule(scene: &Scene, outcome: &mut Outcome) {
    let Some(state) = scene.machine.system_state.as_deref() else {
        return;
    };
    let finding = |summary: String| AuditFinding::new(AuditCheck::SystemState, "systemd", summary);
    match state {
        "running" => {}
        "degraded" => {
            let mut units = scene.machine.units_first.iter().flat_map(|u| u.values());
            // Where a unit is failed it is told by its name.
            if !units.any(|unit| unit.active_state == ActiveState::Failed) {
                let summary = "is degraded, and no unit is failed any more".to_owned();
                outcome.findings.push(finding(summary).into_warning());
            }
        }
        "maintenance" => {
            let headline = "the machine is in rescue or emergency mode".to_owned();
            let advice = "read `journalctl --boot` for what ended the start";
            let findings = vec![finding(format!("is in the state `{state}`"))];
            outcome.cause(headline, advice, findings);
        }
        other => {
            let reason = format!("it is in the state `{other}`: ask again when it is up");
            outcome.unproven("system-state", &reason, true);
        }
    }
}
