//! nginx must reach what it passes requests on to: no 502, 503 or 504 in the last round.

use crate::fold::sanitise;
use crate::vocabulary::{Check, Finding, HttpAnswer, HttpEndpoint};

use super::Scene;

pub(super) fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let endpoints = scene.record.http.keys();
    endpoints
        .filter_map(
            |endpoint| match scene.record.decisive_probe(endpoint)?.answer {
                HttpAnswer::Status { code, .. } => {
                    Some(finding(scene, endpoint, code, reason_phrase(code)?))
                }
                _ => None,
            },
        )
        .collect()
}

/// The gateway's own errors (RFC 9110, 15.6); `None` for any other status.
fn reason_phrase(code: u16) -> Option<&'static str> {
    match code {
        502 => Some("Bad Gateway"),
        503 => Some("Service Unavailable"),
        504 => Some("Gateway Timeout"),
        _ => None,
    }
}

fn finding(scene: &Scene<'_>, endpoint: &HttpEndpoint, code: u16, phrase: &str) -> Finding {
    let url = sanitise::line(&endpoint.url());
    let summary = format!("{url} answers {code} {phrase}");
    let finding = Finding::new(Check::HttpGateway, scene.state, url, summary)
        .with_evidence("http", format!("{code} {phrase}"));
    match &endpoint.upstream {
        Some(upstream) => finding.with_evidence("nginx", format!("passes it on to {upstream}")),
        None => finding,
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{self, endpoint, status};
    use crate::vocabulary::State;

    fn ids_after(codes: &[u16]) -> Vec<String> {
        let (plan, mut recording) = testing::healthy_recording();
        for (round, code) in (2..).zip(codes) {
            let guest = recording.guest(State::Switched);
            guest.answer(round, endpoint("beta", 8082), status(*code));
        }
        testing::finding_ids(&plan, &recording)
    }

    #[test]
    fn a_gateway_error_of_the_last_round_is_found() {
        for code in [502, 503, 504] {
            assert_eq!(
                ids_after(&[200, code]),
                ["switched/http-gateway/http://beta.example/"]
            );
        }
    }

    #[test]
    fn a_service_that_came_up_in_time_or_answers_otherwise_is_silent() {
        assert_eq!(ids_after(&[502, 200]), [""; 0]);
        assert_eq!(ids_after(&[404]), [""; 0]);
        assert_eq!(ids_after(&[500]), [""; 0]);
    }
}
