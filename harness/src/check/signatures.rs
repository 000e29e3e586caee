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
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles_and_every_id_is_unique() {
        assert!(PATTERNS.is_some());
        let mut ids: Vec<&str> = SIGNATURES.iter().map(|s| s.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), SIGNATURES.len());
    }

    #[test]
    fn each_signature_knows_its_line() {
        let lines = [
            (
                "kernel-panic",
                "[    2.1] Kernel panic - not syncing: VFS: Unable to mount root fs",
            ),
            (
                "kernel-oops",
                "BUG: unable to handle page fault for address: 0000000000000008",
            ),
            (
                "oom-kill",
                "Out of memory: Killed process 712 (nginx) total-vm:1kB",
            ),
            (
                "ext4-error",
                "EXT4-fs error (device vda1): ext4_find_entry:1455: inode #2",
            ),
            ("io-error", "I/O error, dev vda, sector 2048 op 0x0:(READ)"),
            (
                "read-only-remount",
                "EXT4-fs (vda1): Remounting filesystem read-only",
            ),
            (
                "soft-lockup",
                "watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [swapper/0:1]",
            ),
            (
                "rcu-stall",
                "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
            ),
            (
                "hung-task",
                "INFO: task jbd2/vda1-8:150 blocked for more than 120 seconds.",
            ),
            (
                "segfault",
                "beta[71]: segfault at 0 ip 000055d0 sp 00007ffd error 4 in beta",
            ),
            (
                "ordering-cycle",
                "sysinit.target: Job a.service/start deleted to break ordering cycle starting with sysinit.target/start",
            ),
            (
                "cgroup-memory",
                "Failed to create cgroup /system.slice/a.service: Cannot allocate memory",
            ),
        ];
        assert_eq!(lines.len(), SIGNATURES.len());
        for (id, line) in lines {
            assert!(matching(line, true).any(|s| s.id == id), "{id}");
        }
    }

    #[test]
    fn each_kernel_has_its_own_words() {
        let lines = [
            (
                "kernel-oops",
                "BUG: kernel NULL pointer dereference, address: 0000000000000000",
            ),
            ("kernel-oops", "invalid opcode: 0000 [#1] PREEMPT SMP NOPTI"),
            ("kernel-oops", "Oops: 0002 [#1] SMP NOPTI"),
            (
                "kernel-oops",
                "Oops: invalid opcode: 0000 [#1] PREEMPT SMP NOPTI",
            ),
            (
                "kernel-oops",
                "general protection fault, probably for non-canonical address 0xdead000000000100: 0000 [#1] SMP",
            ),
            (
                "kernel-oops",
                "general protection fault: 0000 [#1] SMP NOPTI",
            ),
            (
                "io-error",
                "blk_update_request: I/O error, dev sda, sector 2048 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 0",
            ),
            (
                "io-error",
                "critical medium error, dev sda, sector 4660 op 0x0:(READ) flags 0x80700 phys_seg 1 prio class 2",
            ),
            (
                "io-error",
                "Buffer I/O error on dev vda1, logical block 0, async page read",
            ),
            (
                "io-error",
                "Buffer I/O error on device sda1, logical block 12",
            ),
            (
                "segfault",
                "traps: beta[71] trap invalid opcode ip:55d0 sp:7ffd error:0 in beta[55d0+1000]",
            ),
            (
                "segfault",
                "traps: beta[71] general protection fault ip:55d0 sp:7ffd error:0 in libc.so.6[55d0+1000]",
            ),
        ];
        for (id, line) in lines {
            let ids: Vec<&str> = matching(line, true).map(|s| s.id).collect();
            assert_eq!(ids, [id], "{line}");
        }
    }

    #[test]
    fn what_healthy_kernels_print_is_none() {
        let lines = [
            "traps: 4 handlers registered",
            "pci 0000:00:02.0: [1234:1111] type 00 class 0x030000",
            "sr 1:0:0:0: [sr0] scsi3-mmc drive: 4x/4x cd/rw xa/form2 tray",
            "blk_update_request: I/O error, dev sr0, sector 0 op 0x0:(READ)",
            "mce: CPU0: Thermal monitoring enabled (TM1)",
            "x86/fpu: Supporting XSAVE feature 0x001: 'x87 floating point registers'",
        ];
        for line in lines {
            assert_eq!(matching(line, true).count(), 0, "{line}");
        }
    }

    #[test]
    fn an_empty_floppy_drive_is_no_failing_disk() {
        let line = "I/O error, dev fd0, sector 0 op 0x0:(READ) flags 0x0";
        assert_eq!(matching(line, true).count(), 0);
    }
}
