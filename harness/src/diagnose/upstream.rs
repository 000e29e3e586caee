//! What is behind a URL that nginx cannot get an answer for: tests and values for the rules of HTTP.
//!
//! A gateway error is never a cause where the unit behind it is known: what systemd says of that unit is.

use crate::check::upstream::{self, Upstream};
use crate::fold::{ActiveState, Unit};
use crate::vocabulary::{Check, Finding, HttpAnswer, HttpEndpoint};

use super::Case;
use super::seen::record_of;
use super::values::Told;
use super::words::names;

/// How nginx marks what keeps it from starting (`src/core/ngx_log.c`).
pub(super) const EMERGENCY: &str = "[emerg] ";

/// Whether it is known what is behind the URL of a finding, which gave no answer.
pub(super) fn is_explained(case: Case<'_>, finding: &Finding) -> bool {
    let is_unreached = match finding.check {
        Check::HttpGateway => true,
        Check::HttpUnanswered => answer(case, finding) == Some(&HttpAnswer::TimedOut),
        _ => false,
    };
    is_unreached && why(case, finding).is_some()
}

/// The unit behind the URL of a finding; `None` where none is known.
pub(super) fn unit<'a>(case: Case<'a>, finding: &Finding) -> Option<&'a Unit> {
    behind(case, finding)?.now
}

/// Whether a unit is behind a URL that a gateway error came from in the same state.
pub(super) fn is_behind_an_error(case: Case<'_>, finding: &Finding) -> bool {
    let Some(record) = record_of(case, finding) else {
        return false;
    };
    let failing = record.http.keys().filter(|endpoint| {
        let probe = record.decisive_probe(endpoint);
        probe.is_some_and(|probe| probe.answer.is_gateway_error())
    });
    let mut upstreams = failing.filter_map(|e| upstream::of(case.run, finding.state, record, e));
    upstreams.any(|upstream| upstream.unit == Some(finding.subject.as_str()))
}

/// What is wrong behind the URLs, each thing once.
pub(super) fn wrong(told: &Told<'_>) -> Option<String> {
    let mut all: Vec<String> = Vec::new();
    for finding in told.all {
        if let Some((headline, _)) = why(told.case, finding)
            && !all.contains(&headline)
        {
            all.push(headline);
        }
    }
    (!all.is_empty()).then(|| all.join("; "))
}

/// What to do about the first of them.
pub(super) fn next(told: &Told<'_>) -> Option<String> {
    let mut all = told.all.iter();
    all.find_map(|f| Some(why(told.case, f)?.1.to_owned()))
}

/// The units behind the URLs; `None` where one is not known.
pub(super) fn units(told: &Told<'_>) -> Option<String> {
    let mut units = Vec::new();
    for finding in told.findings {
        let unit = behind(told.case, finding)?.unit?;
        if !units.contains(&unit) {
            units.push(unit);
        }
    }
    Some(names(&units))
}

/// What nginx said that keeps it from starting, without its own process' number: `284#284: unknown directive …`.
pub(super) fn emergency(told: &Told<'_>) -> Option<String> {
    let quoted = told.findings.iter().flat_map(|f| &f.evidence);
    let mut said = quoted.filter_map(|e| Some(e.text.split_once(EMERGENCY)?.1));
    let said = said.next_back()?;
    let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b'#');
    Some(match said.split_once(": ") {
        Some((number, rest)) if is_number(number) => rest.to_owned(),
        _ => said.to_owned(),
    })
}

/// The last answer of the URL that a finding is about, in its first state.
fn answer<'a>(case: Case<'a>, finding: &Finding) -> Option<&'a HttpAnswer> {
    let record = record_of(case, finding)?;
    Some(&record.decisive_probe(endpoint(case, finding)?)?.answer)
}

fn endpoint<'a>(case: Case<'a>, finding: &Finding) -> Option<&'a HttpEndpoint> {
    let record = record_of(case, finding)?;
    record.http.keys().find(|e| e.url() == finding.subject)
}

/// What is behind the URL of a finding, in its first state.
fn behind<'a>(case: Case<'a>, finding: &Finding) -> Option<Upstream<'a>> {
    let record = record_of(case, finding)?;
    upstream::of(case.run, finding.state, record, endpoint(case, finding)?)
}

/// What is wrong with what a URL is passed on to, and what to do next; `None` where nothing was seen of it.
fn why(case: Case<'_>, finding: &Finding) -> Option<(String, &'static str)> {
    let upstream = behind(case, finding)?;
    let place = &upstream.place;
    let unit = upstream.unit.unwrap_or_default();
    Some(match (upstream.now, upstream.is_served) {
        (_, Some(true)) if unit.is_empty() => return None,
        (_, Some(true)) if is_slow(answer(case, finding)?) => (
            format!("{unit} takes connections on {place} and does not answer in time"),
            "ask it from inside the guest, without nginx: it runs, and waits for something itself; its journal may name a database, a lock or another service",
        ),
        (_, Some(true)) if finding.check == Check::HttpGateway => (
            format!("{unit} listens on {place}, and nginx cannot use what comes from there"),
            "read nginx's error log of that request: a closed connection, another protocol than nginx speaks, or a socket that it may not open",
        ),
        (Some(now), _) => match now.active_state {
            ActiveState::Inactive if now.has_ended() && now.result == "success" => (
                format!("{unit} ended with success, and nothing restarts it"),
                "see why its main process ends: a program that goes into the background has to stay in the foreground, or needs `Type=forking`; one that may end needs `Restart=always`",
            ),
            ActiveState::Inactive => (
                format!("{unit} is not active, and nginx passes requests on to it"),
                "see what would start it: `systemctl status` says whether a condition did not hold, and `systemctl list-dependencies --reverse` who wants it",
            ),
            ActiveState::Activating => (
                format!("{unit} is still starting, and does not listen on {place}"),
                "read its journal: what it waits for comes before it listens",
            ),
            ActiveState::Active if upstream.is_served == Some(false) => (
                format!(
                    "{unit} is active and does not listen on {place}, where nginx passes requests on to"
                ),
                "compare the address and port that it listens on now with nginx's, and read its journal: it may not have come so far",
            ),
            _ => return None,
        },
        (None, Some(false)) if unit.is_empty() => (
            format!("nothing listens on {place}, where nginx passes requests on to"),
            "compare that place with what the service behind it is told to listen on, and see whether the service is part of the system at all",
        ),
        (None, Some(false)) => (
            format!(
                "{unit} does not exist any more, and nginx passes requests on to {place}, where it listened"
            ),
            "take the virtual host out, or put the service back",
        ),
        (None, _) => return None,
    })
}

fn is_slow(answer: &HttpAnswer) -> bool {
    matches!(
        answer,
        HttpAnswer::TimedOut | HttpAnswer::Status { code: 504, .. }
    )
}

#[cfg(test)]
mod tests {
    use crate::check;
    use crate::diagnose::{Cause, diagnose};
    use crate::testing::{Recording, endpoint, healthy_recording, status};
    use crate::vocabulary::{HttpAnswer, Plan, Severity, State};

    const HELD: &str = "tcp 0100007F:1F92 7\ncgroup /proc/9/cgroup 0::/system.slice/beta.service\n/proc/9/fd:\nx -> socket:[7]\n";
    const ANOTHER: &str = "tcp 0100007F:1F91 8\n";

    fn causes(plan: &Plan, recording: &Recording) -> Vec<Cause> {
        let run = recording.run(plan);
        diagnose(plan, &run, &check::run(plan, &run)).causes
    }

    /// The only cause where beta answers so after the reboot, and listened before it.
    fn cause(answer: HttpAnswer, listeners: &str, beta: &[(&str, &str)]) -> Cause {
        let (plan, mut recording) = healthy_recording();
        recording.guest(State::Before).listeners = HELD.to_owned();
        let guest = recording.guest(State::Rebooted);
        guest.listeners = listeners.to_owned();
        guest.set_unit("beta.service", beta);
        guest.answer(2, endpoint("beta", 8082), answer);
        let mut causes = causes(&plan, &recording);
        assert_eq!(causes.len(), 1, "{causes:#?}");
        causes.remove(0)
    }

    #[test]
    fn a_unit_that_ended_with_success_leads_and_502_follows() {
        let ended = [
            ("ActiveState", "inactive"),
            ("SubState", "dead"),
            ("ExecMainCode", "1"),
            ("ExecMainStatus", "0"),
        ];
        let cause = cause(status(502), ANOTHER, &ended);
        assert!(
            cause
                .headline
                .starts_with("beta.service ended with success, and nothing restarts it"),
            "{}",
            cause.headline
        );
        assert_eq!(cause.findings[0], "rebooted/unit-inactive/beta.service");
        assert_eq!(cause.severity, Severity::Error);
    }

    #[test]
    fn what_the_sockets_show_is_said() {
        let says = |answer, listeners| cause(answer, listeners, &[]).headline;
        assert!(says(status(502), ANOTHER).contains("is active and does not listen on port 8082"));
        assert!(says(status(504), HELD).contains("takes connections on port 8082"));
        assert!(says(HttpAnswer::TimedOut, HELD).contains("does not answer in time"));
        assert!(says(status(502), HELD).contains("cannot use what comes"));
    }

    #[test]
    fn a_dead_unit_explains_no_url_that_another_one_is_behind() {
        let (plan, mut recording) = healthy_recording();
        recording.guest(State::Before).listeners = HELD.to_owned();
        let guest = recording.guest(State::Rebooted);
        guest.listeners = ANOTHER.to_owned();
        guest.set_unit("alpha.service", &[("ActiveState", "failed")]);
        guest.answer(2, endpoint("beta", 8082), status(502));
        let rules: Vec<String> = causes(&plan, &recording)
            .into_iter()
            .map(|cause| cause.rule)
            .collect();
        assert_eq!(rules, ["unit-failed", "upstream-down"]);
    }

    #[test]
    fn a_place_that_nobody_ever_served_is_named() {
        let (plan, mut recording) = healthy_recording();
        let guest = recording.guest(State::Rebooted);
        guest.listeners = ANOTHER.to_owned();
        guest.answer(2, endpoint("beta", 8082), status(502));
        let causes = causes(&plan, &recording);
        assert!(
            causes[0]
                .headline
                .starts_with("nothing listens on port 8082")
        );
    }

    #[test]
    fn a_late_unit_is_named_once_and_nothing_is_to_be_done() {
        let (plan, mut recording) = healthy_recording();
        let guest = recording.guest(State::Rebooted);
        guest.listeners = HELD.to_owned();
        let beta = endpoint("beta", 8082);
        guest.http.retain(|(_, endpoint, ..)| *endpoint != beta);
        guest.answer(1, beta.clone(), status(502));
        guest.answer(2, beta, status(200));
        let causes = causes(&plan, &recording);
        assert!(
            causes[0]
                .headline
                .starts_with("beta.service: active before it listens")
        );
        assert_eq!(causes[0].severity, Severity::Warning);
    }

    #[test]
    fn what_nginx_says_of_its_configuration_leads() {
        let (plan, mut recording) = healthy_recording();
        let guest = recording.guest(State::Switched);
        guest.set_unit("nginx.service", &[("ActiveState", "failed")]);
        guest.journal.push(
            r#"{"MESSAGE":"2026/11/22 21:52:51 [emerg] 284#284: unknown directive \"gzipp\" in /x:16","_SYSTEMD_UNIT":"nginx.service","SYSLOG_IDENTIFIER":"nginx","__MONOTONIC_TIMESTAMP":"2000"}"#
                .to_owned(),
        );
        guest.answer(2, endpoint("beta", 8082), HttpAnswer::Refused);
        let causes = causes(&plan, &recording);
        assert_eq!(causes.len(), 1, "{causes:#?}");
        assert_eq!(
            causes[0].headline,
            "nginx does not start: unknown directive \"gzipp\" in /x:16"
        );
    }
}
