//! What the boot target wants must be active.
//!
//! The units are those that `default.target` reaches over `Wants=`, `Upholds=`, `Requires=` and `BindsTo=`. Left out is
//! what another check tells, and what is inactive by design: a condition that did not hold, a oneshot that is done, a
//! service that its socket or timer starts. A wanted unit that does not exist is no fault to systemd, and none here.

use std::collections::{BTreeMap, BTreeSet};

use crate::fold::{ActiveState, Unit};
use crate::vocabulary::{Check, Finding};

use super::boot_failed::MAINTENANCE;
use super::{Scene, is_looping, lacks};

/// `si_code` of a process that ended by itself (`CLD_EXITED`, waitid(2)).
const EXITED: i64 = 1;

pub(super) fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let Some(units) = scene.record.units() else {
        return Vec::new();
    };
    // Nothing is started in emergency and rescue mode, which is told as such.
    if scene.record.system_state.as_deref() == Some(MAINTENANCE) {
        return Vec::new();
    }
    wanted(units)
        .into_iter()
        .filter_map(|id| units.get(id))
        .filter(|unit| unit.load_state == "loaded" && !is_looping(scene.record, &unit.id))
        .filter_map(|unit| {
            let mut finding = finding(scene, unit)?;
            if let Some(name) = missing_requisite(units, unit) {
                let why = format!(": it needs {name}, which nothing has started");
                finding.summary.push_str(&why);
            }
            Some(lacks::excused(scene, &unit.id, finding))
        })
        .collect()
}

/// The unit that is called `default.target`, or the one that servers have in its place.
fn boot_target(units: &BTreeMap<String, Unit>) -> Option<&Unit> {
    let by_alias = |u: &&Unit| u.names.iter().any(|name| name == "default.target");
    units
        .values()
        .find(by_alias)
        .or_else(|| units.get("default.target"))
        .or_else(|| units.get("multi-user.target"))
}

/// Every unit that the boot target reaches, by its own name; cycles are walked once.
pub fn wanted(units: &BTreeMap<String, Unit>) -> BTreeSet<&str> {
    let aliases: BTreeMap<&str, &str> = units
        .values()
        .flat_map(|u| u.names.iter().map(|name| (name.as_str(), u.id.as_str())))
        .collect();
    let mut reached = BTreeSet::new();
    let mut ahead: Vec<&str> = boot_target(units)
        .map(|u| u.id.as_str())
        .into_iter()
        .collect();
    while let Some(name) = ahead.pop() {
        let id = aliases.get(name).copied().unwrap_or(name);
        if let Some(unit) = units.get(id).filter(|_| reached.insert(id)) {
            ahead.extend(unit.wants.iter().chain(&unit.requires).map(String::as_str));
        }
    }
    reached
}

fn finding(scene: &Scene<'_>, unit: &Unit) -> Option<Finding> {
    let found = |summary: &str| {
        Finding::new(
            Check::UnitInactive,
            scene.state,
            &unit.id,
            format!("{} {summary}", unit.id),
        )
        .with_evidence(
            "systemctl show",
            format!("{} {}", state_text(&unit.active_state), unit.sub_state),
        )
    };
    match unit.active_state {
        ActiveState::Activating if unit.awaits_restart() => {
            Some(found("ended and waits for its automatic restart"))
        }
        ActiveState::Activating => Some(found("is still starting")),
        ActiveState::Deactivating => Some(found("is stopping")),
        ActiveState::Inactive if is_inactive_by_design(unit) => None,
        ActiveState::Inactive if has_ended_well(unit) || is_device_bound(&unit.id) => {
            Some(found("is wanted by the boot target and not active").as_warning())
        }
        ActiveState::Inactive => Some(found("is wanted by the boot target and not active")),
        ActiveState::Active
        | ActiveState::Reloading
        | ActiveState::Failed
        | ActiveState::Other(_) => None,
    }
}

/// What must be up before the unit, and is not: systemd then drops its job (`Requisite=`, systemd.unit(5)). A requisite that failed or
/// loops is told by itself.
fn missing_requisite<'a>(units: &BTreeMap<String, Unit>, unit: &'a Unit) -> Option<&'a str> {
    let is_down = |name: &&String| {
        let required = units.get(*name);
        required.is_none_or(|u| u.active_state == ActiveState::Inactive)
    };
    let mut missing = unit.requisites.iter().filter(is_down);
    missing.next().map(String::as_str)
}

fn is_inactive_by_design(unit: &Unit) -> bool {
    let is_done = unit.service_type == "oneshot"
        && !unit.remain_after_exit
        && unit.result == "success"
        && unit.exec_main_status.unwrap_or(0) == 0;
    unit.condition_held == Some(false)
        || is_done
        || !unit.triggered_by.is_empty()
        || unit.id.ends_with(".device")
}

/// A service that is no oneshot, ran, and ended without an error: many scripts are declared so.
fn has_ended_well(unit: &Unit) -> bool {
    unit.exec_main_code == Some(EXITED)
        && unit.exec_main_status == Some(0)
        && unit.result == "success"
}

/// Had the boot needed it, it would have failed: what is left are optional disks, which the VM may lack.
fn is_device_bound(id: &str) -> bool {
    [".mount", ".swap"]
        .iter()
        .any(|suffix| id.ends_with(suffix))
}

fn state_text(state: &ActiveState) -> &'static str {
    match state {
        ActiveState::Activating => "ActiveState=activating",
        ActiveState::Deactivating => "ActiveState=deactivating",
        _ => "ActiveState=inactive",
    }
}

#[cfg(test)]
mod tests {
    use crate::testing;
    use crate::vocabulary::State;

    fn ids_with(properties: &[(&str, &str)]) -> Vec<String> {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Rebooted);
        guest.set_unit("alpha.service", properties);
        testing::finding_ids(&plan, &recording)
    }

    #[test]
    fn a_wanted_unit_that_is_not_active_is_found() {
        let inactive = [("ActiveState", "inactive"), ("SubState", "dead")];
        let expected = ["rebooted/unit-inactive/alpha.service"];
        assert_eq!(ids_with(&inactive), expected);
        assert_eq!(
            ids_with(&[("ActiveState", "activating"), ("SubState", "start")]),
            expected
        );
    }

    #[test]
    fn the_requisite_that_nothing_started_is_named() {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Rebooted);
        let inactive = [
            ("ActiveState", "inactive"),
            ("Requisite", "beta.service books.service"),
        ];
        guest.set_unit("alpha.service", &inactive);
        let findings = testing::findings(&plan, &recording);
        assert_eq!(
            findings[0].summary,
            "alpha.service is wanted by the boot target and not active: it needs books.service, which nothing has started"
        );
    }

    #[test]
    fn what_is_inactive_by_design_is_silent() {
        let by_design: [&[(&str, &str)]; 4] = [
            &[
                ("ConditionResult", "no"),
                ("ConditionTimestampMonotonic", "9"),
            ],
            &[("Type", "oneshot"), ("ExecMainCode", "1")],
            &[("TriggeredBy", "alpha.socket")],
            &[("LoadState", "not-found")],
        ];
        for properties in by_design {
            let mut all = vec![("ActiveState", "inactive")];
            all.extend(properties);
            assert_eq!(ids_with(&all), [""; 0], "{properties:?}");
        }
    }

    #[test]
    fn a_unit_that_nothing_wants_is_silent_and_cycles_end() {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Rebooted);
        guest.set_unit("stray.service", &[("ActiveState", "inactive")]);
        guest.set_unit(
            "alpha.service",
            &[("Wants", "multi-user.target alpha.service")],
        );
        assert_eq!(testing::finding_ids(&plan, &recording), [""; 0]);
    }

    #[test]
    fn the_boot_target_is_found_by_its_alias() {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Rebooted);
        guest.set_unit("multi-user.target", &[("Names", "multi-user.target")]);
        guest.set_unit(
            "web.target",
            &[
                ("Names", "web.target default.target"),
                ("Wants", "job.service"),
            ],
        );
        guest.set_unit("job.service", &[("ActiveState", "inactive")]);
        assert_eq!(
            testing::finding_ids(&plan, &recording),
            ["rebooted/unit-inactive/job.service"]
        );
    }
}
