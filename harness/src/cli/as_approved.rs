//! Tells the report of a run, and whether it is as approved.

use std::path::Path;

use super::approval::{Approved, DIFFERENCE_FILE};
use super::args::TestArgs;
use super::{Failure, report, tell};
use crate::approval::{self, Difference};
use crate::report::Report;
use crate::vocabulary::Verdict;

/// How many lines of a difference are shown; all are in the run's directory.
const SHOWN: usize = 60;

/// How a run compares with the approved report.
pub(super) enum Outcome {
    /// There is nothing to compare it with.
    None,
    /// The SHA-256, in hex, of what was approved.
    Same(String),
    Differs {
        difference: Difference,
        /// Why `cargo insta review` will not find it, where it cannot be put beside the approved one.
        not_pending: Option<String>,
    },
}

impl Outcome {
    /// The SHA-256 of the approved report that the run is equal to; `None` where it is to none.
    pub(super) fn approved(self) -> Option<String> {
        match self {
            Self::Same(approved) => Some(approved),
            Self::None | Self::Differs { .. } => None,
        }
    }
}

/// Prints the report, and how it compares with the approved one: of two that fail, the report comes first.
pub(super) fn tell_report(
    args: &TestArgs,
    report: &Report,
    approved: Option<&Approved>,
    directory: &Path,
) -> Result<Outcome, Failure> {
    let told = report::Told {
        format: args.format,
        verbosity: args.verbosity,
        directory,
    };
    let print = || report::print(report, &told);
    let Some(approved) = approved else {
        print()?;
        return Ok(Outcome::None);
    };
    if args.approve {
        print()?;
        if let Some(why) = approval::unfinished(report) {
            tell(&format!("nothing was approved: {why}\n"));
            return Ok(Outcome::None);
        }
        return Ok(Outcome::Same(approved.approve(report)?));
    }
    let outcome = approved.hold(report, directory)?;
    let words = words(approved, &outcome, report, directory);
    let differs = matches!(outcome, Outcome::Differs { .. });
    if args.verbosity.quiet {
        // One line: what the run ends with.
        match words.lines().next() {
            Some(line) if differs => tell(&format!("{line}\n")),
            _ => print()?,
        }
    } else if differs && report.verdict != Verdict::Fail {
        tell(&words);
        print()?;
    } else {
        print()?;
        tell(&words);
    }
    Ok(outcome)
}

/// What a person is told of how a run compares.
fn words(approved: &Approved, outcome: &Outcome, report: &Report, run_directory: &Path) -> String {
    let file = approved.file.display();
    let run = run_directory.display();
    let command = format!("bootproof approve {run} {}", approved.named_by);
    match outcome {
        Outcome::None => format!(
            "no report is approved yet: `{command}` approves this one, and a later run that differs fails\n"
        ),
        Outcome::Same(_) => format!("as approved: {file}\n"),
        Outcome::Differs {
            difference,
            not_pending,
        } => format!(
            "fail: not as approved: {}, {} in {file} (the rehearsal's own verdict: {})\n\n{}\n  next: where this is \
             what you mean, approve it:\n        {command}\n        ({})\n\n",
            count(difference.added, "new line"),
            count(difference.removed, "line less"),
            report.verdict,
            shown(difference, Some(run_directory)),
            match not_pending {
                None => format!(
                    "or `cargo insta review`, which finds {}",
                    approved.pending().display()
                ),
                Some(why) => format!("`cargo insta review` will not find it: {why}"),
            },
        ),
    }
}

fn count(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        many => format!("{many} {}", what.replacen("line", "lines", 1)),
    }
}

/// The lines of a difference, indented, as many as a person reads.
pub(super) fn shown(difference: &Difference, run_directory: Option<&Path>) -> String {
    let lines = difference.lines.iter().take(SHOWN);
    let mut text: String = lines.map(|line| format!("  {line}\n")).collect();
    let more = difference.lines.len().saturating_sub(SHOWN);
    if more > 0 {
        let place = run_directory.map(|directory| directory.join(DIFFERENCE_FILE));
        let place = place.map_or_else(String::new, |place| format!(" in {}", place.display()));
        text.push_str(&format!("  … and {more} more lines{place}\n"));
    }
    text
}
