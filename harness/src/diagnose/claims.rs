//! What follows from units that do not run.
//!
//! Called by every rule about units. A consequence is never of an earlier state than its cause.

use crate::vocabulary::{Check, Finding, State};

use super::pool::Pool;
use super::words::names;
use super::{Case, Consequence};

/// Takes what follows from `units`, which do not run since a state.
pub(super) fn of_units(
    case: Case<'_>,
    pool: &mut Pool<'_>,
    units: &[&str],
    since: State,
) -> Vec<Consequence> {
    let later = |f: &Finding| f.state >= since;
    let own = |f: &Finding| later(f) && units.contains(&f.subject.as_str());
    let looping = pool.take(|f| f.check == Check::RestartLoop && own(f));
    let failed = pool.take(|f| f.check == Check::UnitFailed && own(f));
    let inactive = pool.take(|f| {
        f.check == Check::UnitInactive && later(f) && (own(f) || requires(case, f, units))
    });
    let gateway = pool.take(|f| f.check == Check::HttpGateway && later(f));
    let is_nginx = units.iter().any(|unit| unit.starts_with("nginx"));
    let probes = pool.take(|f| f.check == Check::ProbeFailed && later(f));
    let unanswered = pool.take(|f| is_nginx && f.check == Check::HttpUnanswered && later(f));
    let misleading =
        pool.take(|f| f.check == Check::LogSignature && f.subject == "cgroup-memory" && later(f));
    let groups = [
        (looping, "systemd restarts without end"),
        (failed, "failed"),
        (inactive, "not active"),
        (gateway, "nginx cannot reach what is behind"),
        (unanswered, "no answer from"),
        (probes, "not answered as the configuration expects"),
        (
            misleading,
            "a misleading line of the log (memory is not what is short)",
        ),
    ];
    groups
        .into_iter()
        .filter_map(|(findings, what)| consequence(&findings, what))
        .collect()
}

/// One consequence of several findings; `None` where there are none.
pub(super) fn consequence(findings: &[&Finding], what: &str) -> Option<Consequence> {
    let first = findings.first()?;
    let subjects: Vec<&str> = findings.iter().map(|f| f.subject.as_str()).collect();
    let subjects = names(&subjects);
    let answer = first
        .evidence
        .first()
        .filter(|_| first.check == Check::HttpGateway);
    let summary = match answer {
        Some(answer) => format!("nginx stays up and answers {} for {subjects}", answer.text),
        None => format!("{what}: {subjects}"),
    };
    Some(Consequence {
        summary,
        findings: findings.iter().map(|f| f.id()).collect(),
    })
}

/// Whether the unit of a finding cannot start without one of these.
fn requires(case: Case<'_>, finding: &Finding, units: &[&str]) -> bool {
    let seen = case.run.states.get(&finding.state).and_then(|r| r.units());
    seen.and_then(|all| all.get(&finding.subject))
        .is_some_and(|unit| unit.requires.iter().any(|r| units.contains(&r.as_str())))
}
