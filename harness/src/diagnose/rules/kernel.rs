//! Bad lines of the kernel that fail a rehearsal: a disk, a file system, memory, or the kernel itself.

use crate::vocabulary::Check;

use super::super::rule::{Groups, Of, Pattern, Related, Rule, any, errors};
use super::super::seen;

const fn line(ids: &'static [&'static str]) -> Pattern {
    errors(&[Check::LogSignature]).about(ids)
}

/// Units that fail in the very words of a disk that cannot be read or written.
const WRITES_FAIL: Related = Related {
    what: any(&[
        Check::ExecFailed,
        Check::UnitFailed,
        Check::RestartLoop,
        Check::UnitInactive,
    ])
    .where_it(seen::is_refused_by_disk),
    of: Of::Anything,
    words: &["cannot read or write: {subjects}"],
};

const GATEWAY: Related = Related {
    what: any(&[Check::HttpGateway]),
    of: Of::Behind,
    words: &["nginx answers {quotation} for {subjects}"],
};

pub(super) const RULES: &[Rule] = &[
    // One in memory; the disk is as large as bootproof made it, and stands among the rest.
    Rule {
        id: "memory-disk-full",
        takes: &[errors(&[Check::DiskFull])],
        headline: &["{only summary}", "these file systems are full: {subjects}"],
        follows: &[
            Related {
                what: any(&[Check::LogSignature])
                    .about(&["io-error"])
                    .quoting(&["dev loop"]),
                of: Of::SameState,
                words: &["a volume in a file has no room to be written to: {quotation}"],
            },
            Related {
                what: any(&[Check::UnitFailed, Check::RestartLoop]).where_it(seen::is_disk_full),
                of: Of::SameState,
                words: &["cannot write: {subjects}"],
            },
            WRITES_FAIL,
        ],
        next: &[
            "see of what it is full (`du -xsh` of what is below it), and give it more (`size=`) or have it on a disk: whoever writes there fails, at once or \
             later",
        ],
        ..Rule::BASE
    },
    Rule {
        id: "disk-error",
        takes: &[line(&["io-error"])],
        headline: &["a disk fails: {quotation}", "{summary}"],
        follows: &[
            Related {
                what: any(&[Check::LogSignature]).about(&["ext4-error", "read-only-remount"]),
                of: Of::Anything,
                words: &["the file system suffers from it: {subjects}"],
            },
            WRITES_FAIL,
        ],
        next: &[
            "in the rehearsal it is the VM's disk: see whether the host's disk is full; on the machine `smartctl -a` and its own kernel's log tell",
        ],
        ..Rule::BASE
    },
    Rule {
        id: "file-system-error",
        takes: &[line(&["ext4-error"])],
        headline: &["the file system is inconsistent: {quotation}", "{summary}"],
        follows: &[
            Related {
                what: any(&[Check::LogSignature]).about(&["read-only-remount"]),
                of: Of::Anything,
                words: &["it was turned read-only: {subjects}"],
            },
            WRITES_FAIL,
        ],
        next: &[
            "check the file system while it is not mounted (`fsck -f`), and find out what wrote to its device beside the file system",
        ],
        ..Rule::BASE
    },
    Rule {
        id: "read-only-root",
        takes: &[line(&["read-only-remount"])],
        headline: &[
            "a file system turned read-only after an error, and nothing can be written to it: {quotation}",
            "{summary}",
        ],
        follows: &[WRITES_FAIL],
        next: &[
            "read the kernel's lines before it: they name the block or inode; then `fsck -f` while it is not mounted",
        ],
        ..Rule::BASE
    },
    Rule {
        id: "kernel-panic-seen",
        takes: &[line(&["kernel-panic"])],
        headline: &["the kernel panicked: {quotation}", "{summary}"],
        next: &[
            "read the call trace after it on the console of that boot: it names what the kernel was doing, and for which process",
        ],
        ..Rule::BASE
    },
    Rule {
        id: "kernel-oops",
        takes: &[line(&["kernel-oops"])],
        headline: &[
            "the kernel ran into a fault of its own, and goes on damaged: {quotation}",
            "{summary}",
        ],
        // The kernel ends the process in which it oopses by this signal (`make_task_dead`, kernel/exit.c).
        follows: &[
            Related {
                what: any(&[Check::UnitFailed, Check::RestartLoop])
                    .logging(&["code=killed, status=9/KILL"]),
                of: Of::SameState,
                words: &["killed with it: {subjects}"],
            },
            GATEWAY,
        ],
        next: &[
            "read the call trace after it in the journal (`journalctl -k`): it names the module; rehearse without that module, or with the old kernel",
        ],
        ..Rule::BASE
    },
    Rule {
        id: "out-of-memory",
        takes: &[line(&["oom-kill"])],
        headline: &[
            "memory ran out, and the kernel killed {victim}",
            "{summary}",
        ],
        follows: &[
            Related {
                what: any(&[Check::UnitFailed, Check::RestartLoop, Check::UnitInactive])
                    .where_it(seen::is_killed_for_memory),
                of: Of::Anything,
                words: &["killed for want of memory: {subjects}"],
            },
            GATEWAY,
        ],
        next: &[
            "see which unit grew (`systemd-cgtop -m`, `MemoryPeak=`), and compare what all need with the machine's memory: less for that \
             unit (`MemoryMax=`), swap, or more memory",
        ],
        ..Rule::BASE
    },
    // Certificates and tokens are refused by a wrong time: it comes before the units that fail by it.
    Rule {
        id: "clock-off",
        takes: &[errors(&[Check::ClockOff])],
        headline: &["{summary}"],
        next: &[
            "look for what sets it: a kernel parameter (`systemd.clock_usec`), or a unit that calls `date` or `hwclock`",
        ],
        ..Rule::BASE
    },
    Rule {
        id: "kernel-line",
        takes: &[errors(&[Check::LogSignature])],
        groups: Groups::OneEach,
        headline: &["{summary}: {quotation}", "{summary}"],
        next: &[
            "read the lines around it in the journal of that boot, and look for what it took down with it",
        ],
        ..Rule::BASE
    },
];
