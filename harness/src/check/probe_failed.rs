//! What the user asks for must be answered as the user says.

use regex::RegexBuilder;

use crate::fold::{ProbeRecord, sanitise};
use crate::vocabulary::{Certificate, Check, Finding, HttpAnswer, ProbeRoute, State};

use super::{Scene, lacks};

/// A compiled pattern takes no more memory than this.
const PATTERN_LIMIT: usize = 1 << 20;
const QUOTED: usize = 200;

pub(super) fn check(scene: &Scene<'_>) -> Vec<Finding> {
    // What the baseline answers is nothing of the candidate's: a page that is new with it is not there before.
    if matches!(scene.state, State::Before | State::CutInSwitch) {
        return Vec::new();
    }
    let probes = scene.record.probes.iter();
    let found = probes.filter_map(|record| judge(scene, record));
    // They are written for the candidate, from which a specialisation differs on purpose.
    found
        .map(|finding| match scene.state {
            State::Specialised => finding.as_warning(),
            _ => finding,
        })
        .collect()
}

fn judge(scene: &Scene<'_>, record: &ProbeRecord) -> Option<Finding> {
    let came = what_came(record)?;
    let url = sanitise::line(&record.endpoint.url());
    let expected = sanitise::line(&record.probe.to_string());
    let whence = match record.route {
        ProbeRoute::Outside => "outside",
        ProbeRoute::Inside => "inside",
    };
    let summary = format!("{url}: {came}, and {expected} is expected");
    let mut finding = Finding::new(Check::ProbeFailed, scene.state, url, summary)
        .with_evidence("http", format!("from {whence} the guest: {came}"));
    if let Some(body) = &record.body {
        let beginning: String = body.chars().take(QUOTED).collect();
        finding = finding.with_evidence("body", sanitise::line(&beginning));
    }
    let before = scene.run.states.get(&State::Before);
    let mut before = before.into_iter().flat_map(|before| &before.probes);
    let same =
        before.find(|r| r.probe == record.probe && r.endpoint.url() == record.endpoint.url());
    if let Some(came) = same.and_then(what_came) {
        finding = finding.with_evidence("http", format!("of the baseline: {came}"));
    }
    let unanswered = !matches!(record.answer, HttpAnswer::Status { .. });
    Some(match lacks::nginx_excuse(scene).filter(|_| unanswered) {
        Some(reason) => lacks::with_reason(finding, reason),
        None => finding,
    })
}

/// What came in place of what is expected; `None` where it is that.
fn what_came(record: &ProbeRecord) -> Option<String> {
    let code = match &record.answer {
        HttpAnswer::Status { code, .. } => *code,
        HttpAnswer::Refused => return Some("the connection was refused".to_owned()),
        HttpAnswer::Reset => return Some("the connection was reset".to_owned()),
        HttpAnswer::TimedOut => return Some("no answer in time".to_owned()),
        HttpAnswer::Failed { reason } => return Some(sanitise::line(reason)),
    };
    let is_expected = match record.probe.expect_status {
        Some(expected) => code == expected,
        None => code < 500,
    };
    if !is_expected {
        return Some(format!("status {code}"));
    }
    if let Some(trouble) = of_certificate(record) {
        return Some(trouble);
    }
    let pattern = record.probe.body.as_ref()?;
    let body = record.body.as_deref().unwrap_or_default();
    match RegexBuilder::new(pattern).size_limit(PATTERN_LIMIT).build() {
        Ok(pattern) if pattern.is_match(body) => None,
        Ok(_) => Some(format!("status {code} with another body")),
        Err(_) => Some(format!("status {code}, and the pattern is none")),
    }
}

/// What is wrong with the certificate, where one is expected.
fn of_certificate(record: &ProbeRecord) -> Option<String> {
    record.probe.tls_name.as_ref()?;
    match &record.certificate {
        Some(Certificate::OfName) => None,
        Some(Certificate::Other { reason }) => {
            Some(format!("the certificate: {}", sanitise::line(reason)))
        }
        None => Some("no certificate was shown".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{self, status};
    use crate::vocabulary::{
        Asks, Certificate, Finding, HttpAnswer, Observation, Probe, ProbeRoute, Severity, State,
        Verdict,
    };

    fn probe(expect_status: Option<u16>, body: Option<&str>) -> Probe {
        Probe {
            asks: Asks::Path("/health".to_owned()),
            expect_status,
            body: body.map(str::to_owned),
            tls_name: None,
        }
    }

    #[test]
    fn what_only_the_baseline_does_not_answer_is_silent() {
        let probe = probe(Some(200), None);
        let (mut plan, mut recording) = testing::healthy_recording();
        plan.probes = vec![probe.clone()];
        let endpoint = probe.endpoints(&plan.candidate).remove(0);
        let mut answered = |state, code| {
            recording.more.push(Observation::Probed {
                state,
                probe: probe.clone(),
                endpoint: endpoint.clone(),
                route: ProbeRoute::Outside,
                answer: status(code),
                body: None,
                certificate: None,
            });
        };
        answered(State::Before, 404);
        answered(State::Rebooted, 200);
        assert_eq!(testing::findings(&plan, &recording), []);
    }

    /// The findings where `answer` comes after the reboot.
    fn found(probe: &Probe, answer: HttpAnswer, body: &str) -> Vec<Finding> {
        let (mut plan, mut recording) = testing::healthy_recording();
        plan.probes = vec![probe.clone()];
        let endpoint = probe.endpoints(&plan.candidate).remove(0);
        recording.more.push(Observation::Probed {
            state: State::Rebooted,
            probe: probe.clone(),
            endpoint,
            route: ProbeRoute::Outside,
            answer,
            body: Some(body.to_owned()),
            certificate: None,
        });
        testing::findings(&plan, &recording)
    }

    #[test]
    fn a_certificate_for_another_name_is_told_and_the_right_one_silent() {
        let (mut plan, recording) = testing::healthy_recording();
        let probe = Probe {
            tls_name: Some("alpha.example".to_owned()),
            ..probe(None, None)
        };
        plan.probes = vec![probe.clone()];
        let found = |certificate: Option<Certificate>| {
            let mut recording = recording.clone();
            recording.more.push(Observation::Probed {
                state: State::Rebooted,
                endpoint: probe.endpoints(&plan.candidate).remove(0),
                probe: probe.clone(),
                route: ProbeRoute::Outside,
                answer: status(200),
                body: None,
                certificate,
            });
            testing::findings(&plan, &recording)
        };
        assert_eq!(found(Some(Certificate::OfName)), []);
        let reason = "it is for beta.example\u{1b}".to_owned();
        let other = found(Some(Certificate::Other { reason }));
        assert!(other[0].summary.contains("it is for beta.example"));
        assert!(
            other[0]
                .summary
                .contains("and a certificate for alpha.example is expected")
        );
        assert!(!other[0].summary.contains('\u{1b}'));
        assert_eq!(found(None).len(), 1);
    }

    #[test]
    fn what_is_expected_is_silent() {
        for (probe, code, body) in [
            (probe(None, None), 404, ""),
            (probe(Some(204), None), 204, ""),
            (probe(None, Some("ok")), 200, "it is ok"),
            (
                probe(Some(200), Some("^\\{\"up\": *true")),
                200,
                "{\"up\": true}",
            ),
        ] {
            assert_eq!(found(&probe, status(code), body), [], "{probe}");
        }
    }

    #[test]
    fn anything_else_is_told_with_what_was_expected_and_what_came() {
        for (probe, answer, words) in [
            (
                probe(None, None),
                status(500),
                "status 500, and a status below 500 is expected",
            ),
            (
                probe(Some(200), None),
                status(301),
                "status 301, and status 200",
            ),
            (
                probe(None, Some("ok")),
                status(200),
                "another body, and a status below 500, and a body that matches `ok`",
            ),
            (probe(None, None), HttpAnswer::Refused, "was refused"),
        ] {
            let findings = found(&probe, answer, "n\u{1b}o");
            assert_eq!(
                findings[0].id(),
                "rebooted/probe-failed/http://alpha.example/health"
            );
            assert_eq!(findings[0].severity, Severity::Error);
            assert!(
                findings[0].summary.contains(words),
                "{}",
                findings[0].summary
            );
            assert!(!findings[0].evidence[1].text.contains('\u{1b}'));
        }
    }

    #[test]
    fn what_was_never_asked_is_unproven() {
        let (mut plan, recording) = testing::healthy_recording();
        plan.probes = vec![probe(None, None)];
        let report = crate::report::report(&plan, &recording.observations_of(&plan));
        assert_eq!(report.verdict, Verdict::Unproven);
        let ids: Vec<String> = report.unproven.iter().map(|u| u.id()).collect();
        assert_eq!(ids, ["switched/probes", "rebooted/probes", "before/probes"]);
    }
}
