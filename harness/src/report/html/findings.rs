//! Causes with their findings, as the page shows them.

use std::collections::{BTreeMap, HashMap};

use super::evidence::{Links, Quotation};
use super::excerpt::{line_id, quotation_id};
use super::sources::Source;
use crate::diagnose::{Cause, Misleading};
use crate::fold::sanitise;
use crate::report::model::Report;
use crate::report::select::circumstances;
use crate::vocabulary::{Finding, Severity, State};

/// Findings of one cause that are shown without being asked for.
const SHOWN: usize = 12;
/// A closure with more findings than anybody reads; `report.json` has all.
pub(super) const LIMIT: usize = 2_000;

/// One cause.
pub(super) struct CauseView<'a> {
    pub(super) id: String,
    pub(super) headline: &'a str,
    pub(super) circumstances: String,
    pub(super) is_error: bool,
    pub(super) findings: Vec<FindingView<'a>>,
    /// Those past the first dozen.
    pub(super) more: Vec<FindingView<'a>>,
    /// What the files said before a boot showed it.
    pub(super) foretold: Vec<FindingView<'a>>,
    pub(super) consequences: Vec<ConsequenceView<'a>>,
    pub(super) misleading: &'a [Misleading],
    pub(super) next: &'a str,
}

pub(super) struct FindingView<'a> {
    pub(super) number: usize,
    pub(super) id: String,
    pub(super) severity: &'static str,
    pub(super) also_in: String,
    pub(super) summary: &'a str,
    pub(super) evidence: Vec<EvidenceView<'a>>,
    pub(super) suppressed: Option<String>,
}

pub(super) struct EvidenceView<'a> {
    pub(super) id: String,
    pub(super) source: &'a str,
    pub(super) text: &'a str,
    /// The line's id.
    pub(super) line: Option<String>,
}

pub(super) struct ConsequenceView<'a> {
    pub(super) summary: &'a str,
    pub(super) findings: Vec<FindingView<'a>>,
}

/// All causes of a report, in its order.
pub(super) fn causes<'a>(report: &'a Report, sources: &[Source<'_>], links: &Links) -> Told<'a> {
    let findings = report.findings.iter().enumerate();
    let mut views = Views {
        report,
        sources,
        links,
        places: findings.map(|(at, finding)| (finding.id(), at)).collect(),
        told: Numbers::new(),
    };
    let causes = report.diagnosis.causes.iter().enumerate();
    Told {
        causes: causes.map(|(n, cause)| views.cause(n, cause)).collect(),
        numbers: views.told,
    }
}

/// What a finding is called on the page, from 1 in the order of telling, by its place in the report.
pub(super) type Numbers = BTreeMap<usize, usize>;

/// The causes, and which findings are told under them.
pub(super) struct Told<'a> {
    pub(super) causes: Vec<CauseView<'a>>,
    pub(super) numbers: Numbers,
}

struct Views<'a, 'b> {
    report: &'a Report,
    sources: &'b [Source<'b>],
    links: &'b Links,
    /// Findings by their ids.
    places: HashMap<String, usize>,
    /// Each is told once: the id of an element is that of one alone.
    told: Numbers,
}

impl<'a> Views<'a, '_> {
    fn cause(&mut self, n: usize, cause: &'a Cause) -> CauseView<'a> {
        let all = self.findings(&cause.findings);
        let foretold = |f: &(State, FindingView<'a>)| {
            f.0 == State::Inspected && cause.state != State::Inspected
        };
        let (foretold, mut seen): (Vec<_>, Vec<_>) = all.into_iter().partition(foretold);
        let more = seen.split_off(seen.len().min(SHOWN));
        let views = |findings: Vec<(State, FindingView<'a>)>| findings.into_iter().map(|f| f.1);
        CauseView {
            id: format!("cause-{}", n + 1),
            headline: &cause.headline,
            circumstances: circumstances(cause),
            is_error: cause.severity == Severity::Error,
            findings: views(seen).collect(),
            more: views(more).collect(),
            foretold: views(foretold).collect(),
            consequences: cause
                .consequences
                .iter()
                .map(|consequence| ConsequenceView {
                    summary: &consequence.summary,
                    findings: views(self.findings(&consequence.findings)).collect(),
                })
                .collect(),
            misleading: &cause.misleading,
            next: &cause.next,
        }
    }

    fn findings(&mut self, ids: &[String]) -> Vec<(State, FindingView<'a>)> {
        let mut found = Vec::new();
        for id in ids {
            let Some(&at) = self.places.get(id) else {
                continue;
            };
            let number = self.told.len() + 1;
            if number > LIMIT || self.told.contains_key(&at) {
                continue;
            }
            self.told.insert(at, number);
            let finding = &self.report.findings[at];
            found.push((finding.state, self.finding(at, number, finding)));
        }
        found
    }

    fn finding(&self, at: usize, number: usize, finding: &'a Finding) -> FindingView<'a> {
        let evidence = finding.evidence.iter().enumerate().map(|(nth, evidence)| {
            let quotation = Quotation { finding: at, nth };
            let place = self.links.place(quotation);
            EvidenceView {
                id: quotation_id(number, nth),
                source: &evidence.source,
                text: &evidence.text,
                line: place.map(|p| line_id(self.sources[p.source].kind, p.line)),
            }
        });
        let also: Vec<&str> = finding.also_in.iter().map(|s| s.as_str()).collect();
        FindingView {
            number,
            id: finding.id(),
            severity: match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            also_in: also.join(", "),
            summary: &finding.summary,
            evidence: evidence.collect(),
            suppressed: finding
                .suppressed
                .as_ref()
                .map(|s| sanitise::line(&s.to_string())),
        }
    }
}
