//! The inspection as Markdown, for pull requests and the summary of a CI job: the verdict, what to do, what changes, and behind a click what
//! was found.

use super::Inspection;
use super::human::{about, change_lines, printable};
use crate::report::{code, details, document, escape, quote};
use crate::vocabulary::{Finding, Severity};

/// Quotations of one finding.
const EVIDENCE: usize = 3;
/// Findings that are shown; JSON has all.
const SHOWN: usize = 200;

/// The inspection as a Markdown document of less than 1 MiB.
pub fn render(inspection: &Inspection) -> String {
    let mut blocks = vec![format!("# {}", escape(&inspection.headline))];
    if let Some(next) = &inspection.next {
        blocks.push(format!("**Next:** {}", escape(next)));
    }
    for (severity, title) in [(Severity::Error, "error"), (Severity::Warning, "warning")] {
        let findings = inspection.findings.iter();
        let findings: Vec<&Finding> = findings.filter(|f| f.severity == severity).collect();
        blocks.extend(of_findings(title, &findings));
    }
    if let Some(changes) = &inspection.changes {
        blocks.push("## Changes".to_owned());
        blocks.push(rows(&change_lines(changes)));
    }
    let unproven: Vec<(&str, String)> = inspection
        .unproven
        .iter()
        .map(|u| (u.subject.as_str(), u.reason.clone()))
        .collect();
    if !unproven.is_empty() {
        blocks.push("## Unproven".to_owned());
        blocks.push(rows(&unproven));
    }
    if !inspection.notes.is_empty() {
        blocks.push("## Notes".to_owned());
        let notes: Vec<String> = inspection.notes.iter().map(|n| escape(n)).collect();
        blocks.push(format!("- {}", notes.join("\n- ")));
    }
    blocks.push(rows(&about(inspection)));
    printable(&document(blocks))
}

fn of_findings(title: &str, findings: &[&Finding]) -> Option<String> {
    let plural = match findings.len() {
        0 => return None,
        1 => format!("1 {title}"),
        many => format!("{many} {title}s"),
    };
    let mut blocks = Vec::new();
    for finding in findings.iter().take(SHOWN) {
        let id = code(&finding.id());
        blocks.push(format!("- {id}: {}", escape(&finding.summary)));
        blocks.push(quote(finding, EVIDENCE));
    }
    if let more @ 1.. = findings.len().saturating_sub(SHOWN) {
        blocks.push(format!("- and {more} more"));
    }
    Some(details(&plural, blocks))
}

fn rows(rows: &[(&str, String)]) -> String {
    rows.iter()
        .map(|(name, text)| format!("- {}: {}", escape(name), escape(text)))
        .collect::<Vec<_>>()
        .join("\n")
}
