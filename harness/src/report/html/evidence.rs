//! Which line of which text a finding's evidence is: the two are linked, both ways.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::sources::{Kind, Source};
use crate::fold::{Run, sanitise, state_after};
use crate::vocabulary::{Evidence, Finding, Plan, State};

/// One quotation of one finding, by their places in the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Quotation {
    pub(super) finding: usize,
    pub(super) nth: usize,
}

/// One line of one source, by their places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) source: usize,
    pub(super) line: usize,
}

/// What is linked with what.
#[derive(Debug, Default)]
pub(super) struct Links {
    places: BTreeMap<Quotation, Place>,
    quoted: BTreeMap<Place, Vec<Quotation>>,
}

impl Links {
    /// The line that a quotation is.
    pub(super) fn place(&self, quotation: Quotation) -> Option<Place> {
        self.places.get(&quotation).copied()
    }

    /// The lines of a source that are quoted, each with all that quotes it.
    pub(super) fn of_source(&self, source: usize) -> BTreeMap<usize, &[Quotation]> {
        let from = Place { source, line: 0 };
        let to = Place {
            source,
            line: usize::MAX,
        };
        self.quoted
            .range(from..=to)
            .map(|(place, quotations)| (place.line, quotations.as_slice()))
            .collect()
    }
}

/// Finds the quotations of all findings in the sources.
pub(super) fn links(plan: &Plan, run: &Run, findings: &[Finding], sources: &[Source<'_>]) -> Links {
    let wanted: HashSet<&str> = findings
        .iter()
        .flat_map(|finding| &finding.evidence)
        .map(|evidence| evidence.text.as_str())
        .filter(|text| !text.is_empty())
        .collect();
    let found: Vec<HashMap<&str, Seen>> = sources.iter().map(|s| search(s, &wanted)).collect();
    let mut links = Links::default();
    for (finding, told) in findings.iter().enumerate() {
        for (nth, evidence) in told.evidence.iter().enumerate() {
            let kinds = kinds(plan, run, told, evidence);
            let place = kinds.iter().find_map(|kind| {
                let source = sources.iter().position(|source| kind.is(source.kind))?;
                let seen = found[source].get(evidence.text.as_str())?;
                let line = if evidence.source.ends_with("last line") {
                    seen.last
                } else {
                    let own = |(unit, _): &&(Option<&str>, usize)| *unit == Some(&*told.subject);
                    seen.first_of
                        .iter()
                        .find(own)
                        .or(seen.first_of.first())
                        .map(|(_, line)| *line)?
                };
                Some(Place { source, line })
            });
            if let Some(place) = place {
                let quotation = Quotation { finding, nth };
                links.places.insert(quotation, place);
                links.quoted.entry(place).or_default().push(quotation);
            }
        }
    }
    links
}

/// Where a text stands in a source.
struct Seen<'a> {
    /// The first line of each unit that said it, in order.
    first_of: Vec<(Option<&'a str>, usize)>,
    last: usize,
}

/// More units do not say one and the same thing where it matters which of them did.
const UNITS_OF_ONE_TEXT: usize = 100;

fn search<'a>(source: &Source<'a>, wanted: &HashSet<&'a str>) -> HashMap<&'a str, Seen<'a>> {
    let mut found: HashMap<&str, Seen<'_>> = HashMap::new();
    for (n, line) in source.lines.iter().enumerate() {
        let Some(text) = wanted.get(sanitise::line(line.text).as_str()) else {
            continue;
        };
        let seen = found.entry(text).or_insert_with(|| Seen {
            first_of: Vec::new(),
            last: n,
        });
        seen.last = n;
        let is_new = seen.first_of.iter().all(|(unit, _)| *unit != line.unit);
        if is_new && seen.first_of.len() < UNITS_OF_ONE_TEXT {
            seen.first_of.push((line.unit, n));
        }
    }
    found
}

/// A text that evidence may be of.
enum Wanted<'a> {
    This(Kind<'static>),
    OutputOf(&'a str),
}

impl Wanted<'_> {
    fn is(&self, kind: Kind<'_>) -> bool {
        match (self, kind) {
            (Self::This(wanted), kind) => *wanted == kind,
            (Self::OutputOf(wanted), Kind::Output(_, program)) => *wanted == program,
            (Self::OutputOf(_), _) => false,
        }
    }
}

/// Where evidence can be from, as its source says, most likely first.
fn kinds<'a>(plan: &Plan, run: &Run, finding: &Finding, evidence: &'a Evidence) -> Vec<Wanted<'a>> {
    let states = || std::iter::once(&finding.state).chain(&finding.also_in);
    match evidence.source.as_str() {
        "journal" => states()
            .map(|state| Wanted::This(Kind::Journal(*state)))
            .collect(),
        "console" | "console, last line" => {
            let boots = states().flat_map(|state| boots_of(plan, run, *state));
            boots
                .map(|boot| Wanted::This(Kind::Console(boot)))
                .collect()
        }
        program => vec![Wanted::OutputOf(program)],
    }
}

/// The boot that was looked at in a state, and the last boots of the steps towards it.
fn boots_of(plan: &Plan, run: &Run, state: State) -> Vec<u32> {
    let seen = run.states.get(&state).and_then(|record| record.boot);
    let steps = run.steps.iter().rev();
    let tried = steps
        .filter(|step| state_after(plan, step.step).is_none_or(|after| after == state))
        .filter_map(|step| step.boot);
    seen.into_iter().chain(tried).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::html::sources::sources;
    use crate::testing;
    use crate::vocabulary::Check;

    #[test]
    fn a_quotation_is_found_in_the_journal_of_its_state_and_at_its_unit() {
        let (plan, observations) = testing::outage();
        let run = crate::fold::fold(&observations);
        let sources = sources(&observations, &run);
        let report = crate::report::report(&plan, &observations);
        let links = links(&plan, &run, &report.findings, &sources);
        let at = report
            .findings
            .iter()
            .position(|f| f.check == Check::ExecFailed && f.subject == "beta.service");
        let quotation = Quotation {
            finding: at.unwrap(),
            nth: 0,
        };
        let place = links.place(quotation).unwrap();
        let source = &sources[place.source];
        assert_eq!(source.kind, Kind::Journal(State::Rebooted));
        assert_eq!(source.lines[place.line].unit, Some("beta.service"));
        let back = links.of_source(place.source);
        assert!(back[&place.line].contains(&quotation));
    }

    #[test]
    fn what_no_text_has_is_linked_with_nothing() {
        let (plan, observations) = testing::outage();
        let run = crate::fold::fold(&observations);
        let sources = sources(&observations, &run);
        let finding = Finding::new(Check::UnitFailed, State::Rebooted, "a", "b")
            .with_evidence("journal", "nobody said this")
            .with_evidence("systemctl show", "")
            .with_evidence("uname -m", "i686");
        let links = links(&plan, &run, &[finding], &sources);
        assert!(links.places.is_empty());
    }
}
