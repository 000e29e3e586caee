//! The report as Markdown (CommonMark with GitHub's tables), for pull requests and job summaries.
//!
//! What a guest printed stands in code, fenced so that it cannot end the fence; everything else is escaped.

use crate::vocabulary::Finding;

use super::human::closure_kind;
use super::model::Report;
use super::select::{
    Shown, circumstances, finding, gaps, inspected, machine, means, shown, step, suppressions,
    table,
};

/// How many quotations of one finding are shown.
const EVIDENCE_SHOWN: usize = 3;

/// The report as a Markdown document.
pub fn render(report: &Report) -> String {
    let mut blocks = vec![format!("# {}", escape(&report.headline)), about(report)];
    for cause in &report.diagnosis.causes {
        blocks.push(format!("## {}", escape(&cause.headline)));
        blocks.push(format!("*{}*", circumstances(cause)));
        for shown in shown(report, cause) {
            match shown {
                Shown::Finding(finding) => {
                    blocks.push(format!(
                        "- {}: {}",
                        code(&finding.id()),
                        escape(&finding.summary)
                    ));
                    blocks.push(quote(finding, EVIDENCE_SHOWN));
                }
                Shown::More { check, count } => {
                    blocks.push(format!("- and {count} more of {check}"));
                }
                Shown::Foretold(ids) => {
                    let ids: Vec<String> = ids.iter().map(|id| code(id)).collect();
                    blocks.push(format!("- the files said so before: {}", ids.join(", ")));
                }
            }
        }
        if !cause.consequences.is_empty() {
            blocks.push("And therefore:".to_owned());
        }
        for consequence in &cause.consequences {
            blocks.push(format!("- {}", escape(&consequence.summary)));
            let first = consequence.findings.first();
            if let Some(finding) = first.and_then(|id| finding(report, id)) {
                blocks.push(quote(finding, 1));
            }
        }
        blocks.push(format!("**Next:** {}", escape(&cause.next)));
    }
    if !report.steps.is_empty() {
        blocks.push("## States".to_owned());
        blocks.push(states(report));
        let steps: Vec<String> = report.steps.iter().map(step).collect();
        blocks.push(format!("Steps: {}", escape(&steps.join(", "))));
    }
    let gaps = gaps(report);
    let unproven = gaps.iter().map(|gap| {
        let weight = if gap.decisive { "" } else { " (not decisive)" };
        format!("{}: {}{weight}", gap.place, gap.reason)
    });
    blocks.extend(list("Unproven", unproven.collect()));
    blocks.extend(list("Suppressions", suppressions(report)));
    blocks.extend(list("Notes", report.notes.clone()));
    blocks.extend(list("Begun again", report.begun_again.clone()));
    blocks.retain(|block| !block.is_empty());
    let mut text = blocks.join("\n\n");
    text.push('\n');
    text
}

fn about(report: &Report) -> String {
    let baseline = report.baseline.as_ref();
    let rows = [
        (
            "scenario",
            report.scenario.as_deref().map_or(String::new(), escape),
        ),
        ("candidate", code(report.candidate.toplevel.as_str())),
        (
            "baseline",
            baseline.map_or("none".to_owned(), |b| code(b.toplevel.as_str())),
        ),
        (
            "expected",
            escape(&format!(
                "{}, by {}",
                report.expect_system, report.expected_by
            )),
        ),
        ("inspected", escape(&inspected(report))),
        ("machine", escape(&machine(report))),
        ("run by", escape(&means(report))),
        ("closure", closure_kind(report.closure).to_owned()),
    ];
    rows.iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(name, text)| format!("- {name}: {text}"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn states(report: &Report) -> String {
    let mut lines = Vec::new();
    for (n, row) in table(report).iter().enumerate() {
        let cells: Vec<String> = row.iter().map(|cell| escape(cell)).collect();
        lines.push(format!("| {} |", cells.join(" | ")));
        if n == 0 {
            lines.push(format!("|{}", " --- |".repeat(row.len())));
        }
    }
    lines.join("\n")
}

fn list(title: &str, items: Vec<String>) -> Vec<String> {
    if items.is_empty() {
        return Vec::new();
    }
    let items: Vec<String> = items
        .iter()
        .map(|item| format!("- {}", escape(item)))
        .collect();
    vec![format!("## {title}"), items.join("\n")]
}

/// Evidence as a fenced block within a list item; the fence is longer than any run of backticks in it.
pub(crate) fn quote(finding: &Finding, most: usize) -> String {
    let lines: Vec<String> = finding
        .evidence
        .iter()
        .take(most)
        .map(|e| format!("  {}: {}", e.source, e.text))
        .collect();
    if lines.is_empty() {
        return String::new();
    }
    let text = lines.join("\n");
    let fence = "`".repeat(longest_run(&text).max(2) + 1);
    format!("  {fence}text\n{text}\n  {fence}")
}

/// A code span, which holds backticks only where its fence is longer (CommonMark, 6.1).
pub(crate) fn code(text: &str) -> String {
    let fence = "`".repeat(longest_run(text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}

fn longest_run(text: &str) -> usize {
    let runs = text.split(|c| c != '`');
    runs.map(str::len).max().unwrap_or(0)
}

/// Takes their meaning from the characters that Markdown and HTML give one. `_` within words has none.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '[' | ']' | '|' | '#' | '~' | '!' => {
                escaped.push('\\');
                escaped.push(c);
            }
            // GitHub would tell a person or a team.
            '@' => escaped.push_str("&#64;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::{Check, State};

    #[test]
    fn what_a_guest_printed_cannot_become_markup() {
        assert_eq!(
            escape("<script>|*a*|@team"),
            "&lt;script&gt;\\|\\*a\\*\\|&#64;team"
        );
        assert_eq!(code("a`b"), "``a`b``");
        let finding = Finding::new(Check::UnitFailed, State::Before, "a", "b")
            .with_evidence("journal", "``` ends here ```` or here");
        assert!(quote(&finding, 1).starts_with("  `````text\n"));
    }
}
