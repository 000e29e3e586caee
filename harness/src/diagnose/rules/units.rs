//! Units that do not run, by why: what the unit or systemd said of it first.

use crate::vocabulary::{Check, State};

use super::super::rule::{Of, Related, Rule, Words, any, errors};
use super::super::seen;
use super::super::upstream::EMERGENCY;
use super::{BY_UNITS, OF_UNITS};

/// What the files said of the same unit before.
const FORETOLD: &[Related] = &[Related {
    what: any(&[Check::Executability]).within(&[State::Inspected]),
    of: Of::SameSubject,
    words: &[],
}];

const UNITS: Rule = Rule {
    after: FORETOLD,
    follows: OF_UNITS,
    misleads: BY_UNITS,
    ..Rule::BASE
};

/// What is dead, in whichever way a state shows it.
const DEAD: &[Check] = &[Check::UnitFailed, Check::RestartLoop, Check::UnitInactive];

const READ_THE_JOURNAL: Words =
    &["read the unit's own lines of the journal, quoted below: what the error says comes first"];

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "disk-full",
        takes: &[errors(&[
            Check::ExecFailed,
            Check::UnitFailed,
            Check::RestartLoop,
            Check::UnitInactive,
        ])
        .where_it(seen::is_disk_full)],
        after: &[
            FORETOLD[0],
            Related {
                what: any(&[Check::DiskFull]),
                of: Of::SameState,
                words: &[],
            },
        ],
        headline: &["the disk is full: {subjects} {fails/fail} with No space left on device"],
        next: &[
            "see which file system is full, and of what: `df -h`, `df -i`, `du -xsh /var/* /tmp`; mind that the test disk is as large as \
             bootproof made it, and not as the machine's",
        ],
        ..UNITS
    },
    Rule {
        id: "exec-failed",
        takes: &[errors(&[Check::ExecFailed])],
        headline: &[
            "{subjects} cannot start {its executable/their executables}: {reason}",
            "{subjects} cannot start {its executable/their executables}: 203/EXEC",
        ],
        next: &[
            "look at the path that the journal names: whether it is in the closure, executable, and built for this kernel",
        ],
        ..UNITS
    },
    Rule {
        id: "nginx-refuses-configuration",
        takes: &[errors(DEAD).quoting(&[EMERGENCY])],
        headline: &["nginx does not start: {nginx's emergency}"],
        next: &[
            "correct the line that it names, or what that line asks for; on a machine that has the closure, `nginx -t -c FILE` says the same before a deploy",
        ],
        ..UNITS
    },
    // The status by which systemd's child says that it got into no control group (src/basic/exit-status.c).
    Rule {
        id: "cgroup-refused",
        takes: &[errors(DEAD).quoting(&["ExecMainStatus=219", "219/CGROUP"])],
        after: &[
            FORETOLD[0],
            Related {
                what: any(&[Check::LogSignature]).about(&["cgroup-memory"]),
                of: Of::Anything,
                words: &[],
            },
            Related {
                what: any(&[Check::LogSignature])
                    .about(&["oom-kill"])
                    .quoting(&["systemd invoked oom-killer", "(sd-executor) invoked"]),
                of: Of::Anything,
                words: &[],
            },
        ],
        headline: &[
            "{subjects} cannot start, because there is no control group for {it/them}: {cgroup refusal}",
            "{subjects} cannot start, because there is no control group for {it/them}",
        ],
        next: &[
            "look at the limits of the slice that the line names and of those above it (`systemctl show --property=MemoryMax,TasksMax` of it): \
             a number without a suffix is bytes",
        ],
        ..UNITS
    },
    // systemd drops a job where units wait for each other in a circle, and calls nothing failed.
    Rule {
        id: "ordering-cycle",
        takes: &[errors(DEAD).where_it(seen::is_dropped_for_a_cycle)],
        after: &[
            FORETOLD[0],
            Related {
                what: any(&[Check::LogSignature]).about(&["ordering-cycle"]),
                of: Of::Anything,
                words: &[],
            },
        ],
        headline: &[
            "systemd never started {subjects}: {it stands/they stand} in a circle of units that wait for each other",
        ],
        next: &[
            "read the lines `Found ordering cycle` and `Found dependency on` in the journal of that boot, and take one `After=` or `Before=` of them out: {cycle}",
        ],
        ..UNITS
    },
    Rule {
        id: "unit-killed-for-memory",
        takes: &[errors(DEAD).where_it(seen::is_killed_for_memory)],
        after: &[
            FORETOLD[0],
            Related {
                what: any(&[Check::LogSignature]).about(&["oom-kill"]),
                of: Of::Anything,
                words: &[],
            },
        ],
        headline: &["{subjects} {was/were} killed for want of memory"],
        next: &[
            "see how much the unit needs (`MemoryPeak=`), what `MemoryMax=` it has, and how much memory the machine has: `--memory` rehearses with that much",
        ],
        ..UNITS
    },
    Rule {
        id: "watchdog",
        takes: &[
            errors(&[Check::UnitFailed]).saying(&["(watchdog)"]),
            errors(&[Check::RestartLoop]).logging(&["Watchdog timeout"]),
        ],
        headline: &[
            "systemd kills {subjects}, because {it does/they do} not answer {its/their} watchdog in time",
        ],
        next: &[
            "find out what keeps the service from its `sd_notify(WATCHDOG=1)`, or whether `WatchdogSec=` is too short for this machine",
        ],
        ..UNITS
    },
    // A main process that such a signal ended has a fault of its own (signal(7)); a watchdog sends one of them too.
    Rule {
        id: "unit-crashed",
        takes: &[errors(DEAD).logging(&[
            "status=11/SEGV",
            "status=4/ILL",
            "status=7/BUS",
            "status=8/FPE",
            "status=6/ABRT",
        ])],
        after: &[
            FORETOLD[0],
            Related {
                what: any(&[Check::LogSignature]).about(&["segfault"]),
                of: Of::SameState,
                words: &[],
            },
        ],
        headline: &[
            "{subjects} {crashes/crash}: {last words}",
            "{subjects} {crashes/crash}",
        ],
        next: &[
            "see where it crashed: `coredumpctl info` of it, and the kernel's line, which names the library; a CPU flag that this machine lacks ends a program \
             by an invalid opcode",
        ],
        ..UNITS
    },
    Rule {
        id: "start-timeout",
        takes: &[
            errors(&[Check::UnitFailed]).saying(&["(timeout)"]),
            errors(&[Check::RestartLoop]).logging(&["start operation timed out"]),
        ],
        headline: &[
            "{subjects} {does/do} not come up within the time that systemd gives {it/them}",
        ],
        next: &[
            "find out what the start waits for; a service of `Type=notify` has to say that it is ready, one of `Type=forking` to fork; `TimeoutStartSec=` is the limit",
        ],
        ..UNITS
    },
    Rule {
        id: "lost-with-the-reboot",
        takes: &[errors(&[Check::UnitFailed, Check::RestartLoop]).where_it(seen::is_lost_by_reboot)],
        headline: &[
            "{subjects} {misses/miss} what lay in /run or /tmp, which a reboot empties: {lost}",
        ],
        next: &[
            "have the unit make it at each start: `RuntimeDirectory=`, `systemd.tmpfiles.rules`, or keep it in /var (`StateDirectory=`)",
        ],
        ..UNITS
    },
    Rule {
        id: "oneshot-worked-once",
        takes: &[errors(&[Check::UnitFailed])
            .saying(&["(exit-code)"])
            .where_it(seen::worked_once)],
        headline: &[
            "{subjects} ended well before the reboot and {fails/fail} when started again after it: {last words}",
            "{subjects} ended well before the reboot and {fails/fail} when started again after it",
        ],
        next: &[
            "look for what the first run left behind that the second one stumbles over (a file, a directory, a user, a schema), and make the oneshot fit to run again",
        ],
        ..UNITS
    },
    Rule {
        id: "start-limit-hit",
        takes: &[
            errors(&[Check::UnitFailed]).saying(&["(start-limit-hit)"]),
            errors(&[Check::UnitFailed])
                .logging(&["Start request repeated too quickly", "Start limit hit"]),
        ],
        headline: &[
            "{subjects} died again and again, until systemd gave up (start limit hit): {last words}",
            "{subjects} died again and again, until systemd gave up (start limit hit)",
        ],
        next: &[
            "the limit is not the fault: read what the unit said at its first death, `journalctl -b --unit` of it; then `systemctl reset-failed`",
        ],
        ..UNITS
    },
    // What failed neither before the switch nor after it.
    Rule {
        id: "way-back-barred",
        takes: &[errors(&[Check::UnitFailed, Check::RestartLoop]).within(&[State::RolledBack])],
        headline: &[
            "the old generation's {subjects} {does/do} not run beside what the candidate left: {last words}",
            "the old generation's {subjects} {does/do} not run beside what the candidate left",
        ],
        next: &[
            "see what the candidate changes of the data on its first start (a schema, a format, an owner), and how to take that back; make a backup before \
             the deploy",
        ],
        ..UNITS
    },
    Rule {
        id: "unit-failed",
        takes: &[errors(&[Check::UnitFailed])],
        headline: &[
            "{only summary}: {last words}",
            "{only summary}",
            "{subjects} failed: {last words}",
            "{subjects} failed",
        ],
        next: READ_THE_JOURNAL,
        ..UNITS
    },
    Rule {
        id: "restart-loop",
        takes: &[errors(&[Check::RestartLoop])],
        headline: &[
            "{subjects} {is/are} restarted again and again, and systemd calls that no failure",
        ],
        next: &[
            "read why the main process ends: `journalctl --unit` of it, from its first start on",
        ],
        ..UNITS
    },
    Rule {
        id: "stuck-activating",
        takes: &[errors(&[Check::UnitInactive]).saying(&[" is still starting"])],
        headline: &["{subjects} {is/are} still starting, and {does/do} not come up"],
        next: &[
            "see what the start waits for (`systemctl status`, `systemctl list-jobs`); a service of `Type=notify` has to say that it is ready, a oneshot to end",
        ],
        ..UNITS
    },
    Rule {
        id: "dependency-failed",
        takes: &[errors(&[Check::UnitInactive])
            .logging(&["failed with result 'dependency'", "Dependency failed for"])],
        headline: &[
            "{subjects} {was/were} not started, because what {it requires/they require} failed",
        ],
        next: &[
            "see which required unit it is: `systemctl list-dependencies` of it, and the journal's lines `Dependency failed for`",
        ],
        ..UNITS
    },
    Rule {
        id: "unit-inactive",
        takes: &[errors(&[Check::UnitInactive])],
        headline: &[
            "{only summary}",
            "{subjects} are wanted by the boot target and not active",
        ],
        next: &[
            "see what the unit waits for or lacks: `systemctl list-dependencies` and `systemctl list-jobs` say",
        ],
        ..UNITS
    },
    Rule {
        id: "unit-lost",
        takes: &[errors(&[Check::UnitLost])],
        headline: &[
            "{only summary}",
            "{subjects} run until the reboot, and nothing starts them afterwards",
        ],
        next: &[
            "have the boot want it (`wantedBy = [ \"multi-user.target\" ];`), or stop it before the deploy if it has to go",
        ],
        ..UNITS
    },
    // No finding names a unit: they failed for a while, or are not wanted.
    Rule {
        id: "switch-of-failed-units",
        takes: &[errors(&[Check::SwitchFailed])],
        headline: &["{summary}"],
        next: &[
            "read which units `switch-to-configuration` named; afterwards none was seen that does not run",
        ],
        ..Rule::BASE
    },
];
