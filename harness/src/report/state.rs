//! One state of the guest, as the report has it.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::{self, is_looping, stability};
use crate::fold::{ActiveState, StateRecord, Unit, sanitise};
use crate::vocabulary::{ProbeRoute, State};

use super::model::{StateReport, UnstableUnit};

pub(super) fn state(state: State, record: &StateRecord) -> StateReport {
    let identity = record.identity.clone().unwrap_or_default();
    let units = record.units();
    let count =
        |of: &dyn Fn(&Unit) -> bool| units.map(|units| units.values().filter(|u| of(u)).count());
    let both = record.units_first.is_some() && record.units_last.is_some();
    let mut http: BTreeMap<String, usize> = BTreeMap::new();
    let mut routes: BTreeSet<ProbeRoute> = BTreeSet::new();
    let mut answers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for endpoint in record.http.keys() {
        if let Some(probe) = record.decisive_probe(endpoint) {
            let answer = probe.answer.word();
            // Two listeners may serve one URL.
            let url = sanitise::line(&endpoint.url());
            answers.entry(url).or_default().insert(answer.clone());
            *http.entry(answer).or_default() += 1;
            routes.insert(probe.route);
        }
    }
    let together = |answers: BTreeSet<String>| answers.into_iter().collect::<Vec<_>>().join(", ");
    StateReport {
        state,
        boot: record.boot,
        kernel_machine: identity.machine,
        kernel_release: identity.release,
        userland: identity.pid1,
        system: identity.system,
        system_state: record.system_state.clone(),
        units_failed: count(&|u| u.active_state == ActiveState::Failed),
        units_looping: count(&|u| is_looping(record, &u.id)).filter(|_| both),
        http,
        http_routes: routes.into_iter().collect(),
        answers: answers
            .into_iter()
            .map(|(url, answers)| (url, together(answers)))
            .collect(),
        active: units.map(|units| active(record, units)),
        unstable: unstable(state, record),
    }
}

fn unstable(state: State, record: &StateRecord) -> Vec<UnstableUnit> {
    let units = stability::unstable(record, state == State::Switched);
    let units = units.into_iter().flatten();
    units
        .map(|unit| UnstableUnit {
            unit: sanitise::line(&unit.unit),
            stability: unit.stability,
            why: sanitise::line(&unit.why),
        })
        .collect()
}

/// What serves, or makes something serve. Targets and slices only order and group, and a device is the machine's.
const SERVING: &[&str] = &[
    ".service",
    ".socket",
    ".timer",
    ".path",
    ".mount",
    ".automount",
    ".swap",
];

/// Left out is what loops: whether it is active just then is chance.
fn active(record: &StateRecord, units: &BTreeMap<String, Unit>) -> Vec<String> {
    check::wanted(units)
        .into_iter()
        .filter(|id| SERVING.iter().any(|kind| id.ends_with(kind)))
        .filter(|id| {
            units
                .get(*id)
                .is_some_and(|u| u.active_state == ActiveState::Active)
        })
        .filter(|id| !is_looping(record, id))
        .map(sanitise::line)
        .collect()
}
