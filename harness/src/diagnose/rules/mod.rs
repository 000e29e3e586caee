//! Every rule, in files by subject. The order is what explains what: the most fundamental first.

mod boot;
mod files;
mod firmware;
mod http;
mod initrd;
mod kernel;
mod platform;
mod rest;
mod system;
mod units;

use super::rule::{Groups, Misleads, Of, Pattern, Related, Rule, any, errors};
use crate::vocabulary::Check;

/// All rules, in order.
pub(super) fn all() -> impl Iterator<Item = &'static Rule> {
    let tables: [&'static [Rule]; 13] = [
        platform::RULES,
        files::BOOT,
        system::BOOTLOADER,
        firmware::RULES,
        initrd::RULES,
        boot::RULES,
        system::RULES,
        files::NGINX,
        kernel::RULES,
        units::RULES,
        http::RULES,
        files::REST,
        rest::RULES,
    ];
    tables.into_iter().flatten()
}

/// Each failed boot is its own cause.
const BOOT: Rule = Rule {
    groups: Groups::OneEach,
    ..Rule::BASE
};

const fn failed() -> Pattern {
    errors(&[Check::BootFailed])
}

/// What follows from units that do not run.
const OF_UNITS: &[Related] = &[
    Related {
        what: any(&[Check::RestartLoop]),
        of: Of::SameSubject,
        words: &["systemd restarts without end: {subjects}"],
    },
    Related {
        what: any(&[Check::UnitFailed]),
        of: Of::SameSubject,
        words: &["failed: {subjects}"],
    },
    Related {
        what: any(&[Check::UnitInactive]),
        of: Of::Queue,
        words: &["not started meanwhile: {subjects}"],
    },
    Related {
        what: any(&[Check::UnitInactive]),
        of: Of::Dependents,
        words: &["not active: {subjects}"],
    },
    Related {
        what: any(&[Check::HttpGateway]),
        of: Of::Behind,
        words: &[
            "nginx stays up and answers {quotation} for {subjects}",
            "nginx cannot reach what is behind: {subjects}",
        ],
    },
    Related {
        what: any(&[Check::HttpUnanswered]),
        of: Of::Nginx,
        words: &["no answer from: {subjects}"],
    },
    Related {
        what: any(&[Check::ProbeFailed]),
        of: Of::Anything,
        words: &["not answered as the configuration expects: {subjects}"],
    },
    Related {
        what: any(&[Check::LogSignature]).about(&["cgroup-memory"]),
        of: Of::Anything,
        words: &["a misleading line of the log (memory is not what is short): {subjects}"],
    },
    Related {
        what: any(&[Check::SwitchFailed]),
        of: Of::Anything,
        words: &["the switch reports failed units: {subjects}"],
    },
    Related {
        what: any(&[Check::BootsDiffer]),
        of: Of::Named,
        words: &["{summary}"],
    },
    Related {
        what: any(&[Check::SystemState]),
        of: Of::Anything,
        words: &["the start does not come to rest: {subjects}"],
    },
];

/// What looks like a cause where units die; all of it the same in each run of a rehearsal, because approvals compare it.
const BY_UNITS: &[Misleads] = &[CGROUP, NOBODY_FAILED, NGINX_ANSWERS];

const CGROUP: Misleads = Misleads {
    evidence: &["the journal says: {cgroup line}"],
    truth: &[
        "memory was not short: systemd says so too where a child of it could not be started, and the kernel killed nothing",
    ],
};

const NOBODY_FAILED: Misleads = Misleads {
    evidence: &["{nobody failed}"],
    truth: &["a unit that awaits its restart counts as none"],
};

const NGINX_ANSWERS: Misleads = Misleads {
    evidence: &["nginx answers {nginx's answer}"],
    truth: &["it does its part: what it passes requests on to gives no answer"],
};

#[cfg(test)]
mod tests;
