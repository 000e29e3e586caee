//! What one boot came to, as lines that equal boots have equal: its fingerprint.
//!
//! Shared by the check of boots against each other and by `report`. Only a boot that nothing was done to has one: after a switch a machine is
//! what two generations made of it. Left out is what bootproof added, what follows from chance (numbers, order, ports that the kernel picked),
//! and what comes and goes by itself: devices, sessions, transient units, and services that a timer or somebody's question starts. Nothing is
//! left out because it is late: a look begins when systemd calls its start finished, and ends a window later.

use std::collections::BTreeSet;

use crate::fold::{ActiveState, OWN_UNIT_PREFIX, Unit, sanitise};
use crate::vocabulary::{Place, State};

use super::{Scene, is_looping, log_signature, wanted};

/// From here on the kernel picks ports for whoever asks for any (ip(7), `ip_local_port_range`).
const EPHEMERAL: u16 = 32_768;

/// The lines, in a fixed order; `None` where the boot was not seen well enough, or was changed since.
pub fn fingerprint(scene: &Scene<'_>) -> Option<Vec<String>> {
    if !is_fresh(scene.state) {
        return None;
    }
    let facts = scene.record.boot_facts.as_ref()?;
    let units = scene.record.units_last.as_ref()?;
    let identity = scene.record.identity.as_ref()?;
    let mut lines = vec![
        format!("kernel {}", facts.kernel),
        format!("cmdline {}", identity.cmdline.as_deref().unwrap_or("")),
        format!("machine-id {}", facts.machine_id),
    ];
    let parts = [
        ("user", &facts.users),
        ("group", &facts.groups),
        ("module", &facts.modules),
        ("mount", &facts.mounts),
    ];
    for (name, entries) in parts {
        lines.extend(entries.iter().map(|entry| format!("{name} {entry}")));
    }
    lines.extend(sockets(scene));
    let wanted = wanted(units);
    lines.extend(units.values().filter_map(|unit| {
        let state = in_words(scene, unit, wanted.contains(unit.id.as_str()))?;
        Some(format!("unit {} {state}", unit.id))
    }));
    let signatures: BTreeSet<String> = log_signature::check(scene)
        .into_iter()
        .map(|finding| format!("signature {}", finding.subject))
        .collect();
    lines.extend(signatures);
    Some(lines.iter().map(|line| sanitise::line(line)).collect())
}

/// Whether a state is what a boot alone led to.
pub fn is_fresh(state: State) -> bool {
    match state {
        State::Inspected | State::Switched | State::SoftRebooted => false,
        // What the candidate left behind it is there too.
        State::RolledBack | State::Specialised => false,
        State::Before | State::Booted => true,
        rebooted => rebooted.is_after_a_reboot(),
    }
}

fn sockets(scene: &Scene<'_>) -> BTreeSet<String> {
    let listeners = scene.record.listeners.iter().flatten();
    listeners
        .filter_map(|(place, units)| {
            let units: Vec<&str> = units
                .iter()
                .map(String::as_str)
                .filter(|unit| !unit.starts_with(OWN_UNIT_PREFIX) && !comes_and_goes(unit))
                .collect();
            let place = match place {
                Place::Port(port) if *port >= EPHEMERAL => {
                    "a port of the kernel's choice".to_owned()
                }
                place => place.to_string(),
            };
            // What is held by a session's processes alone is the session's.
            match units.is_empty() && place.contains("/run/user/") {
                true => None,
                false => Some(format!("listens {place} {}", units.join(" "))),
            }
        })
        .collect()
}

/// `active running`; `None` for what is no part of a boot.
fn in_words(scene: &Scene<'_>, unit: &Unit, is_wanted: bool) -> Option<String> {
    const OF_THE_MACHINE: &[&str] = &[".device", ".scope", ".slice"];
    let is_of_the_machine = OF_THE_MACHINE.iter().any(|kind| unit.id.ends_with(kind));
    if is_of_the_machine
        || unit.load_state != "loaded"
        || unit.transient == Some(true)
        || comes_and_goes(&unit.id)
    {
        return None;
    }
    if is_looping(scene.record, &unit.id) {
        return Some("restarted again and again".to_owned());
    }
    let active = unit.active_state.as_str();
    let is_asked_for = !unit.triggered_by.is_empty() || !unit.bus_name.is_empty();
    match unit.active_state {
        ActiveState::Failed => {}
        _ if is_wanted => {}
        ActiveState::Active if !is_asked_for => {}
        _ => return None,
    }
    // Whether a socket or timer waits or works is a matter of the moment.
    Some(match unit.id.ends_with(".service") {
        true => format!("{active} {}", unit.sub_state),
        false => active.to_owned(),
    })
}

/// Units of logins, and mounts that live as long as the service that they are for.
fn comes_and_goes(unit: &str) -> bool {
    const PREFIXES: &[&str] = &[
        "run-credentials-",
        "run-user-",
        "session-",
        "user@",
        "user-runtime-dir@",
    ];
    PREFIXES.iter().any(|prefix| unit.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::super::Scene;
    use super::*;
    use crate::testing::{self, Recording};
    use crate::vocabulary::Plan;

    fn lines(plan: &Plan, recording: &Recording, state: State) -> Option<Vec<String>> {
        let run = recording.run(plan);
        fingerprint(&Scene {
            plan,
            run: &run,
            state,
            record: &run.states[&state],
        })
    }

    #[test]
    fn equal_boots_have_equal_lines_and_a_switch_has_none() {
        let (plan, mut recording) = testing::healthy_recording();
        for state in [State::Before, State::Switched, State::Rebooted] {
            let guest = recording.guest(state);
            guest.boot_facts = "== kernel\nLinux 6.1\n== modules\next4\n".to_owned();
            guest.listeners = "tcp 0100007F:1F91 11\ntcp 0100007F:9F91 12\n".to_owned();
        }
        let guest = recording.guest(State::Rebooted);
        guest.listeners = "tcp 0100007F:9F92 1\ntcp 0100007F:1F91 2\n".to_owned();
        guest.set_unit("run-u7.service", &[("Transient", "yes")]);
        guest.set_unit("user@0.service", &[]);
        guest.set_unit("dev-vda.device", &[]);
        guest.set_unit("logrotate.service", &[("TriggeredBy", "logrotate.timer")]);
        let before = lines(&plan, &recording, State::Before).unwrap();
        assert_eq!(lines(&plan, &recording, State::Rebooted).unwrap(), before);
        assert!(before.contains(&"unit alpha.service active running".to_owned()));
        assert!(before.contains(&"module ext4".to_owned()));
        assert_eq!(lines(&plan, &recording, State::Switched), None);
    }

    #[test]
    fn what_failed_or_loops_is_in_it_whoever_starts_it() {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Rebooted);
        guest.boot_facts = "== kernel\nLinux 6.1\n".to_owned();
        guest.set_unit(
            "logrotate.service",
            &[
                ("TriggeredBy", "logrotate.timer"),
                ("ActiveState", "failed"),
            ],
        );
        guest.set_last("alpha.service", "NRestarts", "3");
        let lines = lines(&plan, &recording, State::Rebooted).unwrap();
        assert!(lines.contains(&"unit logrotate.service failed running".to_owned()));
        assert!(lines.contains(&"unit alpha.service restarted again and again".to_owned()));
    }

    #[test]
    fn what_was_not_dumped_has_none() {
        let (plan, recording) = testing::healthy_recording();
        assert_eq!(lines(&plan, &recording, State::Rebooted), None);
    }
}
