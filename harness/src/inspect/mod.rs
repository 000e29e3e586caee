//! Static proof: what the files of a closure say about its next boot, without booting it.
//!
//! The command line calls [`inspect`]. Reading is `closure`'s ([`crate::closure::survey`]); the rules in [`RULES`] are pure: each is a
//! file of its own with a row in the table, and turns what was read into findings, notes and what is unproven. Nothing is run, and what
//! cannot be known from files (state that is made at run time) is said and never blamed on the closure.

mod architecture;
mod boot_path;
mod changes;
mod death;
mod executability;
mod faults;
mod headline;
pub mod human;
mod kernel;
pub mod markdown;
mod model;
mod nginx;
mod references;
mod rules;
#[cfg(test)]
mod testing;

pub use changes::Changes;
pub use model::{Expected, Inspection, Options};
pub use rules::{RULES, Row};

use crate::closure::{self, Closure};
use crate::vocabulary::ClosureFacts;
use rules::Subject;

/// Reads what the facts do not hold and applies every rule; with a baseline, tells what changes too.
pub fn inspect(
    closure: &Closure,
    facts: &ClosureFacts,
    baseline: Option<(&Closure, &ClosureFacts)>,
    options: &Options,
) -> Inspection {
    let survey = closure::survey(closure);
    let surveyed = baseline.map(|(closure, _)| closure::survey(closure));
    let subject = Subject {
        facts,
        survey: &survey,
        baseline: surveyed.as_ref(),
        options,
        expected: model::expected(options, baseline.map(|(_, facts)| facts)),
    };
    let mut inspection = rules::apply(&subject);
    if let (Some((_, before)), Some(surveyed)) = (baseline, &surveyed) {
        inspection.baseline = Some(before.toplevel.clone());
        inspection.changes = Some(changes::between(before, surveyed, facts, &survey));
    }
    inspection
}
