//! No unit may be in the state `failed`.

use crate::fold::{ActiveState, Unit};
use crate::vocabulary::{Check, Finding};

use super::last_words::last_words;
use super::{Scene, lacks};

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
    let mut summary = format!("{} failed{how}", unit.id);
    if gave_up(scene, unit) {
        summary.push_str(", and systemd gave up restarting it");
    }
    let mut finding = Finding::new(Check::UnitFailed, scene.state, &unit.id, summary)
        .with_evidence("systemctl show", shown);
    for message in last_words(scene.record, &unit.id) {
        finding = finding.with_evidence("journal", message);
    }
    lacks::excused(scene, &unit.id, finding)
}

/// `src/core/service.c` and `src/core/unit.c` of systemd say so in words; the result may still be that of the last attempt.
fn gave_up(scene: &Scene<'_>, unit: &Unit) -> bool {
    let mut messages = scene.record.messages_of(&unit.id);
    unit.result == "start-limit-hit"
        || messages.any(|e| e.message.contains("Start request repeated too quickly"))
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
    fn what_the_unit_itself_said_last_is_quoted_before_what_systemd_says() {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Switched);
        guest.set_unit("alpha.service", &[("ActiveState", "failed")]);
        guest.journal.push(
            r#"{"MESSAGE":"alpha.service: Failed with result","UNIT":"alpha.service","PRIORITY":"4","SYSLOG_IDENTIFIER":"systemd"}"#.to_owned(),
        );
        let evidence = |recording: &testing::Recording| {
            let findings = testing::findings(&plan, recording);
            findings[0].evidence[1].text.clone()
        };
        assert_eq!(evidence(&recording), "alpha.service: Failed with result");
        recording.guest(State::Switched).journal.insert(
            0,
            r#"{"MESSAGE":"no such user","_SYSTEMD_UNIT":"alpha.service","PRIORITY":"6","SYSLOG_IDENTIFIER":"alpha"}"#.to_owned(),
        );
        assert_eq!(evidence(&recording), "no such user");
    }

    #[test]
    fn a_unit_that_complains_and_runs_is_silent() {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Switched);
        guest.log_unit("alpha.service", "cannot resolve a name, trying again");
        assert_eq!(testing::finding_ids(&plan, &recording), [""; 0]);
    }
}
