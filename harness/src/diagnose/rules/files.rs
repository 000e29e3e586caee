//! What the closure's files said before anything was booted. What a boot confirmed is under the boot's own cause.

use crate::vocabulary::{Check, State};

use super::super::rule::{Groups, Of, Pattern, Related, Rule, any, errors};

const INSPECTED: &[State] = &[State::Inspected];

const fn files(check: &'static [Check]) -> Pattern {
    errors(check).within(INSPECTED)
}

/// A rule about files says what the inspection said.
const FILES: Rule = Rule {
    groups: Groups::AsInspected,
    headline: &["{inspected}"],
    next: &["{inspected next}"],
    ..Rule::BASE
};

const FAILING_BOOT: &[Related] = &[Related {
    what: errors(&[Check::BootFailed]),
    of: Of::Anything,
    words: &["the boot fails at: {subjects}"],
}];

/// What a boot fails of.
pub(super) const BOOT: &[Rule] = &[
    Rule {
        id: "files-boot-path",
        takes: &[files(&[Check::BootPath])],
        follows: FAILING_BOOT,
        ..FILES
    },
    // A systemd or an initrd that cannot start, and what systemd in the initrd prepares the root with.
    Rule {
        id: "files-init",
        takes: &[
            files(&[Check::Executability]).about(&["systemd", "initrd", "prepare-root"]),
            files(&[Check::Executability]).saying(&["of the initrd will "]),
        ],
        follows: FAILING_BOOT,
        ..FILES
    },
];

pub(super) const NGINX: &[Rule] = &[Rule {
    id: "files-nginx",
    takes: &[files(&[Check::NginxConfig])],
    follows: &[
        Related {
            what: any(&[Check::UnitFailed]).about(&["nginx.service"]),
            of: Of::Anything,
            words: &["failed: {subjects}"],
        },
        Related {
            what: errors(&[Check::HttpUnanswered]),
            of: Of::Anything,
            words: &["no answer from: {subjects}"],
        },
    ],
    ..FILES
}];

/// In the inspection's own order.
pub(super) const REST: &[Rule] = &[
    Rule {
        id: "files-build-difference",
        takes: &[files(&[Check::BuildDifference])],
        ..FILES
    },
    Rule {
        id: "files-store-contents",
        takes: &[files(&[Check::StoreContents])],
        ..FILES
    },
    Rule {
        id: "files-executability",
        takes: &[files(&[Check::Executability])],
        ..FILES
    },
    Rule {
        id: "files-architecture",
        takes: &[files(&[Check::Architecture])],
        ..FILES
    },
    Rule {
        id: "files-reference",
        takes: &[files(&[Check::Reference])],
        ..FILES
    },
];
