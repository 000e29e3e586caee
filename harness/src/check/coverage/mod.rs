//! What was planned and not observed, so that a verdict can never pass on silence.
//!
//! Called by `report`. It adds to what the recording itself calls unproven; it blames no one.

mod steps;

use crate::fold::{Run, StateRecord, dump_subject};
use crate::vocabulary::{BootId, Dump, HttpEndpoint, Plan, State, System, Unproven};

use super::network::is_lost_to_outside;
use super::{Scene, lacks, prediction};

/// The dumps without which a state is not proven. The queue of jobs is only evidence.
const NEEDED: [Dump; 5] = [
    Dump::Identity,
    Dump::SystemState,
    Dump::UnitsFirst,
    Dump::UnitsLast,
    Dump::Journal,
];

/// How many URLs a reason names.
const URLS_SHOWN: usize = 3;

/// All that is unproven: what the verdict depends on first, then by state and subject.
pub fn unproven(plan: &Plan, run: &Run) -> Vec<Unproven> {
    if run.observations == 0 {
        return vec![decisive(None, "rehearsal", "nothing was observed")];
    }
    let mut all = run.unproven.clone();
    all.extend(of_inspection(run));
    let mut gaps = steps::of_steps(plan, run);
    for (state, record) in run.looks() {
        gaps.extend(of_state(plan, state, record));
        gaps.extend(of_probes(plan, state, record));
        gaps.extend(of_network(run, state, record));
        gaps.extend(of_nginx(&Scene {
            plan,
            run,
            state,
            record,
        }));
    }
    gaps.extend(of_boots(run));
    gaps.extend(prediction::unproven(plan, run));
    gaps.extend(of_expectation(plan));
    for gap in gaps {
        // The recording knows better why, where it speaks of the same; it cannot make it weigh less.
        let is_told = |known: &Unproven| {
            known.state == gap.state
                && known.subject == gap.subject
                && (known.decisive || !gap.decisive)
        };
        if !all.iter().any(is_told) {
            all.push(gap);
        }
    }
    all.sort_by(|a, b| {
        (!a.decisive, a.state, &a.subject, &a.reason).cmp(&(
            !b.decisive,
            b.state,
            &b.subject,
            &b.reason,
        ))
    });
    all.dedup();
    all
}

fn decisive(state: Option<State>, subject: &str, reason: impl Into<String>) -> Unproven {
    Unproven {
        state,
        subject: subject.to_owned(),
        reason: reason.into(),
        decisive: true,
    }
}

fn of_state(plan: &Plan, state: State, record: &StateRecord) -> Vec<Unproven> {
    let mut gaps: Vec<Unproven> = NEEDED
        .into_iter()
        .filter(|dump| !record.dumped.contains(dump))
        .map(|dump| decisive(Some(state), dump_subject(dump), "it was never dumped"))
        .collect();
    let closure = record.closure(plan, state);
    let unasked: Vec<String> = closure
        .http
        .iter()
        .filter(|endpoint| record.decisive_probe(endpoint).is_none())
        .map(|endpoint| endpoint.url())
        .collect();
    if !unasked.is_empty() {
        let more = match unasked.len().saturating_sub(URLS_SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let shown = &unasked[..unasked.len().min(URLS_SHOWN)];
        let reason = format!("never asked for {}{more}", shown.join(", "));
        gaps.push(decisive(Some(state), "http", reason));
    }
    let of_nginx = closure
        .unreadable
        .iter()
        .find(|(subject, _)| subject.contains("nginx"));
    if let Some((subject, why)) = of_nginx {
        let reason =
            format!("the configuration of nginx could not be read whole: {subject}: {why}");
        gaps.push(decisive(Some(state), "http-endpoints", reason));
    }
    gaps
}

/// The user's probes that were not made, which only the baseline may lack. After a power cut in a switch they are not made.
fn of_probes(plan: &Plan, state: State, record: &StateRecord) -> Vec<Unproven> {
    if state == State::CutInSwitch {
        return Vec::new();
    }
    let missing = plan.probes.iter().filter_map(|probe| {
        let endpoints = probe.endpoints(record.closure(plan, state));
        let was_asked = |endpoint: &HttpEndpoint| {
            let mut made = record.probes.iter();
            made.any(|made| made.probe == *probe && made.endpoint == *endpoint)
        };
        if endpoints.is_empty() {
            // It may serve nothing by nginx, on purpose.
            if state == State::Specialised {
                return None;
            }
            return Some("nginx serves nothing that could be asked for it".to_owned());
        }
        let unasked = endpoints.iter().find(|endpoint| !was_asked(endpoint))?;
        Some(format!("{} was not asked", unasked.url()))
    });
    let gap = missing.map(|reason| Unproven {
        decisive: state != State::Before,
        ..decisive(Some(state), "probes", reason)
    });
    gap.take(1).collect()
}

/// The VM's network is the same in every state: what it no longer reaches may be a fault, or a network that only the machine
/// has, and nothing here can tell which.
fn of_network(run: &Run, state: State, record: &StateRecord) -> Option<Unproven> {
    let lost = record
        .http
        .keys()
        .filter(|endpoint| is_lost_to_outside(run, state, record, endpoint))
        .count();
    let reason = format!(
        "{lost} of the endpoints answered from outside at first and answer only from inside now: the network was lost, or \
         it has become one that the VM lacks"
    );
    (lost > 0).then(|| decisive(Some(state), "network", reason))
}

/// Where nginx is not up for want of what the VM lacks, nothing that it would serve was seen.
fn of_nginx(scene: &Scene<'_>) -> Option<Unproven> {
    if scene.closure().http.is_empty() {
        return None;
    }
    let reason = format!("nginx is not up: {}", lacks::nginx_excuse(scene)?);
    Some(decisive(Some(scene.state), "http", reason))
}

/// A reboot is proven by a new boot id, and a switch by the old one: nothing else tells one boot from the next.
fn of_boots(run: &Run) -> Vec<Unproven> {
    let boot_id = |state: State| run.states.get(&state)?.identity.as_ref()?.boot_id.as_ref();
    let mut gaps = Vec::new();
    let mut earlier: Vec<&BootId> = Vec::new();
    for (state, record) in run.looks() {
        let boot_id = record.identity.as_ref().and_then(|i| i.boot_id.as_ref());
        let Some(id) = boot_id else { continue };
        let has_a_kernel_of_its_own = state.is_after_a_reboot() && state != State::SoftRebooted;
        if has_a_kernel_of_its_own && earlier.contains(&id) {
            let reason = "the boot id is that of an earlier state, so the guest did not reboot";
            gaps.push(decisive(Some(state), "boot-id", reason));
        }
        // A new userspace has the boot id of whatever was booted before it.
        if state != State::SoftRebooted {
            earlier.push(id);
        }
    }
    if let (Some(before), Some(switched)) = (boot_id(State::Before), boot_id(State::Switched))
        && before != switched
    {
        let reason = "the boot id is not that of before, so the guest rebooted on its own";
        gaps.push(decisive(Some(State::Switched), "boot-id", reason));
    }
    gaps
}

/// What files left open, a boot has settled.
fn of_inspection(run: &Run) -> impl Iterator<Item = Unproven> {
    let booted = run.states.keys().any(State::boots_the_candidate);
    let open = run.inspected.iter().flat_map(|i| &i.unproven);
    open.map(move |unproven| Unproven {
        decisive: unproven.decisive && !booted,
        ..unproven.clone()
    })
}

/// Where bootproof knows no rule for the expected platform, its userland goes unchecked.
fn of_expectation(plan: &Plan) -> Option<Unproven> {
    match &plan.expect_system {
        System::X86_64Linux | System::I686Linux => None,
        System::Other(system) => Some(Unproven {
            decisive: false,
            ..decisive(
                None,
                "userland-architecture",
                format!("there is no rule which executables are native to {system}"),
            )
        }),
    }
}

#[cfg(test)]
mod tests;
