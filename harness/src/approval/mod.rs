//! The report that a person approved, and whether a later one is still that.
//!
//! The command line reads and writes the files for `bootproof test` and `bootproof approve`. An approval says what is expected, and
//! never what is well: an approved failure fails. What may differ between two runs is [`crate::report::normalise`]'s to know.

mod difference;
mod snapshot;

use crate::report::{Report, json, normalise};

pub use difference::{Difference, compare};
pub use snapshot::{SIZE_LIMIT, Snapshot, SnapshotError};

/// The text that is approved: the report without what differs between equal runs, as JSON.
///
/// # Errors
/// When a number of the report is none that JSON has.
pub fn text_of(report: &Report) -> Result<String, serde_json::Error> {
    json::render(&normalise(report))
}

/// The name of a host's approved report among its neighbours, as insta names a snapshot: `bootproof__NAME.snap`.
///
/// `None` for a name that is none of a file.
pub fn file_name(host: &str) -> Option<String> {
    let is_safe = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let fits = !host.is_empty() && host.len() <= 200 && host.chars().all(is_safe);
    fits.then(|| format!("bootproof__{host}.snap"))
}

/// Why a report is none that can be approved: its rehearsal did not come to an end.
pub fn unfinished(report: &Report) -> Option<&'static str> {
    if report.accelerator.is_none() {
        Some("no machine ran, so nothing was rehearsed")
    } else if report.steps.iter().any(|step| step.outcome.is_none()) {
        Some("the recording ends before the rehearsal did")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn a_host_that_is_no_name_of_a_file_has_no_file() {
        let name = file_name("web-1.example.org");
        assert_eq!(name.as_deref(), Some("bootproof__web-1.example.org.snap"));
        for host in ["", "a/b", "../x", "a b", "a\0b", "\u{1b}[2J"] {
            assert_eq!(file_name(host), None, "{host:?}");
        }
        assert_eq!(file_name(&"x".repeat(201)), None);
    }

    #[test]
    fn only_a_rehearsal_that_came_to_its_end_can_be_approved() {
        for (plan, observations) in [testing::healthy(), testing::outage()] {
            let whole = crate::report::report(&plan, &observations);
            assert_eq!(unfinished(&whole), None);
            let cut = crate::report::report(&plan, &observations[..20]);
            assert!(unfinished(&cut).is_some_and(|why| why.contains("ends before")));
            let nothing = crate::report::report(&plan, &[]);
            assert!(unfinished(&nothing).is_some_and(|why| why.contains("no machine")));
        }
    }
}
