//! What each URL answered, every time that it was asked.

use std::collections::BTreeMap;

use crate::fold::sanitise;
use crate::report::text::seconds;
use crate::vocabulary::{HttpAnswer, HttpEndpoint, Observation, ProbeRoute, Recorded, State};

/// More URLs than a page can tell; `observations.jsonl` has all.
const LIMIT: usize = 300;

/// A row a URL, a column a round.
#[derive(Default)]
pub(super) struct HttpTable {
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<HttpRow>,
    /// URLs that are not shown.
    pub(super) left_out: usize,
}

pub(super) struct Column {
    /// `rebooted, round 2`, or `rebooted, your probes`.
    pub(super) title: String,
    /// When the first of its answers came.
    pub(super) at: String,
}

pub(super) struct HttpRow {
    pub(super) url: String,
    pub(super) upstream: Option<String>,
    pub(super) cells: Vec<HttpCell>,
}

#[derive(Clone)]
pub(super) struct HttpCell {
    pub(super) text: String,
    pub(super) is_bad: bool,
}

/// A round of bootproof's own, or the user's probes, which are asked once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Round {
    Numbered(u32),
    Probes,
}

/// One answer, as it was recorded.
struct Asked<'a> {
    at_ms: u64,
    column: (State, Round),
    endpoint: &'a HttpEndpoint,
    route: ProbeRoute,
    answer: &'a HttpAnswer,
}

/// The table of a recording.
pub(super) fn http(observations: &[Recorded]) -> HttpTable {
    let asked: Vec<Asked<'_>> = observations.iter().filter_map(asked).collect();
    let mut columns: BTreeMap<(State, Round), u64> = BTreeMap::new();
    let mut rows: BTreeMap<&HttpEndpoint, BTreeMap<(State, Round), HttpCell>> = BTreeMap::new();
    for asked in &asked {
        columns.entry(asked.column).or_insert(asked.at_ms);
        let cells = rows.entry(asked.endpoint).or_default();
        cells.insert(asked.column, cell(asked));
    }
    let count = rows.len();
    let rows = rows.into_iter().map(|(endpoint, answers)| HttpRow {
        url: sanitise::line(&endpoint.url()),
        upstream: endpoint.upstream.as_deref().map(sanitise::line),
        cells: columns
            .keys()
            .map(|column| {
                answers.get(column).cloned().unwrap_or(HttpCell {
                    text: "not asked".to_owned(),
                    is_bad: false,
                })
            })
            .collect(),
    });
    HttpTable {
        left_out: count.saturating_sub(LIMIT),
        rows: rows.take(LIMIT).collect(),
        columns: columns
            .iter()
            .map(|((state, round), at_ms)| Column {
                title: match round {
                    Round::Numbered(n) => format!("{state}, round {n}"),
                    Round::Probes => format!("{state}, your probes"),
                },
                at: seconds(*at_ms),
            })
            .collect(),
    }
}

fn asked(recorded: &Recorded) -> Option<Asked<'_>> {
    let (column, endpoint, route, answer) = match &recorded.observation {
        Observation::Http {
            state,
            round,
            endpoint,
            route,
            answer,
        } => ((*state, Round::Numbered(*round)), endpoint, route, answer),
        Observation::Probed {
            state,
            endpoint,
            route,
            answer,
            ..
        } => ((*state, Round::Probes), endpoint, route, answer),
        _ => return None,
    };
    Some(Asked {
        at_ms: recorded.at_ms,
        column,
        endpoint,
        route: *route,
        answer,
    })
}

fn cell(asked: &Asked<'_>) -> HttpCell {
    let inside = match asked.route {
        ProbeRoute::Outside => "",
        ProbeRoute::Inside => " (inside)",
    };
    HttpCell {
        text: asked.answer.word() + inside,
        is_bad: is_bad(asked.answer),
    }
}

/// Whether no user would take it for an answer. What a probe expects is judged by the checks, and told by their findings.
pub(super) fn is_bad(answer: &HttpAnswer) -> bool {
    !matches!(answer, HttpAnswer::Status { code, .. } if *code < 500)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn the_outage_shows_when_the_answers_changed() {
        let (_, observations) = testing::outage();
        let table = http(&observations);
        assert_eq!(table.rows.len(), 3);
        assert_eq!(table.rows[0].url, "http://alpha.example/");
        let bad: Vec<bool> = table.rows[0].cells.iter().map(|c| c.is_bad).collect();
        assert!(!bad[0] && bad[bad.len() - 1], "{bad:?}");
        assert!(table.columns.last().unwrap().title.starts_with("rebooted"));
    }

    #[test]
    fn nothing_asked_is_an_empty_table() {
        assert!(http(&[]).rows.is_empty());
    }
}
