//! The report for people at a terminal.
//!
//! Called by `main` for stderr. The first line says what, in which state, and where the evidence is; the cause comes before
//! its consequences; colour repeats what the words say and never says more.

use crate::diagnose::Cause;
use crate::vocabulary::{Evidence, Finding, Severity, State, Verdict};

use super::ledger;
use super::model::{ClosureKind, Report};
use super::select::{
    Shown, circumstances, finding, gaps, inspected, machine, means, place, shown, steps,
    suppressions, table, unstable,
};
use super::stage_times;
use super::text::{clip, wrap};

/// How a report is printed.
#[derive(Debug, Clone, Default)]
pub struct Style {
    pub colour: bool,
    /// Where the recording is, for the first line and the last.
    pub run_dir: Option<String>,
}

const WIDTH: usize = 110;
const EVIDENCE_WIDTH: usize = 150;
/// How many quotations of one finding are shown.
const EVIDENCE_SHOWN: usize = 2;
const NOTES_SHOWN: usize = 8;

/// The report as lines for a terminal.
pub fn render(report: &Report, style: &Style) -> String {
    let mut page = Page {
        colour: style.colour,
        text: String::new(),
    };
    page.first_line(report, style);
    page.about(report);
    let causes = &report.diagnosis.causes;
    for (n, cause) in causes.iter().enumerate() {
        page.cause(report, cause, n + 1, causes.len());
    }
    page.states(report);
    page.list("units over time", &unstable(report));
    page.ledger(report);
    page.stage_times(report);
    page.list("power cuts in the switch", &cut_lines(report));
    page.list("specialisations", &specialisation_lines(report));
    page.unproven(report);
    page.list("suppressions", &suppressions(report));
    page.list("notes", &report.notes);
    page.list("begun again", &report.begun_again);
    if let Some(dir) = &style.run_dir {
        page.line("");
        page.line(&format!(
            "evidence: {dir} (report.html, console of each boot, observations.jsonl, report.json); again: bootproof report {dir}"
        ));
    }
    page.text
}

#[derive(Clone, Copy)]
enum Ink {
    Red,
    Green,
    Yellow,
    Bold,
    Dim,
}

struct Page {
    colour: bool,
    text: String,
}

impl Page {
    fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    /// SGR sequences of ECMA-48, 8.3.117.
    fn ink(&self, ink: Ink, text: &str) -> String {
        let code = match ink {
            Ink::Red => "1;31",
            Ink::Green => "1;32",
            Ink::Yellow => "1;33",
            Ink::Bold => "1",
            Ink::Dim => "2",
        };
        if self.colour {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    fn first_line(&mut self, report: &Report, style: &Style) {
        let ink = match report.verdict {
            Verdict::Pass => Ink::Green,
            Verdict::Unproven => Ink::Yellow,
            Verdict::Fail => Ink::Red,
        };
        let mut line = self.ink(ink, &report.headline);
        let state = report
            .diagnosis
            .causes
            .first()
            .filter(|_| report.verdict == Verdict::Fail)
            .map(|cause| place(cause.state));
        let evidence = style
            .run_dir
            .as_ref()
            .map(|dir| format!("evidence in {dir}"));
        let place: Vec<String> = state.into_iter().chain(evidence).collect();
        if !place.is_empty() {
            line.push_str(&format!(" [{}]", place.join("; ")));
        }
        self.line(&line);
    }

    fn about(&mut self, report: &Report) {
        self.line("");
        let mut row = |name: &str, text: &str| self.line(&format!("{name:<11}{text}"));
        if let Some(scenario) = &report.scenario {
            row("scenario", scenario);
        }
        row("candidate", report.candidate.toplevel.as_str());
        match &report.baseline {
            Some(baseline) => row("baseline", baseline.toplevel.as_str()),
            None => row("baseline", "none"),
        }
        row(
            "expected",
            &format!("{}, by {}", report.expect_system, report.expected_by),
        );
        if report.inspected.is_some() {
            row("inspected", &inspected(report));
        }
        row("machine", &machine(report));
        row("run by", &means(report));
        row("closure", closure_kind(report.closure));
    }

    fn cause(&mut self, report: &Report, cause: &Cause, n: usize, of: usize) {
        self.line("");
        let ink = match cause.severity {
            Severity::Error => Ink::Red,
            Severity::Warning => Ink::Yellow,
        };
        let title = format!("cause {n} of {of}: {}", circumstances(cause));
        let title = self.ink(ink, &title);
        self.line(&title);
        // The first line of the report has said the headline of the first cause.
        if n > 1 || report.verdict != Verdict::Fail {
            for line in wrap(&cause.headline, WIDTH - 2) {
                let line = self.ink(Ink::Bold, &line);
                self.line(&format!("  {line}"));
            }
        }
        let mut told = None;
        for shown in shown(report, cause) {
            match shown {
                Shown::Finding(finding) => {
                    // Of several findings of one check, the first is told whole.
                    let is_like_the_last = told == Some(finding.check);
                    told = Some(finding.check);
                    self.finding(finding, is_like_the_last);
                }
                Shown::More { check, count } => {
                    self.line(&format!("  - and {count} more of {check}"));
                }
                Shown::Foretold(ids) => {
                    let text = format!("the files said so before: {}", ids.join(", "));
                    for (n, line) in wrap(&text, WIDTH - 4).iter().enumerate() {
                        let lead = if n == 0 { "  - " } else { "    " };
                        self.line(&format!("{lead}{line}"));
                    }
                }
            }
        }
        for (n, consequence) in cause.consequences.iter().enumerate() {
            if n == 0 {
                self.line("  and therefore:");
            }
            for (n, line) in wrap(&consequence.summary, WIDTH - 6).iter().enumerate() {
                let lead = if n == 0 { "  - " } else { "    " };
                self.line(&format!("  {lead}{line}"));
            }
            let first = consequence.findings.first();
            if let Some(finding) = first.and_then(|id| finding(report, id)) {
                // Its last quotation says most: the unit's own words, or where nginx passes requests on to.
                self.quote("        ", finding.evidence.last());
            }
        }
        for (n, misleading) in cause.misleading.iter().enumerate() {
            if n == 0 {
                self.line("  misleading, and no cause:");
            }
            let text = format!("{}; {}", misleading.evidence, misleading.truth);
            for (n, line) in wrap(&text, WIDTH - 6).iter().enumerate() {
                let lead = if n == 0 { "  - " } else { "    " };
                self.line(&format!("  {lead}{line}"));
            }
        }
        for (n, line) in wrap(&cause.next, WIDTH - 8).iter().enumerate() {
            let lead = if n == 0 { "  next: " } else { "        " };
            self.line(&format!("{lead}{line}"));
        }
    }

    fn finding(&mut self, finding: &Finding, briefly: bool) {
        let also = match finding.also_in.as_slice() {
            [] => String::new(),
            states => {
                let states: Vec<String> = states.iter().map(State::to_string).collect();
                format!(" (also in {})", states.join(", "))
            }
        };
        self.line(&format!("  - {}{also}", finding.id()));
        if briefly {
            self.evidence(finding, "      ", 1);
            return;
        }
        for line in wrap(&finding.summary, WIDTH - 6) {
            self.line(&format!("      {line}"));
        }
        self.evidence(finding, "      ", EVIDENCE_SHOWN);
    }

    fn evidence(&mut self, finding: &Finding, indent: &str, most: usize) {
        self.quote(indent, finding.evidence.iter().take(most));
    }

    fn quote<'a>(&mut self, indent: &str, evidence: impl IntoIterator<Item = &'a Evidence>) {
        for evidence in evidence {
            let text = format!("> {}: {}", evidence.source, evidence.text);
            let text = self.ink(Ink::Dim, &clip(&text, EVIDENCE_WIDTH));
            self.line(&format!("{indent}{text}"));
        }
    }

    fn states(&mut self, report: &Report) {
        if report.steps.is_empty() {
            return;
        }
        let rows = table(report);
        let columns = rows.first().map_or(0, Vec::len);
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        self.line("");
        for (n, row) in rows.iter().enumerate() {
            let cells = row.iter().zip(&widths);
            let line: String = cells.map(|(cell, w)| format!("{cell:<w$}   ")).collect();
            let line = line.trim_end();
            let line = if n == 0 {
                self.ink(Ink::Bold, line)
            } else {
                line.to_owned()
            };
            self.line(&line);
        }
        let steps = steps(report);
        self.line(&format!("steps: {}", steps.join(", ")));
    }

    fn ledger(&mut self, report: &Report) {
        let lines = ledger::lines(report);
        if let Some(title) = ledger::title(report) {
            self.list(&title, &lines);
        }
    }

    fn stage_times(&mut self, report: &Report) {
        let lines = report.stage_times.iter().map(|times| {
            let [way, stage, boots, minimum, median, maximum] = stage_times::words(times);
            format!("{way:<17} {stage:<11} {minimum:>8} {median:>8} {maximum:>8}  ({boots} boots)")
        });
        let title = "time from reset or power-on to each stage: minimum, median, maximum";
        self.list(title, &lines.collect::<Vec<_>>());
    }

    fn unproven(&mut self, report: &Report) {
        let lines: Vec<String> = gaps(report)
            .iter()
            .map(|gap| {
                let weight = if gap.decisive {
                    ""
                } else {
                    " (the verdict does not depend on it)"
                };
                format!("{}: {}{weight}", gap.place, gap.reason)
            })
            .collect();
        self.list("unproven", &lines);
    }

    fn list(&mut self, title: &str, lines: &[String]) {
        if lines.is_empty() {
            return;
        }
        self.line("");
        self.line(&format!("{title}:"));
        for text in lines.iter().take(NOTES_SHOWN) {
            for (n, line) in wrap(text, WIDTH - 4).iter().enumerate() {
                let lead = if n == 0 { "  - " } else { "    " };
                self.line(&format!("{lead}{line}"));
            }
        }
        let more = lines.len().saturating_sub(NOTES_SHOWN);
        if more > 0 {
            self.line(&format!("  - and {more} more in report.json"));
        }
    }
}

fn cut_lines(report: &Report) -> Vec<String> {
    report.cuts.iter().map(|cut| cut.text.clone()).collect()
}

pub(super) fn specialisation_lines(report: &Report) -> Vec<String> {
    let all = report.specialisations.iter();
    all.map(|told| told.text.clone()).collect()
}

pub(super) fn closure_kind(kind: ClosureKind) -> &'static str {
    match kind {
        ClosureKind::Lab => "lab: regression evidence, not evidence about NixOS",
        ClosureKind::Nixos => "NixOS",
    }
}
