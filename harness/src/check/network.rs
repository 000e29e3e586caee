//! What the network of a VM that is not the machine's can be blamed for: neither the closure, nor silently nothing.
//!
//! Shared by the check of HTTP and by `coverage`; what units lack is told by `lacks`.

use crate::fold::{Run, StateRecord};
use crate::vocabulary::{HttpAnswer, HttpEndpoint, ProbeRoute, State};

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
