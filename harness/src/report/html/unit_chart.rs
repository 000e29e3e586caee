//! When units started, ran and failed, as the journal of a state tells it: on the guest's clock, since its kernel started.
//!
//! The words are systemd's own about jobs and units (`src/core/job.c`, `src/core/unit.c`, `src/core/service.c`); it does not
//! translate them.

use std::collections::{BTreeMap, BTreeSet};

use super::chart::{Point, Row, Shape, Span};
use crate::fold::{JournalEntry, OWN_UNIT_PREFIX, StateRecord};
use crate::report::text::seconds;

/// Units of one chart.
const LIMIT: usize = 24;
/// Spans and marks of one unit; a unit that loops for hours has more.
const MARKS: usize = 200;

/// What became of the units in one state.
pub(super) struct UnitTimes {
    pub(super) rows: Vec<Row>,
    pub(super) numbers: Vec<UnitNumbers>,
    /// Units of which the journal tells too, and that are not shown.
    pub(super) left_out: usize,
}

pub(super) struct UnitNumbers {
    pub(super) unit: String,
    /// When it was up first, and how long that took.
    pub(super) up: Option<String>,
    pub(super) took: Option<String>,
    pub(super) failed: usize,
    pub(super) restarted: usize,
}

/// What systemd says of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum News {
    Starting,
    Up,
    Stopping,
    Down,
    Failed,
    Restarting,
}

/// The units of a state: those that failed or that a finding is about first, then those that took longest.
pub(super) fn times(record: &StateRecord, subjects: &BTreeSet<&str>) -> UnitTimes {
    let mut lives: BTreeMap<&str, Life> = BTreeMap::new();
    let mut end = 0;
    for entry in record.journal.iter().flatten() {
        let Some(at) = entry.monotonic_us.map(|us| us / 1000) else {
            continue;
        };
        end = end.max(at);
        if let Some((unit, news)) = news(entry) {
            lives.entry(unit).or_default().hear(news, at);
        }
    }
    let mut lives: Vec<(&str, Life)> = lives.into_iter().collect();
    lives.sort_by_key(|(unit, life)| {
        let is_told = subjects.contains(unit) || life.failed > 0;
        (std::cmp::Reverse((is_told, life.took.unwrap_or(0))), *unit)
    });
    let left_out = lives.len().saturating_sub(LIMIT);
    lives.truncate(LIMIT);
    UnitTimes {
        numbers: lives
            .iter()
            .map(|(unit, life)| life.numbers(unit))
            .collect(),
        rows: lives
            .into_iter()
            .map(|(unit, life)| life.row(unit, end))
            .collect(),
        left_out,
    }
}

fn news(entry: &JournalEntry) -> Option<(&str, News)> {
    const WORDS: &[(&str, News)] = &[
        ("Starting ", News::Starting),
        ("Mounting ", News::Starting),
        ("Activating swap ", News::Starting),
        ("Started ", News::Up),
        ("Finished ", News::Up),
        ("Mounted ", News::Up),
        ("Activated swap ", News::Up),
        ("Failed to start ", News::Failed),
        ("Failed to mount ", News::Failed),
        ("Stopping ", News::Stopping),
        ("Stopped ", News::Down),
    ];
    let unit = entry.unit.as_deref()?;
    // Users' own managers call themselves the same, and their units are none of the system's.
    let is_of_interest = [".service", ".mount", ".swap"]
        .iter()
        .any(|kind| unit.ends_with(kind))
        && !unit.starts_with("user@")
        && !unit.starts_with(OWN_UNIT_PREFIX);
    if !is_of_interest || entry.identifier.as_deref() != Some("systemd") {
        return None;
    }
    let of_unit = entry
        .message
        .strip_prefix(unit)
        .and_then(|rest| rest.strip_prefix(": "));
    let news = match of_unit {
        Some(said) if said.starts_with("Failed with result ") => News::Failed,
        Some(said) if said.starts_with("Scheduled restart job") => News::Restarting,
        Some(_) => return None,
        None => {
            let known = WORDS
                .iter()
                .find(|(word, _)| entry.message.starts_with(word));
            known?.1
        }
    };
    Some((unit, news))
}

/// What is known of one unit, so far.
#[derive(Debug, Default)]
struct Life {
    phase: Option<(Phase, u64)>,
    spans: Vec<Span>,
    points: Vec<Point>,
    up: Option<u64>,
    took: Option<u64>,
    failed: usize,
    restarted: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Starting,
    Up,
    Stopping,
}

impl Phase {
    fn span(self) -> (&'static str, &'static str) {
        match self {
            Self::Starting => ("bar even", "starting"),
            Self::Up => ("bar", "up"),
            Self::Stopping => ("bar even", "stopping"),
        }
    }
}

impl Life {
    fn hear(&mut self, news: News, at: u64) {
        match news {
            News::Starting => self.enter(Some(Phase::Starting), at),
            News::Up => {
                if self.up.is_none() {
                    self.up = Some(at);
                    self.took = match self.phase {
                        Some((Phase::Starting, since)) => Some(at.saturating_sub(since)),
                        _ => None,
                    };
                }
                self.enter(Some(Phase::Up), at);
            }
            News::Stopping => self.enter(Some(Phase::Stopping), at),
            News::Down => self.enter(None, at),
            News::Failed => {
                self.enter(None, at);
                self.failed += 1;
                self.mark(Shape::Failed, at, "failed");
            }
            News::Restarting => {
                self.restarted += 1;
                self.mark(Shape::Again, at, "restarts");
            }
        }
    }

    fn enter(&mut self, phase: Option<Phase>, at: u64) {
        if let Some((phase, since)) = self.phase.take() {
            self.span(phase, since, at);
        }
        self.phase = phase.map(|phase| (phase, at));
    }

    fn span(&mut self, phase: Phase, from: u64, to: u64) {
        if self.spans.len() < MARKS {
            let (class, label) = phase.span();
            self.spans.push(Span {
                from,
                to: to.max(from),
                class,
                label: label.to_owned(),
            });
        }
    }

    fn mark(&mut self, shape: Shape, at: u64, label: &str) {
        if self.points.len() < MARKS {
            self.points.push(Point {
                at,
                shape,
                label: label.to_owned(),
            });
        }
    }

    fn numbers(&self, unit: &str) -> UnitNumbers {
        UnitNumbers {
            unit: unit.to_owned(),
            up: self.up.map(seconds),
            took: self.took.map(seconds),
            failed: self.failed,
            restarted: self.restarted,
        }
    }

    /// Whatever goes on at the journal's end is drawn up to there.
    fn row(mut self, unit: &str, end: u64) -> Row {
        self.enter(None, end);
        Row {
            name: unit.to_owned(),
            spans: self.spans,
            points: self.points,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(unit: &str, at_ms: u64, message: &str) -> JournalEntry {
        JournalEntry {
            unit: Some(unit.to_owned()),
            message: message.to_owned(),
            identifier: Some("systemd".to_owned()),
            monotonic_us: Some(at_ms * 1000),
            ..JournalEntry::default()
        }
    }

    fn of(entries: Vec<JournalEntry>) -> UnitTimes {
        let record = StateRecord {
            journal: Some(entries),
            ..StateRecord::default()
        };
        times(&record, &BTreeSet::new())
    }

    #[test]
    fn a_unit_that_loops_is_seen_to_fail_and_begin_anew() {
        let unit = "alpha.service";
        let times = of(vec![
            said(unit, 1_000, "Starting alpha.service - Alpha..."),
            said(unit, 1_500, "Started alpha.service - Alpha."),
            said(
                unit,
                1_600,
                "alpha.service: Failed with result 'exit-code'.",
            ),
            said(
                unit,
                2_600,
                "alpha.service: Scheduled restart job, restart counter is at 1.",
            ),
            said(unit, 2_700, "Started alpha.service - Alpha."),
            said("other.service", 3_000, "Something else"),
        ]);
        let numbers = &times.numbers[0];
        assert_eq!((numbers.failed, numbers.restarted), (1, 1));
        assert_eq!(numbers.took.as_deref(), Some("0.5 s"));
        let spans: Vec<(u64, u64)> = times.rows[0].spans.iter().map(|s| (s.from, s.to)).collect();
        assert_eq!(spans, [(1_000, 1_500), (1_500, 1_600), (2_700, 3_000)]);
        assert_eq!(times.rows.len(), 1);
    }

    #[test]
    fn a_program_that_speaks_like_systemd_is_not_believed() {
        let mut entry = said("alpha.service", 1, "Started everything");
        entry.identifier = Some("alpha".to_owned());
        assert!(of(vec![entry]).rows.is_empty());
    }

    #[test]
    fn of_many_units_those_that_failed_are_shown() {
        let mut entries: Vec<JournalEntry> = (0..100)
            .map(|n| said(&format!("u{n}.service"), n, "Started it"))
            .collect();
        entries.push(said(
            "u99.service",
            200,
            "u99.service: Failed with result 'x'.",
        ));
        let times = of(entries);
        assert_eq!((times.rows.len(), times.left_out), (LIMIT, 100 - LIMIT));
        assert_eq!(times.rows[0].name, "u99.service");
    }
}
