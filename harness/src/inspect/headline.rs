//! The first line: the verdict and its cause.

use super::rules::{Outcome, Subject};
use crate::vocabulary::{Severity, Verdict};

/// The first line, and what to do next.
pub(super) fn of(
    subject: &Subject,
    outcome: &Outcome,
    verdict: Verdict,
) -> (String, Option<String>) {
    match verdict {
        Verdict::Fail => match outcome.causes.as_slice() {
            // That something else was built explains what follows, and says not yet what comes of it.
            [first, second, ..] if subject.difference.is_some() => (
                format!("fail: {}: {}", first.headline, second.headline),
                Some(first.next.clone()),
            ),
            [cause, ..] => (
                format!("fail: {}", cause.headline),
                Some(cause.next.clone()),
            ),
            [] => ("fail: see the findings".to_owned(), None),
        },
        Verdict::Unproven => {
            let reasons: Vec<String> = outcome
                .unproven
                .iter()
                .filter(|unproven| unproven.decisive)
                .map(|unproven| format!("{}: {}", unproven.subject, unproven.reason))
                .collect();
            (format!("unproven: {}", reasons.join("; ")), None)
        }
        Verdict::Pass => {
            let warnings = outcome
                .findings
                .iter()
                .filter(|finding| finding.severity == Severity::Warning)
                .count();
            let warnings = match warnings {
                0 => String::new(),
                1 => ", 1 warning".to_owned(),
                many => format!(", {many} warnings"),
            };
            let text = format!(
                "pass: nothing in the files of {} stands against a boot ({} units{warnings}; nothing was booted)",
                subject.facts.toplevel.base_name(),
                subject.survey.units.len(),
            );
            (text, None)
        }
    }
}
