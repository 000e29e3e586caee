//! The inspection as Markdown, for pull requests and job summaries.

use super::Inspection;
use super::human::{about, change_lines, printable};
use crate::report::{code, escape, quote};
use crate::vocabulary::Severity;

/// Quotations of one finding.
const EVIDENCE: usize = 3;

/// The inspection as a Markdown document.
pub fn render(inspection: &Inspection) -> String {
    let mut blocks = vec![format!("# {}", escape(&inspection.headline))];
    blocks.push(rows(&about(inspection)));
    if !inspection.findings.is_empty() {
        blocks.push("## Findings".to_owned());
    }
    for finding in &inspection.findings {
        let warning = match finding.severity {
            Severity::Error => "",
            Severity::Warning => " (warning)",
        };
        blocks.push(format!(
            "- {}{warning}: {}",
            code(&finding.id()),
            escape(&finding.summary)
        ));
        blocks.push(quote(finding, EVIDENCE));
    }
    if let Some(next) = &inspection.next {
        blocks.push(format!("**Next:** {}", escape(next)));
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
    blocks.retain(|block| !block.is_empty());
    printable(&(blocks.join("\n\n") + "\n"))
}

fn rows(rows: &[(&str, String)]) -> String {
    rows.iter()
        .map(|(name, text)| format!("- {}: {}", escape(name), escape(text)))
        .collect::<Vec<_>>()
        .join("\n")
}
