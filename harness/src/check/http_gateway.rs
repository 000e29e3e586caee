//! nginx must reach what it passes requests on to: no 502, 503 or 504 in the last round.

use crate::fold::sanitise;
use crate::vocabulary::{Check, Finding, HttpAnswer, HttpEndpoint};

use super::{Scene, upstream};

pub(super) fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let endpoints = scene.record.http.keys();
    endpoints
        .filter_map(|endpoint| {
            let phrase = phrase(&scene.record.decisive_probe(endpoint)?.answer)?;
            Some(finding(scene, endpoint, &phrase))
        })
        .collect()
}

/// `502 Bad Gateway`, as RFC 9110 (15.6) has it; `None` for whatever is no gateway's error.
pub(super) fn phrase(answer: &HttpAnswer) -> Option<String> {
    let HttpAnswer::Status { code, .. } = answer else {
        return None;
    };
    let reason = match code {
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => return None,
    };
    Some(format!("{code} {reason}"))
}

fn finding(scene: &Scene<'_>, endpoint: &HttpEndpoint, phrase: &str) -> Finding {
    let url = sanitise::line(&endpoint.url());
    let summary = format!("{url} answers {phrase}");
    let finding =
        Finding::new(Check::HttpGateway, scene.state, url, summary).with_evidence("http", phrase);
    upstream::told(scene, endpoint, finding)
}

#[cfg(test)]
mod tests {
    use crate::testing::{self, endpoint, status};
    use crate::vocabulary::{Check, State};

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
    fn what_the_sockets_show_is_quoted() {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Rebooted);
        guest.listeners = "unix 1 /run/x\n".to_owned();
        guest.answer(2, endpoint("beta", 8082), status(502));
        let findings = testing::findings(&plan, &recording);
        let found = findings.iter().find(|f| f.check == Check::HttpGateway);
        let evidence = &found.unwrap().evidence;
        let text = "nothing listens on port 8082";
        assert!(evidence.iter().any(|e| e.text == text), "{evidence:?}");
    }

    #[test]
    fn a_service_that_came_up_in_time_or_answers_otherwise_is_silent() {
        assert!(!ids_after(&[502, 200]).concat().contains("gateway"));
        assert_eq!(ids_after(&[404]), [""; 0]);
        assert_eq!(ids_after(&[500]), [""; 0]);
    }
}
