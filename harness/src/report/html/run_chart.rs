//! When what happened: steps, boots by their stages, the looks at each state, and every answer over HTTP, on the host's clock.

use std::collections::BTreeMap;

use super::chart::{Point, Row, Shape, Span};
use super::http::is_bad;
use crate::fold::{BootRecord, Run};
use crate::report::text::seconds;
use crate::vocabulary::{Observation, Recorded, State};

/// The first and the last millisecond of something.
#[derive(Debug, Clone, Copy)]
struct Extent {
    from: u64,
    to: u64,
}

impl Extent {
    fn grow(extent: &mut Option<Self>, at: u64) {
        let seen = extent.get_or_insert(Self { from: at, to: at });
        seen.to = seen.to.max(at);
    }
}

/// The rows of the chart, in time.
pub(super) fn rows(observations: &[Recorded], run: &Run) -> Vec<Row> {
    let extents = extents(observations);
    let steps = Row {
        name: "steps".to_owned(),
        spans: run
            .steps
            .iter()
            .enumerate()
            .map(|(n, step)| Span {
                from: step.started_ms,
                // A recording that ends before its step does tells nothing of the step's end.
                to: step.finished_ms.unwrap_or(step.started_ms),
                class: shade(n),
                label: step.step.to_string(),
            })
            .collect(),
        points: Vec::new(),
    };
    let boots = run
        .boots
        .iter()
        .filter_map(|boot| Some(boot_row(boot, *extents.boots.get(&boot.number)?)));
    let looks = Row {
        name: "looked at".to_owned(),
        spans: extents
            .states
            .iter()
            .enumerate()
            .map(|(n, (state, extent))| Span {
                from: extent.from,
                to: extent.to,
                class: shade(n),
                label: state.to_string(),
            })
            .collect(),
        points: Vec::new(),
    };
    let http = Row {
        name: "answers over HTTP".to_owned(),
        spans: Vec::new(),
        points: answers(observations),
    };
    let all = std::iter::once(steps).chain(boots).chain([looks, http]);
    all.filter(|row| !row.spans.is_empty() || !row.points.is_empty())
        .collect()
}

/// Neighbours are told apart.
fn shade(n: usize) -> &'static str {
    if n.is_multiple_of(2) {
        "bar"
    } else {
        "bar even"
    }
}

fn boot_row(boot: &BootRecord, extent: Extent) -> Row {
    let ends = boot.stages.iter().skip(1).map(|(_, at)| *at);
    let ends: Vec<u64> = ends.chain([extent.to]).collect();
    let stages = boot.stages.iter().zip(ends).enumerate();
    Row {
        name: match boot.step {
            Some(step) => format!("boot {} ({step})", boot.number),
            None => format!("boot {}", boot.number),
        },
        spans: stages
            .map(|(n, ((stage, from), to))| Span {
                from: *from,
                to: to.max(*from),
                class: shade(n),
                label: stage.as_str().to_owned(),
            })
            .collect(),
        points: vec![Point {
            at: extent.from,
            shape: Shape::Again,
            label: "power or reset".to_owned(),
        }],
    }
}

/// One mark a moment: a disc where all answers of it were well.
fn answers(observations: &[Recorded]) -> Vec<Point> {
    let mut moments: BTreeMap<(u64, State), (usize, usize)> = BTreeMap::new();
    for recorded in observations {
        let (Observation::Http { state, answer, .. } | Observation::Probed { state, answer, .. }) =
            &recorded.observation
        else {
            continue;
        };
        let (all, bad) = moments.entry((recorded.at_ms / 500, *state)).or_default();
        *all += 1;
        *bad += usize::from(is_bad(answer));
    }
    moments
        .into_iter()
        .map(|((half_second, state), (all, bad))| Point {
            at: half_second * 500,
            shape: if bad == 0 { Shape::Good } else { Shape::Failed },
            label: format!("{state}: {} of {all} answers well", all - bad),
        })
        .collect()
}

#[derive(Default)]
struct Extents {
    boots: BTreeMap<u32, Extent>,
    states: BTreeMap<State, Extent>,
}

fn extents(observations: &[Recorded]) -> Extents {
    let mut boots: BTreeMap<u32, Option<Extent>> = BTreeMap::new();
    let mut states: BTreeMap<State, Option<Extent>> = BTreeMap::new();
    let mut latest = None;
    for recorded in observations {
        let at = recorded.at_ms;
        match &recorded.observation {
            Observation::PoweredOn { boot, .. }
            | Observation::Console { boot, .. }
            | Observation::Stage { boot, .. }
            | Observation::Qemu { boot, .. }
            | Observation::QemuExited { boot, .. }
            | Observation::Screen { boot, .. }
            | Observation::ScreenText { boot, .. }
            | Observation::ChannelOpened { boot, .. } => {
                latest = Some(*boot);
                Extent::grow(boots.entry(*boot).or_default(), at);
            }
            Observation::Dumped { state, .. }
            | Observation::Http { state, .. }
            | Observation::Probed { state, .. } => {
                Extent::grow(states.entry(*state).or_default(), at);
                // Who answers, runs.
                if let Some(boot) = latest {
                    Extent::grow(boots.entry(boot).or_default(), at);
                }
            }
            _ => {}
        }
    }
    Extents {
        boots: known(boots),
        states: known(states),
    }
}

fn known<K: Ord>(extents: BTreeMap<K, Option<Extent>>) -> BTreeMap<K, Extent> {
    extents
        .into_iter()
        .filter_map(|(key, extent)| Some((key, extent?)))
        .collect()
}

/// A stage that a boot reached.
pub(super) struct StageRow {
    pub(super) boot: u32,
    pub(super) stage: &'static str,
    /// Since the run began, and since the power or reset.
    pub(super) at: String,
    pub(super) after: String,
}

/// The same as the chart's boots, in numbers.
pub(super) fn stages(observations: &[Recorded], run: &Run) -> Vec<StageRow> {
    let extents = extents(observations);
    let rows = run.boots.iter().flat_map(|boot| {
        let from = extents.boots.get(&boot.number).map_or(0, |e| e.from);
        boot.stages.iter().map(move |(stage, at)| StageRow {
            boot: boot.number,
            stage: stage.as_str(),
            at: seconds(*at),
            after: seconds(at.saturating_sub(from)),
        })
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn boots_have_their_stages_in_order_and_bad_answers_a_cross() {
        let (_, observations) = testing::outage();
        let run = crate::fold::fold(&observations);
        let rows = rows(&observations, &run);
        let boot = rows
            .iter()
            .find(|r| r.name == "boot 2 (warm-reboot)")
            .unwrap();
        let labels: Vec<&str> = boot.spans.iter().map(|s| s.label.as_str()).collect();
        assert_eq!(labels, ["kernel", "initrd", "stage 2"]);
        assert!(boot.spans.iter().all(|span| span.from <= span.to));
        let http = rows.iter().find(|r| r.name == "answers over HTTP").unwrap();
        assert_eq!(http.points.first().unwrap().shape, Shape::Good);
        assert_eq!(http.points.last().unwrap().shape, Shape::Failed);
    }

    #[test]
    fn of_no_recording_nothing_is_drawn() {
        assert!(rows(&[], &Run::default()).is_empty());
    }
}
