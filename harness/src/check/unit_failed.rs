//! No unit may be in the state `failed`.

use crate::fold::{ActiveState, Unit};
use crate::vocabulary::{Check, Finding};

use super::Scene;

/// Messages of this priority or more urgent ones are worth quoting: warning, as in syslog(3).
const WORTH_QUOTING: u8 = 4;
const MESSAGES_SHOWN: usize = 2;

pub(super) fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let units = scene.record.units().into_iter().flat_map(|u| u.values());
    units
        .filter(|unit| unit.active_state == ActiveState::Failed)
        .map(|unit| finding(scene, unit))
        .collect()
}

fn finding(scene: &Scene<'_>, unit: &Unit) -> Finding {
    let how = match unit.result.as_str() {
        "" | "success" => String::new(),
        result => format!(" ({result})"),
    };
    let mut shown = format!("ActiveState=failed Result={}", unit.result);
    if let Some(status) = unit.exec_main_status.filter(|s| *s != 0) {
        shown.push_str(&format!(" ExecMainStatus={status}"));
    }
    let summary = format!("{} failed{how}", unit.id);
    let finding = Finding::new(Check::UnitFailed, scene.state, &unit.id, summary)
        .with_evidence("systemctl show", shown);
    scene
        .record
        .messages_of(&unit.id)
        .filter(|e| e.priority.is_some_and(|p| p <= WORTH_QUOTING) && !e.message.is_empty())
        .take(MESSAGES_SHOWN)
        .fold(finding, |f, e| f.with_evidence("journal", &e.message))
}

#[cfg(test)]
mod tests {
    use crate::testing;
    use crate::vocabulary::State;

    #[test]
    fn a_failed_unit_is_found_with_its_message() {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Switched);
        guest.set_unit(
            "alpha.service",
            &[("ActiveState", "failed"), ("Result", "exit-code")],
        );
        guest.log_unit("alpha.service", "cannot bind: address in use");
        let findings = testing::findings(&plan, &recording);
        assert_eq!(findings[0].id(), "switched/unit-failed/alpha.service");
        assert_eq!(findings[0].summary, "alpha.service failed (exit-code)");
        assert_eq!(findings[0].evidence[1].text, "cannot bind: address in use");
    }

    #[test]
    fn a_unit_that_complains_and_runs_is_silent() {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Switched);
        guest.log_unit("alpha.service", "cannot resolve a name, trying again");
        assert_eq!(testing::finding_ids(&plan, &recording), [""; 0]);
    }
}
