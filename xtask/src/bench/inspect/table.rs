//! The figures, and what is asked of them (issue 3, "Speed").

use std::fmt::Write as _;

use super::super::median;
use super::cost::Cost;
use super::{Measured, Round};

/// Files of the closure on which the floor and the memory are held against their targets.
const LARGE: u64 = 100_000;
const MAX_PEAK_BYTES: u64 = 100_000_000;
const MIN_FASTER_THAN_FILE: f64 = 20.0;
const MAX_OF_FLOOR: f64 = 2.0;
/// By how much a file may cost more in the largest closure than in the smallest, if the cost is linear.
const MAX_GROWTH: f64 = 1.25;

/// A target, and whether it was met.
pub(super) struct Target {
    pub(super) holds: bool,
    text: String,
}

impl Target {
    pub(super) fn line(&self) -> String {
        let verdict = if self.holds { "pass" } else { "fail" };
        format!("{verdict}: {}", self.text)
    }
}

/// Medians over the rounds, a closure a row.
pub(super) fn render(measured: &[Measured], threads: usize) -> String {
    let mut text = format!(
        "{threads} threads; medians; ratios are medians of each round's own\n\
         {:<26}{:>6}{:>11}{:>10}{:>9}{:>11}{:>8}{:>11}{:>9}{:>9}\n",
        "closure",
        "paths",
        "inspect ms",
        "floor ms",
        "x floor",
        "x floor cpu",
        "µs/file",
        "file ms",
        "faster",
        "peak MB"
    );
    for entry in measured {
        let _ = writeln!(
            text,
            "{:<26}{:>6}{:>11.1}{:>10.1}{:>9.2}{:>11.2}{:>8.2}{:>11.0}{:>9.1}{:>9.1}",
            entry.subject.name,
            entry.subject.store_paths,
            entry.of(|round| Some(milliseconds(round.inspect))),
            entry.of(|round| Some(milliseconds(round.floor))),
            entry.of(of_floor),
            entry.of(processor_of_floor),
            entry.per_file() * 1000.0,
            entry.of(|round| round.file.map(milliseconds)),
            entry.of(faster_than_file),
            entry.peak() as f64 / 1e6,
        );
    }
    text
}

/// What is asked for, against what was measured.
pub(super) fn targets(measured: &[Measured]) -> Vec<Target> {
    let mut targets = Vec::new();
    for entry in measured.iter().filter(|entry| entry.subject.is_of_lab) {
        let faster = entry.of(faster_than_file);
        targets.push(Target {
            holds: faster >= MIN_FASTER_THAN_FILE,
            text: format!(
                "{}: {faster:.1} times faster than find and file, at least {MIN_FASTER_THAN_FILE} asked",
                entry.subject.name
            ),
        });
    }
    let generated: Vec<&Measured> = measured.iter().filter(|e| !e.subject.is_of_lab).collect();
    for entry in &generated {
        if entry.subject.files < LARGE {
            continue;
        }
        let ratio = entry.of(of_floor);
        targets.push(Target {
            holds: ratio <= MAX_OF_FLOOR,
            text: format!(
                "{}: {ratio:.2} times the floor, at most {MAX_OF_FLOOR} asked",
                entry.subject.name
            ),
        });
        let peak = entry.peak();
        targets.push(Target {
            holds: peak < MAX_PEAK_BYTES,
            text: format!(
                "{}: at most {:.1} MB of memory, less than {} asked",
                entry.subject.name,
                peak as f64 / 1e6,
                MAX_PEAK_BYTES / 1_000_000
            ),
        });
    }
    if let [smallest, .., largest] = generated[..] {
        let growth = largest.per_file() / smallest.per_file();
        targets.push(Target {
            holds: growth <= MAX_GROWTH,
            text: format!(
                "a file of {} costs {growth:.2} of what one of {} does, at most {MAX_GROWTH} asked",
                largest.subject.files, smallest.subject.files
            ),
        });
    }
    targets
}

impl Measured {
    /// The median of what the rounds have of something; not a number where none has it.
    fn of(&self, value: impl Fn(&Round) -> Option<f64>) -> f64 {
        let values: Vec<f64> = self.rounds.iter().filter_map(value).collect();
        median(&values)
    }

    /// Milliseconds of inspection for a file.
    fn per_file(&self) -> f64 {
        self.of(|round| Some(milliseconds(round.inspect))) / self.subject.files as f64
    }

    fn peak(&self) -> u64 {
        let peaks = self.rounds.iter().map(|round| round.inspect.peak_bytes);
        peaks.max().unwrap_or_default()
    }
}

fn of_floor(round: &Round) -> Option<f64> {
    Some(milliseconds(round.inspect) / milliseconds(round.floor))
}

fn processor_of_floor(round: &Round) -> Option<f64> {
    Some(round.inspect.processor.as_secs_f64() / round.floor.processor.as_secs_f64())
}

fn faster_than_file(round: &Round) -> Option<f64> {
    Some(milliseconds(round.file?) / milliseconds(round.inspect))
}

fn milliseconds(cost: Cost) -> f64 {
    cost.time.as_secs_f64() * 1e3
}
