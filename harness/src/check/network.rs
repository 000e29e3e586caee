//! What the network of a VM that is not the machine's can be blamed for: neither the closure, nor silently nothing.
//!
//! Shared by the checks of units and of HTTP, and by `coverage`.

use crate::fold::{Run, StateRecord};
use crate::vocabulary::{HttpAnswer, HttpEndpoint, ProbeRoute, State};

use super::Scene;

/// The subject under which the recording says that the VM's network cannot match the closure's.
const OUTSIDE: &str = "http-outside";

/// Units that wait for the addresses or interfaces that the configuration names (systemd, and NixOS's
/// `nixos/modules/tasks/network-interfaces-scripted.nix`).
const WAITS_FOR_NETWORK: &[&str] = &[
    "systemd-networkd-wait-online",
    "NetworkManager-wait-online",
    "network-addresses-",
    "network-link-",
    "network-online.target",
];

/// Whether a unit does not come up only because the VM lacks an interface or an address, as the recording says it does.
pub(super) fn excuses(scene: &Scene<'_>, unit: &str) -> bool {
    let waits = WAITS_FOR_NETWORK.iter().any(|name| unit.starts_with(name));
    let mut known = scene.run.unproven.iter();
    waits && known.any(|u| u.subject == OUTSIDE && u.state.is_none_or(|s| s == scene.state))
}

/// What a finding about such a unit adds to its summary.
pub(super) const EXCUSE: &str =
    ", which is not held against the closure: the VM's network is not the machine's";

/// Whether an endpoint answered from outside in the first state, and now answers only from inside.
pub(super) fn is_lost_to_outside(
    run: &Run,
    state: State,
    record: &StateRecord,
    endpoint: &HttpEndpoint,
) -> bool {
    let first = [State::Before, State::Booted]
        .into_iter()
        .filter(|first| *first != state)
        .find_map(|first| run.states.get(&first));
    let Some(reference) = first else {
        return false;
    };
    let answers_now = record
        .decisive_probe(endpoint)
        .is_some_and(|p| is_answer(&p.answer));
    answers_now
        && from_outside(reference, endpoint) == Some(true)
        && from_outside(record, endpoint) == Some(false)
}

/// Whether the last probe from outside was answered; `None` where there was none.
fn from_outside(record: &StateRecord, endpoint: &HttpEndpoint) -> Option<bool> {
    let probes = record.http.get(endpoint)?;
    let last = probes.iter().rfind(|p| p.route == ProbeRoute::Outside)?;
    Some(is_answer(&last.answer))
}

fn is_answer(answer: &HttpAnswer) -> bool {
    matches!(answer, HttpAnswer::Status { .. })
}

#[cfg(test)]
mod tests {
    use crate::testing;
    use crate::vocabulary::{Observation, Severity, State, Unproven};

    fn severity_with(subject: &str) -> Severity {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Rebooted);
        guest.set_unit(
            "systemd-networkd-wait-online.service",
            &[("ActiveState", "failed"), ("Result", "exit-code")],
        );
        recording.more.push(Observation::Unproven(Unproven {
            state: Some(State::Rebooted),
            subject: subject.to_owned(),
            reason: "the VM lacks the interface enp9s0f7".to_owned(),
            decisive: false,
        }));
        testing::findings(&plan, &recording)[0].severity
    }

    #[test]
    fn waiting_for_an_interface_that_the_vm_lacks_is_no_fault_of_the_closure() {
        assert_eq!(severity_with("http-outside"), Severity::Warning);
        assert_eq!(severity_with("console"), Severity::Error);
    }
}
