//! Known bad lines of the journal and the console.
//!
//! Read by `log_signature` and `boot_failed`. What systemd says of an executable that cannot run is `exec_failed`'s.

use std::sync::LazyLock;

use regex::RegexSet;

use crate::vocabulary::Severity;

/// One known bad line.
pub(super) struct Signature {
    /// The subject of the finding: stable.
    pub(super) id: &'static str,
    pub(super) pattern: &'static str,
    /// Only lines of the kernel count: any program may print the same words.
    pub(super) kernel_only: bool,
    pub(super) severity: Severity,
    /// What the line means, in lower case without a period.
    pub(super) description: &'static str,
}

const fn kernel(
    id: &'static str,
    severity: Severity,
    pattern: &'static str,
    description: &'static str,
) -> Signature {
    Signature {
        id,
        pattern,
        kernel_only: true,
        severity,
        description,
    }
}

use Severity::{Error, Warning};

/// The signature that depends on how much memory the VM was given.
pub(super) const OUT_OF_MEMORY: &str = "oom-kill";

/// The signature whose lines name a unit that systemd did not start, see `ordering_cycle`.
pub(super) const ORDERING_CYCLE: &str = "ordering-cycle";

/// Most telling first. The origin of each is the file of the kernel, or of systemd, that prints it.
///
/// Lock-ups and stalls are warnings because an overloaded host makes them in any emulated guest.
pub(super) const SIGNATURES: &[Signature] = &[
    // kernel/panic.c
    kernel(
        "kernel-panic",
        Error,
        r"Kernel panic - not syncing",
        "the kernel panicked",
    ),
    // arch/x86/mm/fault.c, lib/bug.c; arch/x86/kernel/dumpstack.c, whose counter `[#1]` every such fault bears, whichever it is
    kernel(
        "kernel-oops",
        Error,
        r"BUG: unable to handle|BUG: kernel NULL pointer dereference|kernel BUG at |\bOops: |: [0-9a-f]{4} \[#\d{1,6}\]|double fault",
        "the kernel ran into a fault of its own",
    ),
    // mm/oom_kill.c
    kernel(
        OUT_OF_MEMORY,
        Error,
        r"Out of memory: Killed process|Memory cgroup out of memory: Killed process|invoked oom-killer",
        "the kernel killed a process for want of memory",
    ),
    // fs/ext4/super.c
    kernel(
        "ext4-error",
        Error,
        r"EXT4-fs (error|panic)",
        "the ext4 file system is inconsistent",
    ),
    // block/blk-core.c, fs/buffer.c
    kernel(
        "io-error",
        Error,
        r"(?:I/O|critical (?:medium|target|space allocation)) error, dev (?:[hsv]d|xvd|nvme|mmcblk|md|dm-|nbd|rbd|bcache|pmem|loop)|Buffer I/O error on dev(?:ice)? (?:[hsv]d|xvd|nvme|mmcblk|md|dm-|nbd|rbd|bcache|pmem|loop)",
        "a disk did not answer or refused a block",
    ),
    // fs/ext4/super.c, fs/btrfs/messages.c
    kernel(
        "read-only-remount",
        Error,
        r"Remounting filesystem read-only|forced readonly",
        "a file system turned read-only after an error",
    ),
    // kernel/watchdog.c
    kernel(
        "soft-lockup",
        Warning,
        r"BUG: soft lockup",
        "a CPU was stuck in the kernel",
    ),
    // kernel/rcu/tree_stall.h
    kernel(
        "rcu-stall",
        Warning,
        r"rcu_\w+ (?:self-)?detected (?:expedited )?stalls?|rcu: INFO: \w+ (?:self-)?detected",
        "a CPU did not answer the kernel in time",
    ),
    // kernel/hung_task.c
    kernel(
        "hung-task",
        Warning,
        r"INFO: task .{1,64} blocked for more than \d+ seconds",
        "a process waits in the kernel and does not come back",
    ),
    // arch/x86/mm/fault.c, arch/x86/kernel/traps.c
    kernel(
        "segfault",
        Warning,
        r"segfault at [0-9a-f]+ ip|traps: .{1,64} (?:trap invalid opcode|general protection(?: fault)?) ip:",
        "a process died of a bad access or instruction",
    ),
    // systemd's src/core/transaction.c; a job to stop something that is dropped does no harm.
    Signature {
        id: ORDERING_CYCLE,
        pattern: r"Job \S+/(?:verify-active|start|restart|reload-or-start) deleted to break ordering cycle",
        kernel_only: false,
        severity: Warning,
        description: "systemd dropped a job to break a cycle of units that wait for each other",
    },
    // systemd's src/core/cgroup.c: it also follows from a child that could not be executed, and then means no want of memory.
    Signature {
        id: "cgroup-memory",
        pattern: r"Failed to create cgroup .{1,256}: Cannot allocate memory",
        kernel_only: false,
        severity: Warning,
        description: "systemd could not make a control group, which need not mean that memory is short",
    },
];

/// The id of every signature.
pub fn ids() -> impl Iterator<Item = &'static str> {
    SIGNATURES.iter().map(|signature| signature.id)
}

static PATTERNS: LazyLock<Option<RegexSet>> =
    LazyLock::new(|| RegexSet::new(SIGNATURES.iter().map(|s| s.pattern)).ok());

/// The signatures that a line bears, in the order of the table.
pub(super) fn matching(line: &str, from_kernel: bool) -> impl Iterator<Item = &'static Signature> {
    // A test holds that every pattern compiles.
    let matches = PATTERNS.as_ref().map(|set| set.matches(line));
    let indices: Vec<usize> = matches.iter().flatten().collect();
    indices
        .into_iter()
        .filter_map(|i| SIGNATURES.get(i))
        .filter(move |s| from_kernel || !s.kernel_only)
}

/// Whether a line of the kernel's says that memory ran out, of the machine or of a control group.
pub(crate) fn tells_of_short_memory(line: &str) -> bool {
    matching(line, true).any(|signature| signature.id == OUT_OF_MEMORY)
}

/// The first line of a console that bears a known signature.
pub(super) fn telling_line(console: &[String]) -> Option<&str> {
    let mut lines = console.iter().map(String::as_str);
    lines.find(|line| matching(line, is_kernel_line(line)).next().is_some())
}

/// Whether a line of the console is one of the kernel's, which begins with its time.
pub(crate) fn is_kernel_line(line: &str) -> bool {
    line.strip_prefix('[').is_some_and(|rest| {
        let time = rest.trim_start();
        time.starts_with(|c: char| c.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests;
