//! What nginx passes requests on to must listen as soon as systemd calls it active: no 502, 503 or 504 in the first round.
//!
//! One that came up in time for the last round is no fault of the closure's, and fails no rehearsal: it is told, because every deploy
//! and every reboot has such a gap.

use crate::fold::sanitise;
use crate::vocabulary::{Check, Finding, HttpEndpoint};

use super::{Scene, http_gateway, upstream};

pub(super) fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let endpoints = scene.record.http.keys();
    endpoints
        .filter_map(|endpoint| finding(scene, endpoint))
        .collect()
}

fn finding(scene: &Scene<'_>, endpoint: &HttpEndpoint) -> Option<Finding> {
    let probes = scene.record.http.get(endpoint)?;
    let first = probes.first()?;
    let phrase = http_gateway::phrase(&first.answer)?;
    // What ends otherwise is for the other checks of HTTP.
    let last = scene.record.decisive_probe(endpoint)?;
    let answers = http_gateway::phrase(&last.answer).is_none();
    let code = last.answer.code().filter(|_| answers)?;
    let url = sanitise::line(&endpoint.url());
    let unreached = |p: &&crate::fold::HttpProbe| p.answer.is_gateway_error();
    let until = probes.iter().rfind(unreached)?.at_ms;
    let since_first = |at_ms: u64| at_ms.saturating_sub(first.at_ms) / 1000;
    let by = probes.iter().map(|p| p.at_ms).find(|at| *at > until)?;
    let summary = format!(
        "{url} answers {phrase} when systemd calls the start finished, and {code} some seconds later"
    );
    let (until, by) = (since_first(until), since_first(by));
    let gap = match until {
        0 => format!("{phrase} at first, {code} after {by} s"),
        until => format!("{phrase} at first, no better after {until} s, {code} after {by} s"),
    };
    let finding = Finding::new(Check::HttpLate, scene.state, url, summary)
        .as_warning()
        .with_evidence("http", gap);
    Some(upstream::told(scene, endpoint, finding))
}

#[cfg(test)]
mod tests {
    use crate::testing::{self, endpoint, status};
    use crate::vocabulary::{Severity, State};

    fn found(codes: &[u16]) -> Vec<(String, Severity)> {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Rebooted);
        let beta = endpoint("beta", 8082);
        guest.http.retain(|(_, endpoint, ..)| *endpoint != beta);
        for (round, code) in (1..).zip(codes) {
            guest.answer(round, beta.clone(), status(*code));
        }
        let findings = testing::findings(&plan, &recording);
        findings.iter().map(|f| (f.id(), f.severity)).collect()
    }

    #[test]
    fn a_gap_after_the_start_is_told() {
        for codes in [&[502, 200][..], &[503, 503, 404], &[504, 502, 502, 200]] {
            let id = "rebooted/http-late/http://beta.example/".to_owned();
            assert_eq!(found(codes), [(id, Severity::Warning)], "{codes:?}");
        }
    }

    #[test]
    fn what_answers_at_once_or_never_is_silent() {
        for codes in [&[200, 200][..], &[404, 200], &[200], &[500, 200]] {
            assert_eq!(found(codes), [], "{codes:?}");
        }
        let ids: Vec<String> = found(&[502, 502]).into_iter().map(|(id, _)| id).collect();
        assert_eq!(ids, ["rebooted/http-gateway/http://beta.example/"]);
    }
}
