//! What ran before the reboot must run after it.
//!
//! A service that somebody started by hand, or that the old system wanted and the new one only has, survives the switch, and
//! nothing starts it at the next boot. Left out is what the boot wants (`unit_inactive` tells of that) and all that comes and goes by
//! itself: what a socket, a timer, a path, D-Bus, a device or another unit starts, oneshots, instances of templates and transient units.

use std::collections::{BTreeMap, BTreeSet};

use crate::fold::{ActiveState, JournalEntry, StateRecord, Unit, dump_subject};
use crate::vocabulary::{Check, Dump, Finding, State};

use super::{Scene, is_looping, wanted};

type Units = BTreeMap<String, Unit>;

pub(super) fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let (Some(earlier), Some(now)) = (earlier(scene), scene.record.units()) else {
        return Vec::new();
    };
    let Some(then) = earlier.units_last.as_ref() else {
        return Vec::new();
    };
    // The baseline, to which a rollback leads, starts what it starts, and so does a specialisation.
    let is_of_the_candidate = !matches!(scene.state, State::RolledBack | State::Specialised);
    if !(scene.state.is_after_a_reboot() && is_of_the_candidate) || is_cut(scene) {
        return Vec::new();
    }
    let started_by_others: BTreeSet<&str> =
        [then, now].into_iter().flat_map(named_by_others).collect();
    let wanted = wanted(now);
    then.values()
        .filter(|unit| is_a_plain_running_service(unit) && !is_looping(earlier, &unit.id))
        .filter(|unit| is_down(now, &unit.id) && !wanted.contains(unit.id.as_str()))
        .filter(|unit| !started_by_others.contains(unit.id.as_str()))
        .filter(|unit| !is_started_by_bus(scene, &unit.id))
        .map(|unit| finding(scene, unit))
        .collect()
}

/// The state that the machine was rebooted from; each of several ways side by side went on from the switch.
fn earlier<'a>(scene: &Scene<'a>) -> Option<&'a StateRecord> {
    if scene.plan.way_of(scene.record.boot.unwrap_or_default()) > 0 {
        return scene.run.states.get(&State::Switched);
    }
    let before = scene.run.states.range(..scene.state);
    before
        .filter(|(state, _)| **state != State::Inspected)
        .map(|(_, record)| record)
        .next_back()
}

/// A list of units that lacks its end does not say that a unit is not there.
fn is_cut(scene: &Scene<'_>) -> bool {
    let subject = dump_subject(Dump::UnitsLast);
    let mut gaps = scene.run.unproven.iter();
    gaps.any(|gap| gap.state == Some(scene.state) && gap.subject == subject)
}

fn is_a_plain_running_service(unit: &Unit) -> bool {
    unit.id.ends_with(".service")
        && !unit.id.contains('@')
        && unit.load_state == "loaded"
        && unit.active_state == ActiveState::Active
        && unit.sub_state == "running"
        && unit.transient == Some(false)
        && !matches!(unit.service_type.as_str(), "oneshot" | "dbus" | "")
        && unit.bus_name.is_empty()
        && unit.triggered_by.is_empty()
        && !unit.names.iter().any(|name| name.starts_with("dbus-"))
}

/// A unit that nothing refers to is not even loaded. One that failed, or whose condition did not hold, was started.
fn is_down(now: &Units, id: &str) -> bool {
    now.get(id).is_none_or(|unit| {
        unit.active_state == ActiveState::Inactive
            && unit.condition_held != Some(false)
            && unit.exec_main_code.unwrap_or(0) == 0
    })
}

/// Every unit that another one starts: devices name services too, which udev then starts.
fn named_by_others(units: &Units) -> impl Iterator<Item = &str> {
    units.values().flat_map(|unit| {
        let all = unit
            .wants
            .iter()
            .chain(&unit.requires)
            .chain(&unit.starts_at_end);
        all.map(String::as_str).filter(|name| *name != unit.id)
    })
}

/// Whether the bus says that it asked for the unit (`Activating via systemd: service name='…' unit='…'`, dbus-daemon's
/// `bus/activation.c`; dbus-broker's launcher names the unit alike).
fn is_started_by_bus(scene: &Scene<'_>, id: &str) -> bool {
    let is_of_bus = |entry: &&JournalEntry| {
        let name = entry.identifier.as_deref().unwrap_or_default();
        name.starts_with("dbus")
    };
    let quoted = format!("'{id}'");
    let states = scene.run.states.range(..scene.state);
    let mut lines = states.flat_map(|(_, record)| record.journal.iter().flatten());
    lines.any(|entry| is_of_bus(&entry) && entry.message.contains(&quoted))
}

fn finding(scene: &Scene<'_>, unit: &Unit) -> Finding {
    let was_wanted = scene
        .run
        .states
        .get(&State::Before)
        .and_then(StateRecord::units);
    let why = match was_wanted.map(|units| wanted(units).contains(unit.id.as_str())) {
        Some(true) => "the old system wants it and the new one does not",
        _ => "somebody started it by hand, or a program did, and nothing wants it",
    };
    let summary = format!(
        "{} runs until the reboot, and nothing starts it afterwards: {why}",
        unit.id
    );
    Finding::new(Check::UnitLost, scene.state, &unit.id, summary).with_evidence(
        "systemctl show",
        "before the reboot ActiveState=active SubState=running, after it not started",
    )
}

#[cfg(test)]
mod tests {
    use crate::testing::{self, Recording};
    use crate::vocabulary::State;

    const RUNS: [(&str, &str); 3] = [("Type", "simple"), ("Transient", "no"), ("BusName", "")];

    fn lost(change: impl Fn(&mut Recording)) -> Vec<String> {
        let (plan, mut recording) = testing::healthy_recording();
        recording
            .guest(State::Switched)
            .set_unit("ledger.service", &RUNS);
        change(&mut recording);
        testing::finding_ids(&plan, &recording)
    }

    #[test]
    fn a_service_that_nothing_starts_again_is_found() {
        let expected = ["rebooted/unit-lost/ledger.service"];
        assert_eq!(lost(|_| {}), expected);
        // Loaded or not: systemd forgets what nothing refers to.
        let inactive = |recording: &mut Recording| {
            let guest = recording.guest(State::Rebooted);
            guest.set_unit("ledger.service", &[("ActiveState", "inactive")]);
        };
        assert_eq!(lost(inactive), expected);
    }

    #[test]
    fn it_says_whether_the_old_system_wanted_it() {
        let (plan, mut recording) = testing::healthy_recording();
        recording
            .guest(State::Switched)
            .set_unit("ledger.service", &RUNS);
        let summary =
            |recording: &Recording| testing::findings(&plan, recording)[0].summary.clone();
        assert!(summary(&recording).contains("by hand"));
        let guest = recording.guest(State::Before);
        guest.set_unit("ledger.service", &RUNS);
        guest.set_unit("multi-user.target", &[("Wants", "ledger.service")]);
        assert!(summary(&recording).contains("the old system wants it"));
    }

    #[test]
    fn what_comes_and_goes_by_itself_is_silent() {
        let of_its_kind: [&[(&str, &str)]; 6] = [
            &[("Type", "oneshot"), ("SubState", "exited")],
            &[("Type", "dbus"), ("BusName", "org.example.Ledger")],
            &[("TriggeredBy", "ledger.socket")],
            &[("Transient", "yes")],
            &[("Names", "dbus-org.example.service ledger.service")],
            &[("ActiveState", "activating")],
        ];
        for properties in of_its_kind {
            let change = |recording: &mut Recording| {
                let guest = recording.guest(State::Switched);
                guest.set_unit("ledger.service", properties);
            };
            assert_eq!(lost(change), [""; 0], "{properties:?}");
        }
        let instance = |recording: &mut Recording| {
            let guest = recording.guest(State::Switched);
            guest.last.remove("ledger.service");
            guest.set_unit("ledger@1.service", &RUNS);
        };
        assert_eq!(lost(instance), [""; 0]);
    }

    #[test]
    fn what_a_device_another_unit_or_the_bus_starts_is_silent() {
        let by_device = |recording: &mut Recording| {
            let guest = recording.guest(State::Switched);
            guest.set_unit("dev-ttyS9.device", &[("Wants", "ledger.service")]);
        };
        assert_eq!(lost(by_device), [""; 0]);
        let by_bus = |recording: &mut Recording| {
            let line = r#"{"MESSAGE":"[system] Activating via systemd: service name='org.x' unit='ledger.service'","SYSLOG_IDENTIFIER":"dbus-daemon"}"#;
            recording.append_journal(State::Switched, line);
        };
        assert_eq!(lost(by_bus), [""; 0]);
    }

    #[test]
    fn what_was_started_again_and_ended_and_what_is_wanted_is_told_elsewhere() {
        let ended = |recording: &mut Recording| {
            let guest = recording.guest(State::Rebooted);
            let done = [("ActiveState", "inactive"), ("ExecMainCode", "1")];
            guest.set_unit("ledger.service", &done);
        };
        assert_eq!(lost(ended), [""; 0]);
        let wanted = |recording: &mut Recording| {
            let guest = recording.guest(State::Rebooted);
            guest.set_unit("ledger.service", &[("ActiveState", "inactive")]);
            guest.set_unit("multi-user.target", &[("Wants", "ledger.service")]);
        };
        assert_eq!(lost(wanted), ["rebooted/unit-inactive/ledger.service"]);
    }

    #[test]
    fn what_a_specialisation_does_not_start_is_not_lost() {
        let (plan, mut recording) = testing::specialised_recording(&["gaming"]);
        let guest = recording.guest(State::Switched);
        guest.set_unit("ledger.service", &RUNS);
        assert_eq!(testing::finding_ids(&plan, &recording), [""; 0]);
    }

    #[test]
    fn an_old_recording_that_does_not_say_what_is_transient_is_silent() {
        let old = |recording: &mut Recording| {
            let guest = recording.guest(State::Switched);
            let unit = guest.last.get_mut("ledger.service").unwrap();
            unit.remove("Transient");
        };
        assert_eq!(lost(old), [""; 0]);
    }
}
