//! All that the template shows, put together.

use std::collections::BTreeSet;

use askama::Template;

use super::chart::{Chart, chart};
use super::differences::{Differences, differences};
use super::evidence::links;
use super::excerpt::{Excerpt, Part, excerpt};
use super::findings::{CauseView, LIMIT, causes};
use super::http::{HttpTable, http};
use super::ledger_chart;
use super::run_chart::{self, StageRow};
use super::screens::{ScreenView, screens};
use super::sources::sources;
use super::states::{StateTable, states};
use super::unit_chart::{self, UnitNumbers};
use super::{Recording, security};
use crate::fold::{Run, sanitise};
use crate::report::human::closure_kind;
use crate::report::ledger;
use crate::report::model::{CutReport, Report, SpecialisationReport};
use crate::report::select::{
    gaps, inspected, machine, means, place, steps, suppressions, unstable_in,
};
use crate::report::stage_times::{COLUMNS, words};
use crate::report::text::clip;
use crate::vocabulary::Verdict;

#[derive(Template)]
#[template(path = "report.html")]
pub(super) struct Page<'a> {
    policy: String,
    style: &'static str,
    script: &'static str,
    verdict: &'static str,
    /// The headline after its verdict.
    reason: &'a str,
    title: String,
    /// Where the first cause does its harm.
    place: Option<String>,
    is_latent: bool,
    next: Option<&'a str>,
    about: Vec<(&'static str, String)>,
    candidate: &'a str,
    causes: Vec<CauseView<'a>>,
    findings_left_out: usize,
    states: StateTable,
    stage_columns: [&'static str; 6],
    stage_times: Vec<[String; 6]>,
    steps: Vec<String>,
    screens: Vec<ScreenView>,
    run_chart: Option<Chart>,
    stages: Vec<StageRow>,
    unit_charts: Vec<UnitChart>,
    http: HttpTable,
    ledger_chart: Option<Chart>,
    ledger_title: String,
    ledger_lines: Vec<String>,
    differences: Option<Differences>,
    excerpts: Vec<Excerpt>,
    gaps: Vec<GapView<'a>>,
    suppressions: Vec<String>,
    notes: &'a [String],
    cuts: &'a [CutReport],
    specialisations: &'a [SpecialisationReport],
    begun_again: &'a [String],
    tool_version: &'a str,
}

/// The units of one state.
struct UnitChart {
    state: &'static str,
    chart: Chart,
    numbers: Vec<UnitNumbers>,
    left_out: usize,
    unstable: Vec<String>,
}

struct GapView<'a> {
    place: String,
    reason: &'a str,
    decisive: bool,
}

/// The page of a report.
pub(super) fn page<'a>(report: &'a Report, recording: &Recording<'_>, run: &Run) -> Page<'a> {
    let observations = recording.observations;
    let sources = sources(observations, run);
    let links = links(recording.plan, run, &report.findings, &sources);
    let told = causes(report, &sources, &links);
    let verdict = report.verdict.as_str();
    let reason = report.headline.strip_prefix(verdict);
    let reason = reason.and_then(|rest| rest.strip_prefix(": "));
    let failed = report.verdict == Verdict::Fail;
    let first = report.diagnosis.causes.first().filter(|_| failed);
    Page {
        policy: security::policy(),
        style: security::STYLE,
        script: security::SCRIPT,
        verdict,
        reason: reason.unwrap_or(&report.headline),
        title: clip(&report.headline, 120),
        place: first.map(|cause| place(cause.state)),
        is_latent: first.is_some_and(|cause| cause.latent),
        next: first.map(|cause| cause.next.as_str()),
        about: about(report),
        candidate: report.candidate.toplevel.as_str(),
        findings_left_out: match told.numbers.len() {
            LIMIT => report.findings.len() - LIMIT,
            _ => 0,
        },
        states: match report.steps.is_empty() {
            true => StateTable::default(),
            false => states(report),
        },
        steps: steps(report),
        stage_columns: COLUMNS,
        stage_times: report.stage_times.iter().map(words).collect(),
        screens: screens(observations, run, recording.screens),
        run_chart: chart(&run_chart::rows(observations, run)),
        stages: run_chart::stages(observations, run),
        unit_charts: unit_charts(report, run),
        http: http(observations),
        ledger_chart: chart(&ledger_chart::rows(&report.http_ledger)),
        ledger_title: ledger::title(report).unwrap_or_default(),
        ledger_lines: ledger::lines(report),
        differences: differences(recording.plan, run),
        excerpts: sources
            .iter()
            .enumerate()
            .map(|(at, source)| excerpt(source, at, &links, run, &told.numbers))
            .collect(),
        causes: told.causes,
        gaps: gaps(report)
            .into_iter()
            .map(|gap| GapView {
                place: gap.place,
                reason: gap.reason,
                decisive: gap.decisive,
            })
            .collect(),
        suppressions: suppressions(report),
        notes: &report.notes,
        cuts: &report.cuts,
        specialisations: &report.specialisations,
        begun_again: &report.begun_again,
        tool_version: &report.tool_version,
    }
}

fn about(report: &Report) -> Vec<(&'static str, String)> {
    let baseline = report.baseline.as_ref();
    let rows = [
        ("scenario", report.scenario.clone().unwrap_or_default()),
        (
            "baseline",
            baseline.map_or("none".to_owned(), |b| b.toplevel.to_string()),
        ),
        (
            "expected",
            format!("{}, by {}", report.expect_system, report.expected_by),
        ),
        ("inspected", inspected(report)),
        ("machine", machine(report)),
        ("run by", means(report)),
        ("closure", closure_kind(report.closure).to_owned()),
    ];
    rows.into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(name, text)| (name, sanitise::line(&text)))
        .collect()
}

fn unit_charts(report: &Report, run: &Run) -> Vec<UnitChart> {
    let charts = run.states.iter().filter_map(|(state, record)| {
        let findings = report.findings.iter();
        let subjects: BTreeSet<&str> = findings
            .filter(|f| f.state == *state || f.also_in.contains(state))
            .map(|f| f.subject.as_str())
            .collect();
        let times = unit_chart::times(record, &subjects);
        Some(UnitChart {
            state: state.as_str(),
            chart: chart(&times.rows)?,
            numbers: times.numbers,
            left_out: times.left_out,
            unstable: report
                .states
                .iter()
                .filter(|told| told.state == *state)
                .flat_map(|told| unstable_in(report, told))
                .collect(),
        })
    });
    charts.collect()
}
