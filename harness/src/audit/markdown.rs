//! The audit as Markdown, for a ticket or a job's summary.

use super::human::{about, printable};
use super::model::Audit;
use crate::report::{code, escape};
use crate::vocabulary::Severity;

/// The audit as a Markdown document.
pub fn render(audit: &Audit) -> String {
    let mut blocks = vec![format!("# {}", escape(&printable(&audit.headline)))];
    blocks.push(rows(about(audit)));
    if !audit.findings.is_empty() {
        blocks.push("## Findings".to_owned());
    }
    for finding in &audit.findings {
        let warning = match finding.severity {
            Severity::Error => "",
            Severity::Warning => " (warning)",
        };
        let mut lines = vec![format!(
            "- {}{warning}: {}",
            code(&printable(&finding.id())),
            escape(&printable(&finding.summary))
        )];
        for evidence in &finding.evidence {
            let (source, text) = (printable(&evidence.source), printable(&evidence.text));
            lines.push(format!("  - {}: {}", escape(&source), code(&text)));
        }
        blocks.push(lines.join("\n"));
    }
    if let Some(advice) = &audit.advice {
        blocks.push(format!("**Next:** {}", escape(&printable(advice))));
    }
    if !audit.unproven.is_empty() {
        blocks.push("## Unproven".to_owned());
        let unproven = audit.unproven.iter();
        blocks.push(rows(
            unproven.map(|u| (u.subject.as_str(), u.reason.clone())),
        ));
    }
    if !audit.notes.is_empty() {
        blocks.push("## Notes".to_owned());
        let notes: Vec<String> = audit
            .notes
            .iter()
            .map(|n| format!("- {}", escape(&printable(n))))
            .collect();
        blocks.push(notes.join("\n"));
    }
    blocks.join("\n\n") + "\n"
}

fn rows<'a>(rows: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let rows = rows.into_iter();
    let rows: Vec<String> = rows
        .map(|(name, text)| {
            format!(
                "- {}: {}",
                escape(&printable(name)),
                escape(&printable(&text))
            )
        })
        .collect();
    rows.join("\n")
}
