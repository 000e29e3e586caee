//! What an inspection recorded, made fit for a terminal: file names of a closure are as hostile as a guest.

use crate::vocabulary::{Changes, Finding, Inspected, Replaced, StaticCause, Unproven};

use super::sanitise::line;

/// The inspection with every text as [`line`] makes it; a cause still names its findings.
pub fn sanitised(inspected: &Inspected) -> Inspected {
    Inspected {
        units: inspected.units,
        commands: inspected.commands,
        findings: inspected.findings.iter().map(finding).collect(),
        causes: inspected
            .causes
            .iter()
            .map(|cause| StaticCause {
                headline: line(&cause.headline),
                next: line(&cause.next),
                findings: ids(cause, &inspected.findings),
            })
            .collect(),
        unproven: inspected
            .unproven
            .iter()
            .map(|unproven| Unproven {
                subject: line(&unproven.subject),
                reason: line(&unproven.reason),
                ..unproven.clone()
            })
            .collect(),
        notes: lines(&inspected.notes),
        changes: inspected.changes.as_ref().map(changes),
    }
}

fn lines(texts: &[String]) -> Vec<String> {
    texts.iter().map(|text| line(text)).collect()
}

fn changes(changes: &Changes) -> Changes {
    let replaced = |replaced: &Replaced| Replaced {
        what: line(&replaced.what),
        before: line(&replaced.before),
        after: line(&replaced.after),
    };
    Changes {
        replaced: changes.replaced.iter().map(replaced).collect(),
        units_added: lines(&changes.units_added),
        units_removed: lines(&changes.units_removed),
        units_changed: lines(&changes.units_changed),
        units_restarted: lines(&changes.units_restarted),
        units_reloaded: lines(&changes.units_reloaded),
        units_left: lines(&changes.units_left),
        reboot_for: lines(&changes.reboot_for),
    }
}

fn finding(finding: &Finding) -> Finding {
    let mut finding = finding.clone();
    finding.subject = line(&finding.subject);
    finding.summary = line(&finding.summary);
    for evidence in &mut finding.evidence {
        evidence.source = line(&evidence.source);
        evidence.text = line(&evidence.text);
    }
    finding
}

/// A cause names its findings by what they are called now.
fn ids(cause: &StaticCause, findings: &[Finding]) -> Vec<String> {
    let of_cause = findings.iter().filter(|f| cause.findings.contains(&f.id()));
    of_cause.map(|f| finding(f).id()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::{Check, State};

    #[test]
    fn a_name_with_an_escape_sequence_still_belongs_to_its_cause() {
        let hostile = Finding::new(Check::Reference, State::Inspected, "\u{1b}[31ma ", "x")
            .with_evidence("\u{7}etc/a", "\u{1b}]0;title\u{7}b");
        let cause = StaticCause {
            headline: "x".to_owned(),
            next: "y".to_owned(),
            findings: vec![hostile.id()],
        };
        let clean = sanitised(&Inspected {
            findings: vec![hostile],
            causes: vec![cause],
            ..Inspected::default()
        });
        assert_eq!(clean.findings[0].subject, "a");
        assert_eq!(clean.findings[0].evidence[0].source, "etc/a");
        assert_eq!(clean.findings[0].evidence[0].text, "b");
        assert_eq!(clean.causes[0].findings, [clean.findings[0].id()]);
    }
}
