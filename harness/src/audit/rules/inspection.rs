//! What `inspect` says of the next boot's files, where the whole closure can be read.

use std::collections::BTreeSet;

use super::{Outcome, Scene};
use crate::audit::model::{AuditCheck, AuditFinding};
use crate::vocabulary::{Check, Finding, Severity};

pub(super) fn rule(scene: &Scene, outcome: &mut Outcome) {
    let Some(inspection) = scene.inspection else {
        return;
    };
    // What was found on the machine itself is not told twice.
    let known: BTreeSet<String> = outcome
        .findings
        .iter()
        .filter(|found| found.check == AuditCheck::NextExecutability)
        .map(|found| found.subject.clone())
        .collect();
    let is_known = |finding: &Finding| {
        finding.check == Check::Executability && known.contains(&finding.subject)
    };
    // A warning says that something may be right on the machine that the files do not know.
    let errors: Vec<&Finding> = inspection
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error && !is_known(finding))
        .collect();
    if errors.is_empty() {
        return;
    }
    let found = errors.iter().map(|finding| of(finding));
    // The machine has shown how this very system boots, and what failed is told by its units.
    let machine = scene.machine;
    if machine.booted.is_some() && machine.booted.as_deref() == machine.next_toplevel() {
        outcome
            .findings
            .extend(found.map(AuditFinding::into_warning));
        return;
    }
    let ids: BTreeSet<String> = errors.iter().map(|finding| finding.id()).collect();
    let mut causes = inspection.causes.iter();
    let cause = causes.find(|cause| cause.findings.iter().any(|id| ids.contains(id)));
    let headline = cause.map_or("see the findings", |cause| cause.headline.as_str());
    let advice = cause.map_or("run `bootproof inspect` on it", |cause| cause.next.as_str());
    let headline = format!("one reboot away from an outage, by its files: {headline}");
    let found = found.collect();
    outcome.cause(headline, advice, found);
}

fn of(finding: &Finding) -> AuditFinding {
    let subject = format!("{}/{}", finding.check, finding.subject);
    let summary = finding.summary.clone();
    let mut found = AuditFinding::new(AuditCheck::NextInspection, subject, summary);
    found.evidence = finding.evidence.clone();
    found
}
