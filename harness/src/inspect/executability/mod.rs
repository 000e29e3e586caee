//! Whether everything that a boot or a switch executes can be, once this closure's kernel runs.

mod accounts;
mod death;
mod generators;
mod group;
mod needed_files;
mod switch;
mod system_path;
mod toplevel;
mod triggers;
mod udev;
mod unit_finding;
mod units;
mod wrappers;

use super::rules::{Outcome, Subject};

/// A rule for each kind of program, those first whose faults explain those of the next.
const KINDS: &[fn(&Subject, &mut Outcome)] = &[
    units::rule,
    needed_files::rule,
    accounts::rule,
    triggers::rule,
    toplevel::rule,
    switch::rule,
    generators::rule,
    udev::rule,
    wrappers::rule,
    system_path::rule,
];

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    for kind in KINDS {
        kind(subject, outcome);
    }
}
