//! Rules about units that do not run, each with what follows from it.

use crate::vocabulary::{Check, Finding};

use super::pool::{Pool, first_state};
use super::words::{agree, names};
use super::{Case, Cause, claims, inspected};

pub(super) fn exec_failed(case: Case<'_>, pool: &mut Pool<'_>) -> Vec<Cause> {
    let findings = pool.take_errors(Check::ExecFailed);
    let reason = findings
        .first()
        .and_then(|f| f.summary.rsplit_once(": "))
        .map_or("203/EXEC", |(_, reason)| reason);
    let headline = |units: &str| {
        format!(
            "{units} cannot start {}: {reason}",
            agree(findings.len(), "its executable", "their executables")
        )
    };
    let next = "look at the path that the journal names: whether it is in the closure, executable, and built for this kernel";
    cause(case, pool, &findings, headline, next)
}

pub(super) fn failed(case: Case<'_>, pool: &mut Pool<'_>) -> Vec<Cause> {
    let findings = pool.take_errors(Check::UnitFailed);
    let headline = |units: &str| match findings.as_slice() {
        [only] => only.summary.clone(),
        _ => format!("{units} failed"),
    };
    let next =
        "read the unit's own lines of the journal, quoted below: what the error says comes first";
    cause(case, pool, &findings, headline, next)
}

pub(super) fn looping(case: Case<'_>, pool: &mut Pool<'_>) -> Vec<Cause> {
    let findings = pool.take_errors(Check::RestartLoop);
    let headline = |units: &str| {
        let be = agree(findings.len(), "is", "are");
        format!("{units} {be} restarted again and again, and systemd calls that no failure")
    };
    let next = "read why the main process ends: `journalctl --unit` of it, from its first start on";
    cause(case, pool, &findings, headline, next)
}

pub(super) fn inactive(case: Case<'_>, pool: &mut Pool<'_>) -> Vec<Cause> {
    let findings = pool.take_errors(Check::UnitInactive);
    let headline = |units: &str| match findings.as_slice() {
        [only] => only.summary.clone(),
        _ => format!("{units} are wanted by the boot target and not active"),
    };
    let next = "see what the unit waits for or lacks: `systemctl list-dependencies` and `systemctl list-jobs` say";
    cause(case, pool, &findings, headline, next)
}

/// A switch that only says that units failed, where no finding names one: the units failed for a while, or are not wanted.
pub(super) fn switch_of_failed_units(_case: Case<'_>, pool: &mut Pool<'_>) -> Vec<Cause> {
    let findings = pool.take_errors(Check::SwitchFailed);
    let headline = findings.first().map_or("", |f| &f.summary);
    let next = "read which units `switch-to-configuration` named; afterwards none was seen that does not run";
    Cause::of(&findings, headline, next).into_iter().collect()
}

fn cause(
    case: Case<'_>,
    pool: &mut Pool<'_>,
    findings: &[&Finding],
    headline: impl FnOnce(&str) -> String,
    next: &str,
) -> Vec<Cause> {
    let Some(since) = first_state(findings) else {
        return Vec::new();
    };
    let units: Vec<&str> = findings.iter().map(|f| f.subject.as_str()).collect();
    let cause = Cause::of(findings, headline(&names(&units)), next);
    let Some(mut cause) = cause.map(Cause::saying_when) else {
        return Vec::new();
    };
    let foretold = inspected::take_of_units(pool, &units);
    cause.findings.extend(foretold.iter().map(|f| f.id()));
    cause.consequences = claims::of_units(case, pool, &units, since);
    let later = |f: &Finding| f.state >= since;
    let switch = pool.take(|f| f.check == Check::SwitchFailed && later(f));
    let state = pool.take(|f| f.check == Check::SystemState && later(f));
    cause.consequences.extend(claims::consequence(
        &switch,
        "the switch reports failed units",
    ));
    cause.consequences.extend(claims::consequence(
        &state,
        "the start does not come to rest",
    ));
    vec![cause]
}
