//! The ledger of what was asked at a fixed rate: for `report.json`, and in lines for people.

use std::collections::BTreeMap;

use crate::check::{is_looping, upstream};
use crate::fold::{Replied, Run, Spell, sanitise, state_after};
use crate::vocabulary::{HttpEndpoint, Plan, Reply, State};

use super::model::{LedgerEntry, Report, SpellReport};
use super::text::seconds;

/// Spells of one endpoint that are kept; the runs have all.
const SPELLS: usize = 200;

/// Every endpoint that was asked.
pub(super) fn ledger(plan: &Plan, run: &Run) -> Vec<LedgerEntry> {
    let endpoints = run.ledger.endpoints.iter();
    endpoints
        .map(|(endpoint, replied)| entry(plan, run, endpoint, replied))
        .collect()
}

fn entry(plan: &Plan, run: &Run, endpoint: &HttpEndpoint, replied: &Replied) -> LedgerEntry {
    let unit = run
        .states
        .iter()
        .rev()
        .find_map(|(state, record)| upstream::of(run, *state, record, endpoint)?.unit);
    let spells = replied.spells(&run.steps);
    LedgerEntry {
        url: sanitise::line(&endpoint.url()),
        upstream: endpoint.upstream.as_deref().map(sanitise::line),
        unit: unit.map(sanitise::line),
        beat_ms: replied.beat_ms,
        replies: in_words(&replied.totals()),
        dropped: replied.dropped,
        spells: spells
            .iter()
            .take(SPELLS)
            .map(|spell| told(plan, run, endpoint, spell))
            .collect(),
        runs: replied.runs.iter().map(|run| run.replies).collect(),
    }
}

fn told(plan: &Plan, run: &Run, endpoint: &HttpEndpoint, spell: &Spell) -> SpellReport {
    let step = spell.step_of(&run.steps);
    let state = step.and_then(|step| state_after(plan, step));
    SpellReport {
        from_ms: spell.from_ms,
        to_ms: spell.to_ms,
        step,
        planned: spell.planned,
        replies: in_words(&spell.replies),
        unit_state: state.and_then(|state| unit_state(run, state, endpoint)),
    }
}

/// In a loop a unit is in another state at each look.
fn unit_state(run: &Run, state: State, endpoint: &HttpEndpoint) -> Option<String> {
    let record = run.states.get(&state)?;
    let unit = upstream::of(run, state, record, endpoint)?.now?;
    Some(match is_looping(record, &unit.id) {
        true => format!("{}: restarted again and again", sanitise::line(&unit.id)),
        false => sanitise::line(&upstream::in_words(unit)),
    })
}

fn in_words(replies: &BTreeMap<Reply, u64>) -> BTreeMap<String, u64> {
    replies
        .iter()
        .map(|(reply, count)| (reply.word(), *count))
        .collect()
}

/// What a list of [`lines`] is called; `None` where nothing was asked.
pub(super) fn title(report: &Report) -> Option<String> {
    let beat = report.http_ledger.first()?.beat_ms;
    Some(format!(
        "http over time, asked every {} from outside",
        seconds(beat)
    ))
}

/// `http://a.example/ (alpha.service): 154 × 200, 3 × 502; without service 4.1 s in switch, 28.0 s in warm-reboot`.
pub(super) fn lines(report: &Report) -> Vec<String> {
    report.http_ledger.iter().map(line).collect()
}

fn line(entry: &LedgerEntry) -> String {
    let unit = entry
        .unit
        .as_ref()
        .map_or_else(String::new, |unit| format!(" ({unit})"));
    let replies: Vec<String> = entry
        .replies
        .iter()
        .map(|(reply, count)| format!("{count} × {reply}"))
        .collect();
    // Each step once, with all that it took.
    let mut down: Vec<(String, u64, bool)> = Vec::new();
    for spell in &entry.spells {
        let place = match (spell.planned, spell.step) {
            (true, Some(step)) => format!("in {step}"),
            (false, Some(step)) => format!("UNPLANNED after {step}"),
            (_, None) => "before the first step".to_owned(),
        };
        let ms = spell.to_ms.map(|to| to.saturating_sub(spell.from_ms));
        match down.iter_mut().find(|(of, ..)| *of == place) {
            Some((_, total, to_the_end)) => {
                *total += ms.unwrap_or_default();
                *to_the_end |= ms.is_none();
            }
            None => down.push((place, ms.unwrap_or_default(), ms.is_none())),
        }
    }
    let down: Vec<String> = down
        .into_iter()
        .map(|(place, ms, to_the_end)| match to_the_end {
            true => format!("to the end {place}"),
            false => format!("{} {place}", seconds(ms)),
        })
        .collect();
    let down = match down.is_empty() {
        true => String::new(),
        false => format!("; without service {}", down.join(", ")),
    };
    format!("{}{unit}: {}{down}", entry.url, replies.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, endpoint};
    use crate::vocabulary::{Observation, Replies};

    #[test]
    fn the_ledger_is_told_in_numbers_and_left_out_of_what_is_compared() {
        let (plan, mut recording) = testing::healthy_recording();
        let began = recording.run(&plan).steps.last().unwrap().started_ms;
        let runs = [(200, 0, 5), (502, 1_000, 3), (200, 4_500, 7)];
        let runs = runs.map(|(code, at, count)| Replies {
            reply: Reply::Status(code),
            from_ms: began + at,
            to_ms: began + at,
            count,
        });
        let without = crate::report::report(&plan, &recording.observations_of(&plan));
        assert_eq!(title(&without), None);
        recording.more.push(Observation::Continuity {
            endpoint: endpoint("beta", 8082),
            beat_ms: 1_400,
            runs: runs.to_vec(),
            dropped: 0,
        });
        let report = crate::report::report(&plan, &recording.observations_of(&plan));
        assert_eq!(
            lines(&report),
            ["http://beta.example/: 12 × 200, 3 × 502; without service 3.5 s in warm-reboot"]
        );
        assert_eq!(report.http_ledger[0].runs.len(), 3);
        assert_eq!(
            crate::report::normalise(&report),
            crate::report::normalise(&without)
        );
    }
}
