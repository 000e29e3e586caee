//! Static proof: what the files of a closure say about its next boot, without booting it.
//!
//! The command line calls [`inspect`]. Reading is `closure`'s ([`crate::closure::survey`]); the rules in [`RULES`] are pure: each is a
//! file of its own with a row in the table, and turns what was read into findings, notes and what is unproven. Nothing is run, and what
//! cannot be known from files (state that is made at run time) is said and never blamed on the closure.

mod architecture;
mod boot_path;
pub mod builds;
mod changes;
mod clean;
mod contents;
mod difference;
mod executability;
mod faults;
mod headline;
pub mod human;
mod initrd_services;
pub mod junit;
mod kernel;
pub mod markdown;
mod model;
mod nginx;
mod pid_1;
mod references;
mod rules;
pub mod sarif;
mod stage_one;
mod switch;
#[cfg(test)]
mod testing;
mod trouble;

pub use kernel::with_article;
pub use model::{Against, BuiltBy, Candidate, Expected, Inspection, Meant, MeantBy, Options};
pub use rules::{RULES, Row};

use crate::closure::{self, ClosureError};
use rules::{Baseline, Subject};

/// Applies every rule to what was read of the candidate; with a baseline, tells what changes too.
///
/// # Errors
/// When the store's own records, which `verify_contents` asks for, cannot be had for a reason of the host's.
pub fn inspect(
    candidate: &Candidate,
    against: &Against,
    options: &Options,
) -> Result<Inspection, ClosureError> {
    let Candidate {
        closure,
        facts,
        survey,
    } = *candidate;
    let contents = match options.verify_contents {
        true => Some(closure::verify_contents(closure)?),
        false => None,
    };
    let before = against
        .baseline
        .map(|(closure, _)| closure::outline(closure));
    let before = against
        .baseline
        .zip(before.as_ref())
        .map(|((_, facts), survey)| Baseline { facts, survey });
    let subject = Subject {
        facts,
        survey,
        options,
        baseline: before,
        expected: model::expected(options, against),
        contents: contents.as_ref(),
        difference: builds::difference(closure, facts, survey, against.meant),
    };
    let mut inspection = rules::apply(&subject);
    if let Some(before) = before {
        inspection.baseline = Some(before.facts.toplevel.clone());
        let changes = changes::between(before.facts, before.survey, facts, survey);
        inspection.changes = Some(changes);
    }
    Ok(clean::clean(inspection))
}
