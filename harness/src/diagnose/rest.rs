//! Rules about what stands alone, and the last one, which takes all that is left.

use crate::vocabulary::{Check, Finding, Severity};

use super::pool::Pool;
use super::words::names;
use super::{Case, Cause};

/// Bad lines of the kernel that fail a rehearsal: a disk, memory, or the kernel itself.
pub(super) fn kernel_trouble(_case: Case<'_>, pool: &mut Pool<'_>) -> Vec<Cause> {
    one_each(&pool.take_errors(Check::LogSignature))
}

pub(super) fn system_state(_case: Case<'_>, pool: &mut Pool<'_>) -> Vec<Cause> {
    one_each(&pool.take_errors(Check::SystemState))
}

/// Answers that nothing else explains.
pub(super) fn http(_case: Case<'_>, pool: &mut Pool<'_>) -> Vec<Cause> {
    let gateway = pool.take_errors(Check::HttpGateway);
    let unanswered = pool.take_errors(Check::HttpUnanswered);
    let probes = pool.take_errors(Check::ProbeFailed);
    let cause = |findings: &[&Finding], what: &str| {
        let headline = match findings {
            [only] => only.summary.clone(),
            many => {
                let urls: Vec<&str> = many.iter().map(|f| f.subject.as_str()).collect();
                format!("{what}: {}", names(&urls))
            }
        };
        let next = findings.first().map_or("", |f| advice(f.check));
        Cause::of(findings, headline, next).map(Cause::saying_when)
    };
    cause(&unanswered, "no answer from")
        .into_iter()
        .chain(cause(&gateway, "nginx answers with a gateway error"))
        .chain(cause(
            &probes,
            "these are not answered as the configuration expects",
        ))
        .collect()
}

pub(super) fn everything_else(_case: Case<'_>, pool: &mut Pool<'_>) -> Vec<Cause> {
    one_each(&pool.take(|_| true))
}

fn one_each(findings: &[&Finding]) -> Vec<Cause> {
    findings
        .iter()
        .filter_map(|f| Cause::of(&[f], f.summary.clone(), &advice_on(f)))
        .map(Cause::saying_when)
        .collect()
}

fn advice_on(finding: &Finding) -> String {
    match (&finding.suppressed, finding.severity) {
        (Some(suppression), _) => format!("nothing until then: it is {suppression}"),
        (None, Severity::Error) => advice(finding.check).to_owned(),
        (None, Severity::Warning) => {
            "nothing has to be done for this verdict; know that it is so".to_owned()
        }
    }
}

fn advice(check: Check) -> &'static str {
    match check {
        Check::LogSignature => {
            "read the lines around it in the journal of that boot, and look for what it took down with it"
        }
        Check::SystemState => {
            "see which job does not end: `systemctl list-jobs`, quoted below where it said anything"
        }
        Check::HttpGateway => {
            "no unit that counts explains it: ask the upstream from inside the guest, and compare its address with nginx's"
        }
        Check::HttpUnanswered => {
            "see whether nginx listens on that address and port, and whether the firewall lets it through"
        }
        Check::ProbeFailed => {
            "compare what came with what bootproof.toml expects: either the candidate or the probe is wrong"
        }
        _ => "read the evidence quoted below",
    }
}
