//! A page that had something in it under the baseline must not be answered with 200 and nothing.

use crate::fold::{StateRecord, sanitise};
use crate::vocabulary::{Check, Finding, HttpAnswer, HttpEndpoint, State};

use super::{Scene, upstream};

/// Only with a body of another length is an empty one a fault: many a URL answers 200 and nothing by design.
pub(super) fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let Some(before) = scene.run.states.get(&State::Before) else {
        return Vec::new();
    };
    let endpoints = scene.record.http.keys();
    endpoints
        .filter(|_| scene.state != State::Before)
        .filter(|endpoint| body_bytes(scene.record, endpoint) == Some(0))
        .filter_map(|endpoint| {
            let had = of_url(before, &endpoint.url())?;
            Some(finding(scene, endpoint, had))
        })
        .collect()
}

/// How long the body of the last answer was; `None` where that was not 200.
fn body_bytes(record: &StateRecord, endpoint: &HttpEndpoint) -> Option<u64> {
    match record.decisive_probe(endpoint)?.answer {
        HttpAnswer::Status {
            code: 200,
            body_bytes,
        } => Some(body_bytes),
        _ => None,
    }
}

/// The longest body of a URL, whatever it was passed on to; `None` where it had none.
fn of_url(record: &StateRecord, url: &str) -> Option<u64> {
    let same = record.http.keys().filter(|known| known.url() == url);
    let bodies = same.filter_map(|known| body_bytes(record, known));
    bodies.max().filter(|bytes| *bytes > 0)
}

fn finding(scene: &Scene<'_>, endpoint: &HttpEndpoint, had: u64) -> Finding {
    let url = sanitise::line(&endpoint.url());
    let summary =
        format!("{url} answers 200 with an empty body, and the baseline's has {had} bytes");
    let finding = Finding::new(Check::HttpEmpty, scene.state, url, summary)
        .with_evidence("http", format!("200, 0 bytes; before: 200, {had} bytes"));
    upstream::told(scene, endpoint, finding)
}

#[cfg(test)]
mod tests {
    use crate::testing::{self, endpoint};
    use crate::vocabulary::{HttpAnswer, State};

    fn found(state: State, code: u16, body_bytes: u64) -> Vec<String> {
        let (plan, mut recording) = testing::healthy_recording();
        let answer = HttpAnswer::Status { code, body_bytes };
        recording
            .guest(state)
            .answer(2, endpoint("beta", 8082), answer);
        testing::finding_ids(&plan, &recording)
    }

    #[test]
    fn a_body_that_is_gone_is_found() {
        assert_eq!(
            found(State::Rebooted, 200, 0),
            ["rebooted/http-empty/http://beta.example/"]
        );
    }

    #[test]
    fn a_body_an_answer_without_one_and_a_baseline_without_one_are_silent() {
        assert_eq!(found(State::Rebooted, 200, 1), [""; 0]);
        assert_eq!(found(State::Rebooted, 204, 0), [""; 0]);
        assert_eq!(found(State::Rebooted, 302, 0), [""; 0]);
        assert_eq!(found(State::Before, 200, 0), [""; 0]);
    }
}
