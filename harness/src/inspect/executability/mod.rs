//! Whether everything that a boot or a switch executes can be, once this closure's kernel runs.

mod death;
mod generators;
mod group;
mod switch;
mod system_path;
mod toplevel;
mod triggers;
mod udev;
mod units;
mod wrappers;

use super::rules::{Outcome, Subject};

/// A rule for each kind of program, those first whose faults explain those of the next.
const KINDS: &[fn(&Subject, &mut Outcome)] = &[
    units::rule,
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
