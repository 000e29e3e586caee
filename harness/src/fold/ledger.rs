//! What every endpoint replied over the whole run, and when it did not serve.
//!
//! Made by `folding` of what was recorded at a fixed rate. Times are the host's. Whether a spell without service was to be expected
//! follows from the step in which it began; whether it is a fault is for `check`.

use std::collections::BTreeMap;

use crate::vocabulary::{HttpEndpoint, Replies, Reply, Step};

use super::StepRecord;

/// More runs of one endpoint are not kept; they are counted.
const RUNS: usize = 4_000;

/// Every endpoint that was asked at a fixed rate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HttpLedger {
    pub endpoints: BTreeMap<HttpEndpoint, Replied>,
}

/// What one endpoint replied.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Replied {
    /// From one request to the next.
    pub beat_ms: u64,
    /// In order; a run ends with its step at the latest.
    pub runs: Vec<RunOfStep>,
    /// Replies that are in no run.
    pub dropped: u64,
}

/// Equal replies in a row, within one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunOfStep {
    /// The step's place in the run's steps; `None` for what came before the first.
    pub step: Option<usize>,
    pub replies: Replies,
}

/// A time in which an endpoint did not serve, from the first reply that showed it to the next that served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spell {
    pub from_ms: u64,
    /// `None` where it lasted until the recording's end.
    pub to_ms: Option<u64>,
    /// The step in which it began, by its place in the run's steps.
    pub step: Option<usize>,
    /// Whether it began while that step was doing what takes a service down: until systemd's word that all was started again.
    pub planned: bool,
    /// How many replies of each kind.
    pub replies: BTreeMap<Reply, u64>,
}

impl HttpLedger {
    pub(super) fn add(
        &mut self,
        endpoint: &HttpEndpoint,
        beat_ms: u64,
        (runs, dropped): (&[Replies], u64),
        (step, step_began_ms): (Option<usize>, u64),
    ) {
        let replied = self.endpoints.entry(endpoint.clone()).or_default();
        replied.beat_ms = beat_ms;
        replied.dropped = replied.dropped.saturating_add(dropped);
        for run in runs {
            if replied.runs.len() == RUNS {
                replied.dropped = replied.dropped.saturating_add(run.count);
                continue;
            }
            // What was asked before the step began, and replied in it, is the step's.
            let from_ms = run.from_ms.max(step_began_ms);
            replied.runs.push(RunOfStep {
                step,
                replies: Replies {
                    from_ms,
                    to_ms: run.to_ms.max(from_ms),
                    ..*run
                },
            });
        }
    }
}

impl Replied {
    /// How many replies of each kind there were.
    pub fn totals(&self) -> BTreeMap<Reply, u64> {
        let mut totals = BTreeMap::new();
        for run in &self.runs {
            let total: &mut u64 = totals.entry(run.replies.reply).or_default();
            *total = total.saturating_add(run.replies.count);
        }
        totals
    }

    /// When it did not serve. Before nginx answered for the first time it owed nothing.
    pub fn spells(&self, steps: &[StepRecord]) -> Vec<Spell> {
        let mut spells: Vec<Spell> = Vec::new();
        let mut open = false;
        let mut served = false;
        let answered = self.runs.iter().position(|r| r.replies.reply.is_of_nginx());
        for run in self.runs.iter().skip(answered.unwrap_or(self.runs.len())) {
            let Replies {
                reply,
                from_ms,
                count,
                ..
            } = run.replies;
            if reply.serves() {
                if let Some(last) = spells.last_mut().filter(|_| open) {
                    last.to_ms = Some(from_ms);
                }
                (open, served) = (false, true);
                continue;
            }
            if !open {
                spells.push(Spell {
                    from_ms,
                    to_ms: None,
                    step: run.step,
                    // Whoever never served yet is late, which the looks tell.
                    planned: !served || is_planned(steps, run.step, from_ms),
                    replies: BTreeMap::new(),
                });
                open = true;
            }
            if let Some(spell) = spells.last_mut() {
                let total = spell.replies.entry(reply).or_default();
                *total = total.saturating_add(count);
            }
        }
        // Nobody asks any longer, as after a switch or a rollback to a system without it.
        let last_step = steps.iter().rposition(|step| step.finished_ms.is_some());
        if let (Some(spell), Some(run)) = (spells.last_mut(), self.runs.last())
            && open
            && self.dropped == 0
            && run.step < last_step
        {
            spell.to_ms = Some(run.replies.to_ms);
        }
        spells
    }
}

impl Spell {
    /// How long it lasted; `None` where its end was not seen.
    pub fn milliseconds(&self) -> Option<u64> {
        Some(self.to_ms?.saturating_sub(self.from_ms))
    }

    pub fn step_of(&self, steps: &[StepRecord]) -> Option<Step> {
        steps.get(self.step?).map(|record| record.step)
    }
}

/// A step that never came to systemd's word on the start is told by other checks.
fn is_planned(steps: &[StepRecord], step: Option<usize>, at_ms: u64) -> bool {
    let record = step.and_then(|step| steps.get(step));
    record
        .and_then(|record| record.settled_ms)
        .is_none_or(|settled| at_ms <= settled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn step(started_ms: u64, settled_ms: Option<u64>) -> StepRecord {
        StepRecord {
            step: Step::Boot,
            outcome: None,
            boot: None,
            chosen: None,
            reset_ms: None,
            started_ms,
            settled_ms,
            finished_ms: None,
        }
    }

    fn ledger(runs: &[(u16, u64, u64)]) -> Replied {
        let mut ledger = HttpLedger::default();
        let runs: Vec<Replies> = runs
            .iter()
            .map(|&(code, from_ms, to_ms)| Replies {
                reply: match code {
                    0 => Reply::TimedOut,
                    code => Reply::Status(code),
                },
                from_ms,
                to_ms,
                count: 2,
            })
            .collect();
        let endpoint = testing::endpoint("alpha", 8081);
        ledger.add(&endpoint, 1000, (&runs, 0), (Some(0), 0));
        ledger.endpoints.remove(&endpoint).unwrap()
    }

    #[test]
    fn who_is_no_longer_asked_does_not_fail_to_the_end() {
        let replied = ledger(&[(200, 20, 39), (0, 50, 59)]);
        let mut steps = [step(0, Some(30)), step(100, None)];
        assert_eq!(replied.spells(&steps)[0].to_ms, None);
        steps[1].finished_ms = Some(200);
        assert_eq!(replied.spells(&steps)[0].to_ms, Some(59));
    }

    #[test]
    fn before_nginx_answers_nothing_is_owed_and_a_gateway_error_is_an_answer() {
        let steps = [step(0, Some(30))];
        let replied = ledger(&[(0, 0, 9), (502, 10, 19), (200, 20, 99)]);
        let spells = replied.spells(&steps);
        assert_eq!(spells.len(), 1);
        assert_eq!((spells[0].from_ms, spells[0].to_ms), (10, Some(20)));
        assert!(spells[0].planned);
        assert_eq!(replied.totals()[&Reply::Status(502)], 2);
    }

    #[test]
    fn what_begins_after_the_start_is_settled_was_not_planned() {
        let steps = [step(0, Some(30))];
        let spells = ledger(&[(200, 20, 39), (502, 40, 49), (0, 50, 59)]).spells(&steps);
        assert!(!spells[0].planned);
        assert_eq!((spells[0].to_ms, spells[0].replies.len()), (None, 2));
        let spells = ledger(&[(200, 20, 39), (502, 40, 49)]).spells(&[step(0, None)]);
        assert!(spells[0].planned);
        assert!(ledger(&[(0, 1, 2)]).spells(&steps).is_empty());
        let late = ledger(&[(0, 1, 39), (502, 40, 49), (200, 50, 59)]).spells(&steps);
        assert!(late[0].planned);
    }

    #[test]
    fn runs_are_bounded() {
        let many: Vec<(u16, u64, u64)> = (0..10_000).map(|n| (200, n, n)).collect();
        let replied = ledger(&many);
        assert_eq!(replied.runs.len(), RUNS);
        assert_eq!(replied.dropped, 12_000);
    }
}
