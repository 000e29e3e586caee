//! A unit is told of once, whatever is wrong with it.

use crate::inspect::rules::Outcome;
use crate::vocabulary::{Finding, Severity};

/// Adds what is found of a unit to what is known of it: the worse of the two is the finding, with the evidence of both.
pub(super) fn tell(outcome: &mut Outcome, mut finding: Finding, next: &str) {
    let known = outcome
        .findings
        .iter()
        .position(|known| known.id() == finding.id());
    match known {
        Some(at) if outcome.findings[at].severity >= finding.severity => {
            outcome.findings[at].evidence.extend(finding.evidence);
            return;
        }
        Some(at) => finding
            .evidence
            .extend(outcome.findings.remove(at).evidence),
        None => {}
    }
    if finding.severity == Severity::Error {
        let headline = format!("{} {}", finding.subject, finding.summary);
        outcome.cause(headline, next, [finding]);
    } else {
        outcome.findings.push(finding);
    }
}
