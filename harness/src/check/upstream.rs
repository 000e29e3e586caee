//! What is behind an endpoint of nginx: the place that it passes requests on to, the unit that listens there, and how that fares.
//!
//! Shared by the checks of HTTP and by `diagnose`. Which unit it is, the guest's own sockets tell: in this state, or in another one, for
//! a unit that is dead listens no more. Where none was seen to listen, nobody is named.

use crate::fold::{Run, StateRecord, Unit};
use crate::vocabulary::{Finding, HttpEndpoint, Place, State};

use super::{Scene, is_looping};

/// What was seen behind an endpoint in one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream<'a> {
    pub place: Place,
    /// Whether anything listens there; `None` where that was not seen.
    pub is_served: Option<bool>,
    /// The one unit that was seen to listen there, now or in another state.
    pub unit: Option<&'a str>,
    /// That unit, as systemd has it in this state.
    pub now: Option<&'a Unit>,
}

/// What is behind an endpoint, as this record of the state has it; `None` where nginx answers itself, or passes requests on to another machine.
pub fn of<'a>(
    run: &'a Run,
    state: State,
    record: &'a StateRecord,
    endpoint: &HttpEndpoint,
) -> Option<Upstream<'a>> {
    let place = Place::of_upstream(endpoint.upstream.as_deref()?)?;
    let is_served = record.listeners.as_ref().map(|l| l.contains_key(&place));
    let unit = holder(run, state, record, &place);
    let now = unit.and_then(|unit| record.units()?.get(unit));
    Some(Upstream {
        place,
        is_served,
        unit,
        now,
    })
}

/// The unit that holds the socket in this state, or held it in the latest one before, or in one after.
fn holder<'a>(
    run: &'a Run,
    state: State,
    record: &'a StateRecord,
    place: &Place,
) -> Option<&'a str> {
    let before = run.states.range(..=state).rev();
    let after = run.states.range(state..).skip(1);
    let others = before.chain(after).map(|(_, record)| record);
    std::iter::once(record).chain(others).find_map(|record| {
        let units = record.listeners.as_ref()?.get(place)?;
        // Of several nobody knows which one answers.
        let only = units.iter().next().filter(|_| units.len() == 1);
        only.map(String::as_str)
    })
}

impl Upstream<'_> {
    /// What the sockets say: `nothing listens on port 8081 any more: alpha.service did`.
    pub fn of_sockets(&self) -> Option<String> {
        let place = &self.place;
        Some(match (self.is_served?, self.unit) {
            (true, Some(unit)) => format!("{unit} listens on {place}"),
            (true, None) => return None,
            (false, Some(unit)) => format!("nothing listens on {place} any more: {unit} did"),
            (false, None) => format!("nothing listens on {place}"),
        })
    }
}

/// How systemd has a unit: `ActiveState=inactive, SubState=dead, Result=success, ExecMainStatus=0`.
pub fn in_words(unit: &Unit) -> String {
    let active = unit.active_state.as_str();
    let mut words = format!(
        "{}: ActiveState={active}, SubState={}, Result={}",
        unit.id, unit.sub_state, unit.result
    );
    if let Some(status) = unit.exec_main_status.filter(|_| unit.has_ended()) {
        words.push_str(&format!(", ExecMainStatus={status}"));
    }
    words
}

/// A finding with what is known of what is behind the endpoint.
pub(super) fn told(scene: &Scene<'_>, endpoint: &HttpEndpoint, finding: Finding) -> Finding {
    let mut finding = match &endpoint.upstream {
        Some(upstream) => finding.with_evidence("nginx", format!("passes it on to {upstream}")),
        None => finding,
    };
    let Some(upstream) = of(scene.run, scene.state, scene.record, endpoint) else {
        return finding;
    };
    if let Some(sockets) = upstream.of_sockets() {
        finding = finding.with_evidence("/proc/net", sockets);
    }
    match upstream.now {
        // In a loop a unit is in another state at each look: what it is in at this one says nothing, and its restarts are told.
        Some(unit) if !is_looping(scene.record, &unit.id) => {
            finding.with_evidence("systemctl show", in_words(unit))
        }
        _ => finding,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, Recording, endpoint};
    use crate::vocabulary::{Check, Plan};

    const HELD: &str = "tcp 0100007F:1F92 7\ncgroup /proc/9/cgroup 0::/system.slice/beta.service\n/proc/9/fd:\nx -> socket:[7]\n";

    fn of_beta(plan: &Plan, recording: &Recording) -> (Option<bool>, Option<String>) {
        let run = recording.run(plan);
        let record = &run.states[&State::Rebooted];
        let upstream = of(&run, State::Rebooted, record, &endpoint("beta", 8082)).unwrap();
        (upstream.is_served, upstream.unit.map(str::to_owned))
    }

    #[test]
    fn a_unit_that_listens_no_more_is_known_from_another_state() {
        let (plan, mut recording) = testing::healthy_recording();
        let beta = Some("beta.service".to_owned());
        recording.guest(State::Before).listeners = HELD.to_owned();
        recording.guest(State::Rebooted).listeners = "tcp 0100007F:1F91 8\n".to_owned();
        assert_eq!(of_beta(&plan, &recording), (Some(false), beta.clone()));
        recording.guest(State::Rebooted).listeners = HELD.to_owned();
        assert_eq!(of_beta(&plan, &recording), (Some(true), beta));
    }

    #[test]
    fn the_state_of_a_unit_is_quoted_unless_it_loops() {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Rebooted);
        guest.listeners = HELD.to_owned();
        guest.answer(2, endpoint("beta", 8082), testing::status(502));
        let quotes = |recording: &Recording| {
            let findings = testing::findings(&plan, recording);
            let gateway = findings.iter().find(|f| f.check == Check::HttpGateway);
            let evidence = &gateway.unwrap().evidence;
            evidence.iter().any(|e| e.source == "systemctl show")
        };
        assert!(quotes(&recording));
        let guest = recording.guest(State::Rebooted);
        guest.set_last("beta.service", "NRestarts", "2");
        assert!(!quotes(&recording));
    }

    #[test]
    fn nobody_is_named_where_none_or_several_were_seen() {
        let (plan, mut recording) = testing::healthy_recording();
        assert_eq!(of_beta(&plan, &recording).1, None);
        let other =
            "cgroup /proc/8/cgroup 0::/system.slice/other.service\n/proc/8/fd:\nx -> socket:[7]\n";
        recording.guest(State::Rebooted).listeners = format!("{HELD}{other}");
        assert_eq!(of_beta(&plan, &recording), (Some(true), None));
    }

    #[test]
    fn what_nginx_answers_itself_has_nothing_behind_it() {
        let (plan, recording) = testing::healthy_recording();
        let run = recording.run(&plan);
        let own = HttpEndpoint {
            upstream: None,
            ..endpoint("beta", 8082)
        };
        let record = &run.states[&State::Rebooted];
        assert_eq!(of(&run, State::Rebooted, record, &own), None);
    }
}
