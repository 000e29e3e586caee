//! What stands alone; the last rows take all that is left, so that no finding is ever lost.

use crate::vocabulary::Check;

use super::super::rule::{Groups, Rule, Words, any, errors, warnings};

const NOTHING: Words = &["nothing has to be done for this verdict; know that it is so"];

const EACH: Rule = Rule {
    groups: Groups::OneEach,
    headline: &["{named summary}"],
    ..Rule::BASE
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "file-system-full",
        takes: &[any(&[Check::DiskFull])],
        next: &[
            "see of what it is full: `df -h`, `df -i`, `du -xsh` of what is below it; whoever writes there fails, at once or later",
        ],
        ..EACH
    },
    Rule {
        id: "unexplained",
        takes: &[errors(&[])],
        next: &["read the evidence quoted below"],
        ..EACH
    },
    // An overloaded host does that to any emulated guest.
    Rule {
        id: "locked-up",
        takes: &[warnings(&[Check::LogSignature]).about(&[
            "soft-lockup",
            "rcu-stall",
            "hung-task",
        ])],
        next: &[
            "repeat the rehearsal with nothing else on the host, which can starve a guest; if it stays, the call trace after it in the journal names what the kernel is stuck in",
        ],
        ..EACH
    },
    Rule {
        id: "shutdown-slow",
        takes: &[warnings(&[Check::ShutdownSlow])],
        next: &[
            "see what the unit does when it is stopped, and bound it with `TimeoutStopSec=`: the machine is down meanwhile",
        ],
        ..EACH
    },
    Rule {
        id: "unit-flapping",
        takes: &[warnings(&[Check::UnitFlapping])],
        next: &[
            "see who stops and starts it: a timer, a script, or another unit that it is bound to (`PartOf=`, `BindsTo=`)",
        ],
        ..EACH
    },
    Rule {
        id: "boots-differ",
        takes: &[warnings(&[Check::BootsDiffer])],
        next: &[
            "compare the two files in the run's directory: what only one boot has was left by an earlier one, came late, or is chance",
        ],
        ..EACH
    },
    Rule {
        id: "remark",
        takes: &[any(&[])],
        next: &["nothing until then: it is {suppression}", NOTHING[0]],
        ..EACH
    },
];
