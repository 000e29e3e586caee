//! Kernel, `system`, `boot.json`, userland, modules, bootloader, expectation and machine against each other.

mod boot_loader;
mod census;
mod expectation;
mod machine;
mod modules;
mod userland;
mod words;

use super::rules::{Outcome, Subject};
use crate::vocabulary::{Check, Finding, State};

pub(super) const NEXT: &str = "look at what the deploy tool builds for (`nixpkgs.hostPlatform`, `nixpkgs.system`), and build the platform that you mean";

/// What is held against the kernel, in the order in which a fault of one explains those of the next.
const PARTS: &[fn(&Subject, &mut Outcome)] = &[
    expectation::rule,
    machine::rule,
    words::rule,
    userland::rule,
    modules::rule,
    boot_loader::rule,
    census::rule,
];

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    for part in PARTS {
        part(subject, outcome);
    }
}

fn found(subject: &str, summary: String) -> Finding {
    Finding::new(Check::Architecture, State::Inspected, subject, summary)
}

fn error(outcome: &mut Outcome, finding: Finding) {
    outcome.cause(finding.summary.clone(), NEXT, [finding]);
}
