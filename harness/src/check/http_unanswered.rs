//! Every endpoint of nginx must answer something in the last round.
//!
//! Whether an unanswered probe is the closure's fault or the VM's network is the runner's to find out: it probes again from
//! inside, and that probe, being the last, decides. What answered from outside at first and later only does from inside is
//! told as a warning, and is unproven (`coverage`): either the candidate lost its network, or it has another than the VM.

use crate::fold::sanitise;
use crate::vocabulary::{Check, Finding, HttpAnswer, HttpEndpoint, ProbeRoute};

use super::network::is_lost_to_outside;
use super::{Scene, lacks};

pub(super) fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let endpoints = scene.record.http.keys();
    endpoints
        .filter_map(|endpoint| {
            let probe = scene.record.decisive_probe(endpoint)?;
            match how(&probe.answer).map(|how| of_tls(endpoint, &probe.answer, how)) {
                Some(how) => {
                    let finding = finding(scene, endpoint, probe.route, &how);
                    Some(match lacks::nginx_excuse(scene) {
                        Some(reason) => lacks::with_reason(finding, reason),
                        None => finding,
                    })
                }
                None => no_longer_from_outside(scene, endpoint),
            }
        })
        .collect()
}

/// What happened in place of an answer.
fn how(answer: &HttpAnswer) -> Option<String> {
    match answer {
        HttpAnswer::Status { .. } => None,
        HttpAnswer::Refused => Some("the connection was refused".to_owned()),
        HttpAnswer::Reset => Some("the connection was reset".to_owned()),
        HttpAnswer::TimedOut => Some("no answer in time".to_owned()),
        HttpAnswer::Failed { reason } => Some(sanitise::line(reason)),
    }
}

/// Over TLS, what is no answer and no silence is a handshake that one side broke off.
fn of_tls(endpoint: &HttpEndpoint, answer: &HttpAnswer, how: String) -> String {
    match answer {
        HttpAnswer::Failed { .. } if endpoint.listener.tls => format!("TLS: {how}"),
        _ => how,
    }
}

fn finding(scene: &Scene<'_>, endpoint: &HttpEndpoint, route: ProbeRoute, how: &str) -> Finding {
    let url = sanitise::line(&endpoint.url());
    let summary = format!("{url} does not answer: {how}");
    let whence = match route {
        ProbeRoute::Outside => "outside",
        ProbeRoute::Inside => "inside",
    };
    Finding::new(Check::HttpUnanswered, scene.state, url, summary)
        .with_evidence("http", format!("from {whence} the guest: {how}"))
}

fn no_longer_from_outside(scene: &Scene<'_>, endpoint: &HttpEndpoint) -> Option<Finding> {
    is_lost_to_outside(scene.run, scene.state, scene.record, endpoint).then(|| {
        let how = "no answer, though there is one from inside";
        let mut finding = finding(scene, endpoint, ProbeRoute::Outside, how).as_warning();
        finding.summary = format!(
            "{} answers only from inside the guest, and did from outside at first",
            finding.subject
        );
        finding
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::{self, endpoint, status};
    use crate::vocabulary::{HttpAnswer, ProbeRoute, Severity, State};

    #[test]
    fn no_answer_in_the_last_round_is_found() {
        for answer in [
            HttpAnswer::Refused,
            HttpAnswer::Reset,
            HttpAnswer::TimedOut,
            HttpAnswer::Failed {
                reason: "tls\u{1b}[31m".to_owned(),
            },
        ] {
            let (plan, mut recording) = testing::healthy_recording();
            let guest = recording.guest(State::Rebooted);
            guest.answer(2, endpoint("beta", 8082), answer);
            let findings = testing::findings(&plan, &recording);
            assert_eq!(
                findings[0].id(),
                "rebooted/http-unanswered/http://beta.example/"
            );
            assert!(findings[0].latent);
            assert!(!findings[0].summary.contains('\u{1b}'));
        }
    }

    #[test]
    fn an_answer_from_inside_decides_where_the_network_of_the_vm_never_matched() {
        let (plan, mut recording) = testing::healthy_recording();
        for guest in recording.guests.values_mut() {
            guest.http.clear();
            for endpoint in testing::endpoints() {
                guest.answer(1, endpoint.clone(), HttpAnswer::TimedOut);
                guest
                    .http
                    .push((1, endpoint, ProbeRoute::Inside, status(200)));
            }
        }
        assert_eq!(testing::finding_ids(&plan, &recording), [""; 0]);
    }

    #[test]
    fn an_endpoint_that_is_lost_to_the_outside_is_told() {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Switched);
        let lost = endpoint("alpha", 8081);
        guest.answer(2, lost.clone(), HttpAnswer::TimedOut);
        guest.http.push((2, lost, ProbeRoute::Inside, status(200)));
        let findings = testing::findings(&plan, &recording);
        assert_eq!(
            findings[0].id(),
            "switched/http-unanswered/http://alpha.example/"
        );
        assert_eq!(findings[0].severity, Severity::Warning);
    }
}
