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
