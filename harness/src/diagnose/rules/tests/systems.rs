//! Of systems that came up.

use super::Row;
use super::cases::*;
use crate::testing::status;
use crate::vocabulary::{Check, HttpAnswer, State};

pub(super) const ROWS: &[Row] = &[
    (
        "disk-error",
        || kernel_says("I/O error, dev vda, sector 2048 op 0x0:(READ)"),
        "a disk fails: I/O error",
    ),
    (
        "file-system-error",
        || kernel_says("EXT4-fs error (device vda1): ext4_find_entry:1455"),
        "inconsistent: EXT4-fs error",
    ),
    (
        "read-only-root",
        || kernel_says("EXT4-fs (vda1): Remounting filesystem read-only"),
        "turned read-only",
    ),
    (
        "kernel-panic-seen",
        || kernel_says("Kernel panic - not syncing: x"),
        "the kernel panicked",
    ),
    (
        "kernel-oops",
        || kernel_says("BUG: unable to handle page fault for address: 08"),
        "goes on damaged: BUG: unable",
    ),
    (
        "out-of-memory",
        out_of_memory,
        "memory ran out, and the kernel killed alpha",
    ),
    (
        "kernel-line",
        || found(Check::LogSignature, "a-new-line"),
        "what is wrong",
    ),
    (
        "disk-full",
        || {
            dying(
                "exit-code",
                "write to /var/lib/alpha/db: No space left on device",
            )
        },
        "the disk is full: alpha.service fails",
    ),
    (
        "exec-failed",
        refused,
        "alpha.service cannot start its executable: No such file or directory",
    ),
    (
        "cgroup-refused",
        || {
            let mut case = dying("exit-code", "x");
            let guest = case.recording.guest(State::Rebooted);
            guest.set_unit("alpha.service", &[("ExecMainStatus", "219")]);
            guest.log_unit(
                "alpha.service",
                "alpha.service: Failed to create cgroup /shop.slice/alpha.service: Cannot allocate memory",
            );
            guest.log_kernel(
                "systemd invoked oom-killer: gfp_mask=0x400cc0(GFP_KERNEL_ACCOUNT), order=1",
            );
            case
        },
        "no control group for it: alpha.service: Failed to create cgroup /shop.slice",
    ),
    (
        "ordering-cycle",
        cycle,
        "systemd never started alpha.service: it stands in a circle",
    ),
    (
        "unit-killed-for-memory",
        || dying("oom-kill", "x"),
        "alpha.service was killed for want of memory",
    ),
    (
        "watchdog",
        || dying("watchdog", "x"),
        "does not answer its watchdog",
    ),
    (
        "unit-crashed",
        || {
            let crash = "alpha.service: Main process exited, code=killed, status=11/SEGV";
            let mut case = dying("signal", crash);
            let guest = case.recording.guest(State::Rebooted);
            guest.log_kernel("alpha[71]: segfault at 0 ip 000055d0 sp 00007ffd error 4");
            case
        },
        "alpha.service crashes",
    ),
    (
        "start-timeout",
        || dying("timeout", "x"),
        "does not come up within the time",
    ),
    (
        "start-limit-hit",
        || {
            dying(
                "exit-code",
                "alpha.service: Start request repeated too quickly.",
            )
        },
        "until systemd gave up (start limit hit)",
    ),
    (
        "unit-failed",
        || dying("exit-code", "cannot bind"),
        "alpha.service failed (exit-code)",
    ),
    (
        "restart-loop",
        looping,
        "alpha.service is restarted again and again",
    ),
    (
        "stuck-activating",
        || inactive("activating", "x"),
        "alpha.service is still starting",
    ),
    (
        "dependency-failed",
        || {
            inactive(
                "inactive",
                "alpha.service: Job alpha.service/start failed with result 'dependency'.",
            )
        },
        "what it requires failed",
    ),
    (
        "unit-inactive",
        || inactive("inactive", "x"),
        "alpha.service is wanted by the boot target and not active",
    ),
    (
        "switch-of-failed-units",
        || switch(4, "warning: the following units failed: x.service\n"),
        "units",
    ),
    (
        "system-state",
        starting,
        "systemd has not finished starting",
    ),
    (
        "tls-broken",
        || {
            answers(HttpAnswer::Failed {
                reason: "TLS handshake: expired".to_owned(),
            })
        },
        "TLS handshake: expired",
    ),
    (
        "nginx-refuses-configuration",
        refused_by_nginx,
        "nginx does not start: unknown directive",
    ),
    (
        "upstream-down",
        || unserved(2, 502),
        "nothing listens on port 8081",
    ),
    ("upstream-late", || unserved(1, 502), "some seconds later"),
    (
        "page-empty",
        || {
            answers(HttpAnswer::Status {
                code: 200,
                body_bytes: 0,
            })
        },
        "an empty body",
    ),
    (
        "http-unanswered",
        || answers(HttpAnswer::Refused),
        "does not answer",
    ),
    (
        "gateway-timeout",
        || answers(status(504)),
        "http://127.0.0.1:8081 does not answer nginx in time",
    ),
    (
        "bad-gateway",
        || answers(status(502)),
        "no proper answer from http://127.0.0.1:8081",
    ),
    (
        "http-gateway",
        || answers(status(503)),
        "503 Service Unavailable",
    ),
    (
        "probe-failed",
        || found(Check::ProbeFailed, "http://x/"),
        "what is wrong",
    ),
    (
        "unexplained",
        || found(Check::Reference, "x"),
        "what is wrong",
    ),
    (
        "locked-up",
        || kernel_says("watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [x:1]"),
        "stuck in the kernel",
    ),
    (
        "clock-off",
        || {
            error(
                Check::ClockOff,
                State::Rebooted,
                "clock",
                "the clock is 9 years fast",
            )
        },
        "the clock is 9 years fast",
    ),
    (
        "http-gap",
        || {
            error(
                Check::HttpGap,
                State::Rebooted,
                "http://beta.example/",
                "http://beta.example/ served, and then did not",
            )
        },
        "http://beta.example/ served, and then did not",
    ),
    (
        "unit-flapping",
        || {
            warning(
                Check::UnitFlapping,
                State::Rebooted,
                "beta.service",
                "beta.service is stopped and started again and again",
            )
        },
        "beta.service is stopped and started",
    ),
    (
        "memory-disk-full",
        || {
            error(
                Check::DiskFull,
                State::Rebooted,
                "/run",
                "the file system at /run is full",
            )
        },
        "the file system at /run is full",
    ),
    (
        "file-system-full",
        || {
            warning(
                Check::DiskFull,
                State::Rebooted,
                "/",
                "the file system at / is full",
            )
        },
        "the file system at / is full",
    ),
    (
        "remark",
        || kernel_says("beta[71]: segfault at 0 ip 000055d0 sp 00007ffd error 4"),
        "a process died",
    ),
];
