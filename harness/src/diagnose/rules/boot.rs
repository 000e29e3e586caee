//! A boot that does not come up, by what ended it: the kernel, then systemd.

use super::super::rule::{Of, Related, Rule, any};
use super::{BOOT, failed};
use crate::vocabulary::Check;

/// A boot that ended in emergency or rescue mode may have been looked at all the same: the units that led there, and what is down for it.
const DOWN: Rule = Rule {
    after: &[Related {
        what: any(&[Check::UnitFailed]),
        of: Of::SameState,
        words: &[],
    }],
    follows: &[Related {
        what: any(&[
            Check::HttpUnanswered,
            Check::HttpGateway,
            Check::ProbeFailed,
        ]),
        of: Of::SameState,
        words: &["no answer from: {subjects}"],
    }],
    ..BOOT
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "init-died",
        takes: &[failed().showing(&["Attempted to kill init!"])],
        headline: &[
            "{it fails}: PID 1 ended ({init's end}), and the kernel panics, at {stage}",
            "{it fails}: PID 1 ended, and the kernel panics",
        ],
        next: &[
            "read the console's lines before the panic: what PID 1 (the initrd's or stage 2's init, or systemd) could not find or execute",
        ],
        ..BOOT
    },
    Rule {
        id: "kernel-panic",
        takes: &[failed().saying(&["kernel panic"])],
        headline: &[
            "{it fails}: the kernel panics at {stage}: {panic}",
            "{it fails}: {story}",
        ],
        next: &[
            "read the console of that boot in the run directory from its first error on; then boot the old kernel with the new system, \
             to tell the kernel's fault from the closure's",
        ],
        ..BOOT
    },
    Rule {
        id: "emergency-mode",
        takes: &[failed().saying(&["emergency mode"])],
        headline: &[
            "{it fails}: it ends in emergency mode, because {device} did not appear, and {mount} needs it",
            "{it fails}: it ends in emergency mode, because {device} did not appear",
            "{it fails}: it ends in emergency mode, because {mount} could not be mounted",
            "{it fails}: it ends in emergency mode, because {failed unit} failed",
            "{it fails}: {story}",
        ],
        next: &[
            "compare that line of `fileSystems` with the machine's disks (`lsblk -f`); a file system that the machine can do without needs the option `nofail`",
        ],
        ..DOWN
    },
    Rule {
        id: "rescue-mode",
        takes: &[failed().saying(&["rescue mode"])],
        headline: &[
            "{it fails}: it ends in rescue mode, because {failed unit} failed",
            "{it fails}: {story}",
        ],
        next: &[
            "see which unit or kernel parameter asks for rescue.target: `/proc/cmdline`, and `systemctl list-dependencies --reverse rescue.target`",
        ],
        ..DOWN
    },
    Rule {
        id: "systemd-froze",
        takes: &[failed().saying(&["systemd gave up and froze"])],
        headline: &[
            "{it fails}: systemd, as PID 1, gave up and froze at {stage}",
            "{it fails}: {story}",
        ],
        next: &[
            "read the console's lines before `Freezing execution`: they say what systemd could not do",
        ],
        ..BOOT
    },
    Rule {
        id: "boot-loop",
        takes: &[failed().saying(&["boot loop", "the machine was reset"])],
        headline: &[
            "{it fails}: it resets again and again, after {panic}",
            "{it fails}: it resets again and again, and comes no further than {stage}",
            "{it fails}: it resets again and again",
        ],
        next: &[
            "read the last lines before each reset on the console; `panic=0` among the kernel's parameters keeps a panic on the screen, and a \
             reset without a word is a triple fault or a watchdog's",
        ],
        ..BOOT
    },
    Rule {
        id: "machine-went-off",
        takes: &[failed().saying(&["the machine went off"])],
        headline: &["{it fails}: {story}"],
        next: &[
            "find out what powers the machine off: the last lines of that boot's console, and units with `FailureAction=` or `SuccessAction=`",
        ],
        ..BOOT
    },
    // What follows stood still, and the console has the kernel's own word on why.
    Rule {
        id: "boot-oops",
        takes: &[failed().quoting(&[
            "BUG: unable to handle",
            "kernel BUG at ",
            "Oops: ",
            "general protection fault",
        ])],
        headline: &[
            "{it fails}: the kernel ran into a fault of its own at {stage}: {oops}",
            "{it fails}: {quotation}",
        ],
        next: &[
            "read the call trace on the console of that boot: it names the module; boot without that module, or with the old kernel",
        ],
        ..BOOT
    },
    Rule {
        id: "boot-locked-up",
        takes: &[failed().quoting(&["soft lockup", "detected stall", "self-detected stall"])],
        headline: &[
            "{it fails}: a CPU is stuck in the kernel at {stage}: {lock-up}",
            "{it fails}: {quotation}",
        ],
        next: &[
            "repeat the rehearsal with nothing else on the host, which can starve a guest; if it stays, the call trace on the console names what the CPU is stuck in",
        ],
        ..BOOT
    },
    Rule {
        id: "boot-out-of-memory",
        takes: &[failed().quoting(&["Out of memory: Killed process", "invoked oom-killer"])],
        headline: &[
            "{it fails}: memory ran out at {stage}, and the kernel killed {victim}",
            "{it fails}: memory ran out",
        ],
        next: &[
            "compare what the boot needs with the machine's memory: an initrd is unpacked into it, and so is all of /run and /tmp on tmpfs",
        ],
        ..BOOT
    },
    Rule {
        id: "boot-stands-still",
        takes: &[failed().saying(&["no root shell", "no progress", "no answer within"])],
        headline: &[
            "{it fails}: it stands still in {stage}, waiting for {job}",
            "{it fails}: it stands still in {stage}; its last word: {quotation}",
            "{it fails}: it stands still in {stage}",
            "{it fails}: {story}",
        ],
        next: &[
            "see on the console of that boot what was started last and did not end; `systemctl list-jobs` in `bootproof debug` names what waits for it",
        ],
        ..BOOT
    },
    Rule {
        id: "boot-failed",
        takes: &[failed()],
        headline: &["{it fails}: {story}"],
        next: &[
            "read the console of that boot in the run directory from its first error on; then compare the root file system and the initrd's \
             modules with the disk of the machine",
        ],
        ..BOOT
    },
];
