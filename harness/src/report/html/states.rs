//! The states side by side; what differs from the state before is marked.

use crate::report::model::{Report, StateReport};
use crate::report::select::{planned_states, table};
use crate::vocabulary::State;

/// The table: what its columns are called, then its rows.
#[derive(Default)]
pub(super) struct StateTable {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<StateRow>,
    /// Units that were active in the first state and are not in the last one, and the other way round.
    pub(super) gone: Vec<String>,
    pub(super) new: Vec<String>,
    /// The two states that these were compared in.
    pub(super) compared: Option<(State, State)>,
}

pub(super) struct StateRow {
    pub(super) name: String,
    pub(super) cells: Vec<StateCell>,
}

pub(super) struct StateCell {
    pub(super) text: String,
    /// Another than in the state before.
    pub(super) changed: bool,
    pub(super) unseen: bool,
}

const NOT_SEEN: &str = "not seen";

/// The states of a report.
pub(super) fn states(report: &Report) -> StateTable {
    let mut rows = table(report);
    let seen = |state: &State| report.states.iter().find(|s| s.state == *state);
    let planned = planned_states(report);
    let more = |name: &str, cell: &dyn Fn(&StateReport) -> Option<String>| {
        let cells = planned.iter().map(|state| {
            let unknown = || "unknown".to_owned();
            seen(state).map_or(NOT_SEEN.to_owned(), |s| cell(s).unwrap_or_else(unknown))
        });
        std::iter::once(name.to_owned()).chain(cells).collect()
    };
    rows.insert(
        rows.len().min(2),
        more("kernel release", &|s| s.kernel_release.clone()),
    );
    rows.push(more("boot", &|s| s.boot.map(|boot| boot.to_string())));
    let (gone, new, compared) = units(report);
    let mut rows = rows.into_iter();
    StateTable {
        // The first names the rows.
        columns: rows.next().into_iter().flatten().skip(1).collect(),
        rows: rows.map(row).collect(),
        gone,
        new,
        compared,
    }
}

fn row(cells: Vec<String>) -> StateRow {
    let mut cells = cells.into_iter();
    let name = cells.next().unwrap_or_default();
    let mut last: Option<String> = None;
    let cells = cells
        .map(|text| {
            let unseen = text == NOT_SEEN;
            let changed = !unseen && last.as_ref().is_some_and(|last| *last != text);
            if !unseen {
                last = Some(text.clone());
            }
            StateCell {
                text,
                changed,
                unseen,
            }
        })
        .collect();
    StateRow { name, cells }
}

/// What was active in only one of the first and the last state.
fn units(report: &Report) -> (Vec<String>, Vec<String>, Option<(State, State)>) {
    let seen = || report.states.iter().filter(|s| s.active.is_some());
    let (Some(first), Some(last)) = (seen().next(), seen().next_back()) else {
        return Default::default();
    };
    if first.state == last.state {
        return Default::default();
    }
    let (before, after) = (active(first), active(last));
    let only = |some: &[String], others: &[String]| -> Vec<String> {
        some.iter()
            .filter(|unit| !others.contains(unit))
            .cloned()
            .collect()
    };
    (
        only(before, after),
        only(after, before),
        Some((first.state, last.state)),
    )
}

fn active(state: &StateReport) -> &[String] {
    state.active.as_deref().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn what_the_reboot_changed_is_marked() {
        let (plan, observations) = testing::outage();
        let table = states(&crate::report::report(&plan, &observations));
        assert_eq!(table.columns, ["before", "switched", "rebooted"]);
        let row = |name: &str| table.rows.iter().find(|row| row.name == name).unwrap();
        let changed: Vec<bool> = row("kernel").cells.iter().map(|c| c.changed).collect();
        assert_eq!(changed, [false, false, true]);
        let changed: Vec<bool> = row("userland").cells.iter().map(|c| c.changed).collect();
        assert_eq!(changed, [false, true, false]);
        assert!(
            table.gone.contains(&"alpha.service".to_owned()),
            "{:?}",
            table.gone
        );
        assert_eq!(table.compared, Some((State::Before, State::Rebooted)));
    }

    #[test]
    fn a_state_that_was_not_seen_is_no_change() {
        let row = row(["kernel", "a", NOT_SEEN, "a"].map(str::to_owned).into());
        assert!(row.cells.iter().all(|cell| !cell.changed));
        assert!(row.cells[1].unseen);
    }
}
