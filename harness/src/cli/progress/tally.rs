//! What has come of a run so far, for the live line and for the lines that sum up. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::fold::sanitise;
use crate::vocabulary::{Observation, State};

/// How many units of one boot are told that failed to start: one that is started again and again is told once.
const FAILED_TOLD: usize = 20;

/// Counts of the boot and of the round of requests that are under way.
#[derive(Debug, Default)]
pub(super) struct Tally {
    boot: u32,
    started: usize,
    failed: BTreeSet<String>,
    round: Option<(State, u32)>,
    answers: BTreeMap<String, usize>,
}

impl Tally {
    /// Takes in an observation, and gives the lines that are now to be told.
    pub(super) fn take(&mut self, observation: &Observation) -> Vec<String> {
        let mut lines = Vec::new();
        let round = match observation {
            Observation::Http { state, round, .. } => Some((*state, *round)),
            _ => None,
        };
        if round != self.round {
            lines.extend(self.round_ended());
            self.round = round;
        }
        match observation {
            Observation::Http { answer, .. } => {
                *self.answers.entry(answer.word()).or_default() += 1;
            }
            Observation::PoweredOn { boot, .. } => self.begin(*boot),
            Observation::Console { line, .. } => lines.extend(self.console(line)),
            // The same machine, started again by its guest.
            Observation::Qemu { boot, event, .. } if event == "RESET" => self.begin(*boot),
            _ => {}
        }
        lines
    }

    /// `boot 2, 41 units, 1 failed to start, 3 × 502`; empty before the first boot.
    pub(super) fn status(&self) -> String {
        let mut parts = Vec::new();
        if self.boot > 0 {
            parts.push(format!("boot {}", self.boot));
        }
        if self.started > 0 {
            parts.push(format!("{} units started", self.started));
        }
        if !self.failed.is_empty() {
            parts.push(format!("{} FAILED", self.failed.len()));
        }
        parts.extend(self.answers.iter().map(|(a, n)| format!("{n} × {a}")));
        parts.join(", ")
    }

    fn begin(&mut self, boot: u32) {
        *self = Self {
            boot,
            ..Self::default()
        };
    }

    fn round_ended(&mut self) -> Option<String> {
        let (state, round) = self.round?;
        let answers = std::mem::take(&mut self.answers);
        let answers: Vec<String> = answers.iter().map(|(a, n)| format!("{n} × {a}")).collect();
        Some(format!(
            "http in {state}, round {round}: {}",
            answers.join(", ")
        ))
    }

    /// systemd tells of its units on the console, where the kernel's parameters do not quieten it.
    fn console(&mut self, line: &str) -> Option<String> {
        let (status, said) = line.trim_start().strip_prefix('[')?.split_once("] ")?;
        match status.trim() {
            "OK" if said.starts_with("Started ") || said.starts_with("Finished ") => {
                self.started += 1;
                None
            }
            "FAILED" => {
                let said = sanitise::line(said);
                let is_new = self.failed.len() < FAILED_TOLD && self.failed.insert(said.clone());
                is_new.then_some(said)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use crate::vocabulary::ProbeRoute;

    fn console(line: &str) -> Observation {
        Observation::Console {
            boot: 1,
            line: line.to_owned(),
        }
    }

    #[test]
    fn units_are_counted_and_each_failure_is_told_once_a_boot() {
        let mut tally = Tally::default();
        let power = Observation::PoweredOn {
            boot: 1,
            argv: Vec::new(),
        };
        assert!(tally.take(&power).is_empty());
        for line in [
            "[  OK  ] Started alpha",
            "[  OK  ] Reached target x",
            "[OK",
            "]",
        ] {
            assert!(tally.take(&console(line)).is_empty());
        }
        let fails = console("[FAILED] Failed to start gamma.service - Ga\u{1b}[2Jmma.");
        let told = tally.take(&fails);
        assert_eq!(told, ["Failed to start gamma.service - Gamma."]);
        assert!(tally.take(&fails).is_empty());
        assert_eq!(tally.status(), "boot 1, 1 units started, 1 FAILED");
        tally.take(&power);
        assert_eq!(tally.status(), "boot 1");
        assert_eq!(tally.take(&fails).len(), 1);
    }

    #[test]
    fn a_boot_that_fails_without_end_is_not_told_without_end() {
        let mut tally = Tally::default();
        let lines = (0..10_000).flat_map(|n| tally.take(&console(&format!("[FAILED] {n}"))));
        assert_eq!(lines.count(), FAILED_TOLD);
        assert!(tally.failed.len() <= FAILED_TOLD);
    }

    #[test]
    fn a_round_of_requests_is_summed_up_when_it_is_over() {
        let mut tally = Tally::default();
        let mut ask = |round, code| {
            tally.take(&Observation::Http {
                state: State::Rebooted,
                round,
                endpoint: testing::endpoint("a.example", 80),
                route: ProbeRoute::Outside,
                answer: testing::status(code),
            })
        };
        assert!(ask(1, 502).is_empty());
        assert!(ask(1, 502).is_empty());
        assert_eq!(ask(2, 200), ["http in rebooted, round 1: 2 × 502"]);
        assert_eq!(tally.status(), "1 × 200");
        let told = tally.take(&console("x"));
        assert_eq!(told, ["http in rebooted, round 2: 1 × 200"]);
    }
}
