//! What `inspect` says of the next boot's files, where the whole closure can be read.

use super::{Outcome, Scene};
use crate::audit::model::{AuditCheck, AuditFinding};
use crate::vocabulary::{Finding, Severity};

pub(super) fn rule(scene: &Scene, outcome: &mut Outcome) {
    let Some(inspection) = scene.inspection else {
        return;
    };
    let of = |finding: &Finding| {
        let mut found = AuditFinding::new(
            AuditCheck::NextInspection,
            format!("{}/{}", finding.check, finding.subject),
            finding.summary.clone(),
        );
        found.severity = finding.severity;
        found.evidence = finding.evidence.clone();
        found
    };
    let errors = inspection
        .findings
        .iter()
        .filter(|f| f.severity == Severity::Error);
    let errors: Vec<AuditFinding> = errors.map(of).collect();
    // A warning says that something may be right on the machine that the files do not know.
    if errors.is_empty() {
        return;
    }
    let cause = inspection.causes.first();
    let headline = cause.map_or("its files say so", |cause| cause.headline.as_str());
    let advice = cause.map_or("run `bootproof inspect` on it", |cause| cause.next.as_str());
    outcome.cause(
        format!("one reboot away from an outage: by its files, {headline}"),
        advice,
        errors,
    );
}
