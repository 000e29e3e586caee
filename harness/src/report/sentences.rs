//! The texts of a report, to be changed all alike: made fit for a terminal, or redacted.

use crate::vocabulary::StepOutcome;

use super::model::Report;

/// Every sentence and quotation of a report; no id, subject, state or name of a thing.
pub(super) fn sentences(report: &mut Report) -> Vec<&mut String> {
    let mut texts = vec![&mut report.headline];
    texts.extend(report.accelerator.iter_mut().map(|used| &mut used.reason));
    for step in &mut report.steps {
        match &mut step.outcome {
            Some(StepOutcome::GuestFailed {
                reason, last_line, ..
            }) => {
                texts.push(reason);
                texts.extend(last_line);
            }
            Some(StepOutcome::Unobservable { reason } | StepOutcome::NotOffered { reason }) => {
                texts.push(reason);
            }
            Some(StepOutcome::Done | StepOutcome::Skipped) | None => {}
        }
    }
    for finding in &mut report.findings {
        texts.push(&mut finding.summary);
        texts.extend(finding.evidence.iter_mut().map(|e| &mut e.text));
    }
    for cause in &mut report.diagnosis.causes {
        texts.extend([&mut cause.headline, &mut cause.next]);
        texts.extend(cause.consequences.iter_mut().map(|c| &mut c.summary));
        let misleading = cause.misleading.iter_mut();
        texts.extend(misleading.flat_map(|m| [&mut m.evidence, &mut m.truth]));
    }
    texts.extend(report.unproven.iter_mut().map(|u| &mut u.reason));
    texts.extend(&mut report.notes);
    texts.extend(&mut report.begun_again);
    for cut in &mut report.cuts {
        texts.extend([&mut cut.cut, &mut cut.text]);
        texts.extend(&mut cut.booted);
    }
    for specialisation in &mut report.specialisations {
        texts.extend([&mut specialisation.name, &mut specialisation.text]);
        texts.extend(&mut specialisation.booted);
    }
    for boot in &mut report.boots {
        texts.extend(&mut boot.exit);
        let fingerprint = boot.fingerprint.iter_mut();
        texts.extend(fingerprint.flat_map(|f| &mut f.lines));
    }
    texts
}

/// Every text that says what something is about, ids that refer to another included.
pub(super) fn names(report: &mut Report) -> Vec<&mut String> {
    let mut texts = Vec::new();
    for finding in &mut report.findings {
        texts.push(&mut finding.subject);
        texts.extend(finding.evidence.iter_mut().map(|e| &mut e.source));
    }
    for cause in &mut report.diagnosis.causes {
        texts.extend(&mut cause.findings);
        texts.extend(cause.consequences.iter_mut().flat_map(|c| &mut c.findings));
    }
    texts.extend(report.unproven.iter_mut().map(|u| &mut u.subject));
    texts
}
