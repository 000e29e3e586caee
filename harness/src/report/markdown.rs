//! The report as Markdown, for pull requests and the summary of a CI job: the verdict, what to do, the states side by side, and behind a
//! click what it rests on.
//!
//! What a guest printed stands in code, fenced so that it cannot end the fence; everything else is escaped.

use crate::diagnose::Cause;

use super::human::{closure_kind, specialisation_lines};
use super::ledger;
use super::markup::{code, details, document, escape, list, quote, table};
use super::model::Report;
use super::select::{
    self, Shown, circumstances, finding, gaps, inspected, machine, means, shown, steps,
    suppressions,
};

/// How many quotations of one finding are shown.
const EVIDENCE_SHOWN: usize = 3;
/// How many ids of findings that only confirm a cause.
const IDS_SHOWN: usize = 20;

/// The report as a Markdown document of less than 1 MiB.
pub fn render(report: &Report) -> String {
    let mut blocks = vec![format!("# {}", escape(&report.headline))];
    if let Some(cause) = report.diagnosis.causes.first() {
        blocks.push(format!("**Next:** {}", escape(&cause.next)));
    }
    if !report.steps.is_empty() {
        blocks.push(table(&select::table(report)));
        let steps = steps(report);
        blocks.push(format!("Steps: {}", escape(&steps.join(", "))));
    }
    let causes = report.diagnosis.causes.iter().enumerate();
    blocks.extend(causes.map(|(n, cause)| of_cause(report, cause, n > 0)));
    let gaps = gaps(report).into_iter().map(|gap| {
        let weight = if gap.decisive { "" } else { " (not decisive)" };
        format!("{}: {}{weight}", gap.place, gap.reason)
    });
    if let Some(title) = ledger::title(report) {
        blocks.extend(section(&title, &ledger::lines(report)));
    }
    blocks.extend(section("Specialisations", &specialisation_lines(report)));
    blocks.extend(section("Unproven", &gaps.collect::<Vec<_>>()));
    blocks.extend(section("Suppressions", &suppressions(report)));
    blocks.extend(section("Begun again", &report.begun_again));
    let mut about = vec![rows(report)];
    about.extend(section("Notes", &report.notes));
    blocks.push(details("What was rehearsed, and how", about));
    document(blocks)
}

/// What a cause rests on, behind its headline; what to do about the first is said above all.
fn of_cause(report: &Report, cause: &Cause, with_advice: bool) -> String {
    let mut blocks = Vec::new();
    for shown in shown(report, cause) {
        match shown {
            Shown::Finding(finding) => {
                let id = code(&finding.id());
                blocks.push(format!("- {id}: {}", escape(&finding.summary)));
                blocks.push(quote(finding, EVIDENCE_SHOWN));
            }
            Shown::More { check, count } => blocks.push(format!("- and {count} more of {check}")),
            Shown::Foretold(ids) => {
                let more = match ids.len().saturating_sub(IDS_SHOWN) {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                let ids: Vec<String> = ids.iter().take(IDS_SHOWN).map(|id| code(id)).collect();
                blocks.push(format!(
                    "- the files said so before: {}{more}",
                    ids.join(", ")
                ));
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
    if !cause.misleading.is_empty() {
        blocks.push("Misleading, and no cause:".to_owned());
    }
    for misleading in &cause.misleading {
        let evidence = escape(&misleading.evidence);
        blocks.push(format!("- {evidence}; {}", escape(&misleading.truth)));
    }
    if with_advice {
        blocks.push(format!("**Next:** {}", escape(&cause.next)));
    }
    let summary = format!("{} ({})", cause.headline, circumstances(cause));
    details(&summary, blocks)
}

fn rows(report: &Report) -> String {
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

fn section(title: &str, items: &[String]) -> Vec<String> {
    if items.is_empty() {
        return Vec::new();
    }
    let items = list(items.iter().map(String::as_str));
    vec![format!("## {title}"), items]
}
