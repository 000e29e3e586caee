//! A system that was built for another platform than the one that was meant.

use crate::vocabulary::{Check, State};

use super::super::rule::{Groups, Misleads, Of, Related, Rule, Words, errors};
use super::super::seen;
use super::{CGROUP, NGINX_ANSWERS, NOBODY_FAILED, OF_UNITS};

/// The kernel's first.
const ARCHITECTURE: &[Check] = &[
    Check::KernelArchitecture,
    Check::SystemString,
    Check::UserlandArchitecture,
    Check::Architecture,
];

const ALL_OF_IT: Related = Related {
    what: errors(ARCHITECTURE),
    of: Of::Anything,
    words: &[],
};

const FORETOLD: Related = Related {
    what: errors(&[Check::Executability]),
    of: Of::SameSubject,
    words: &[],
};

const NEXT: Words = &[
    "the deployed closure is {an unexpected system} system where {expected} is expected: deploy the flake's own closure, \
     `nixos-rebuild switch --flake REF#HOST`, and compare its store path with the one that the deploy tool built",
    "find out which part of the closure is built for another platform: the evidence names it",
];

/// What misled the operator of the outage of 2023-08-08.
const BY_THE_PLATFORM: &[Misleads] = &[
    Misleads {
        evidence: &["/proc/cpuinfo names a 64-bit CPU: {64-bit CPU}, with the flag lm"],
        truth: &["the CPU was never at fault: it is the kernel that is {kernel}"],
    },
    Misleads {
        evidence: &["{ldd}"],
        truth: &[
            "a 32-bit ldd cannot read a 64-bit file; the closure has it as a good {classes} executable",
        ],
    },
    CGROUP,
    NOBODY_FAILED,
    NGINX_ANSWERS,
];

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "foreign-executables",
        takes: &[errors(&[Check::ExecFailed]).where_it(seen::is_foreign)],
        before: &[ALL_OF_IT, FORETOLD],
        headline: &[
            "{a kernel} kernel runs {classes} executables: {subjects} {dies/die} with Exec format error",
        ],
        follows: OF_UNITS,
        misleads: BY_THE_PLATFORM,
        next: &[
            "the deployed closure is {an unexpected kernel} system where {expected} is expected: deploy the flake's own \
             closure, `nixos-rebuild switch --flake REF#HOST`, and compare its store path with the one that the deploy tool built",
            "the services of the closure are built for another platform than its kernel: build them for {kernel}, or the \
             whole closure for theirs",
        ],
        ..Rule::BASE
    },
    // No reboot was seen, and the files say what it will do.
    Rule {
        id: "foreign-executables-ahead",
        takes: &[errors(&[Check::Executability]).where_it(seen::will_be_foreign)],
        needs: &[errors(ARCHITECTURE).within(State::OBSERVED)],
        groups: Groups::AsInspected,
        after: &[ALL_OF_IT],
        headline: &["{inspected}"],
        next: NEXT,
        ..Rule::BASE
    },
    // Where only the files say so, the inspection's own words are better.
    Rule {
        id: "other-platform",
        takes: &[errors(ARCHITECTURE)],
        needs: &[errors(ARCHITECTURE).within(State::OBSERVED)],
        headline: &["{summary}"],
        next: NEXT,
        ..Rule::BASE
    },
];
