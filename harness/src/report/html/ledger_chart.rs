//! What every URL replied over time, at a fixed rate: a bar for each run of equal replies.

use super::chart::{Point, Row, Shape, Span};
use crate::report::model::LedgerEntry;
use crate::vocabulary::{Replies, Reply};

/// URLs of one chart; `report.json` has all.
const LIMIT: usize = 40;
/// Bars of one row.
const BARS: usize = 400;

/// A row a URL.
pub(super) fn rows(entries: &[LedgerEntry]) -> Vec<Row> {
    entries.iter().take(LIMIT).map(row).collect()
}

fn row(entry: &LedgerEntry) -> Row {
    let runs: Vec<Replies> = together(&entry.runs);
    // What was never answered yet is no fault, and no bar.
    let first = runs.iter().position(|run| run.reply.is_of_nginx());
    let seen = runs.iter().skip(first.unwrap_or(runs.len())).take(BARS);
    let spans = seen.clone().map(|run| Span {
        from: run.from_ms,
        to: run.to_ms.max(run.from_ms),
        class: class(run.reply),
        label: label(run),
    });
    let crosses = seen.filter(|run| !run.reply.serves()).map(|run| Point {
        at: run.from_ms,
        shape: Shape::Failed,
        label: label(run),
    });
    Row {
        name: entry.url.clone(),
        spans: spans.collect(),
        points: crosses.collect(),
    }
}

/// Runs end with their step; the eye wants them whole.
fn together(runs: &[Replies]) -> Vec<Replies> {
    let mut whole: Vec<Replies> = Vec::new();
    for run in runs {
        match whole.last_mut().filter(|last| last.reply == run.reply) {
            Some(last) => {
                last.to_ms = run.to_ms;
                last.count = last.count.saturating_add(run.count);
            }
            None => whole.push(*run),
        }
    }
    whole
}

fn class(reply: Reply) -> &'static str {
    match reply.serves() {
        true => "bar",
        false => "bar even",
    }
}

fn label(run: &Replies) -> String {
    format!("{} × {}", run.count, run.reply.word())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn equal_runs_are_one_bar_and_what_does_not_serve_is_marked() {
        let run = |code, from_ms, to_ms| Replies {
            reply: Reply::Status(code),
            from_ms,
            to_ms,
            count: 2,
        };
        let entry = LedgerEntry {
            url: "http://a.example/".to_owned(),
            upstream: None,
            unit: None,
            beat_ms: 1000,
            replies: BTreeMap::new(),
            dropped: 0,
            spells: Vec::new(),
            runs: vec![
                Replies {
                    reply: Reply::TimedOut,
                    ..run(0, 0, 5)
                },
                run(200, 5, 10),
                run(200, 11, 20),
                run(502, 21, 30),
            ],
        };
        let row = &rows(&[entry])[0];
        let labels: Vec<&str> = row.spans.iter().map(|s| s.label.as_str()).collect();
        assert_eq!(labels, ["4 × 200", "2 × 502"]);
        assert_eq!((row.spans[0].from, row.spans[0].to), (5, 20));
        assert_eq!(row.points.len(), 1);
    }
}
