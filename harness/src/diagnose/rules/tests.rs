//! A recording for every rule, in which that rule, and no other, makes the cause.

use std::collections::BTreeSet;

use super::super::values::VALUES;
use super::super::{Cause, Diagnosis, diagnose, rule_ids};
use crate::testing::{self, Recording, endpoint, healthy_recording, status};
use crate::vocabulary::{
    Check, Finding, HttpAnswer, Plan, Stage, State, StaticCause, Step, StepOutcome, System,
};

/// A rehearsal, and what no recording can show yet.
struct Case {
    plan: Plan,
    recording: Recording,
    more: Vec<Finding>,
}

/// The rule's id, a rehearsal, and what the headline says.
type Row = (&'static str, fn() -> Case, &'static str);

const ROWS: &[Row] = &[
    (
        "foreign-executables",
        outage,
        "an i686-linux kernel runs x86_64 executables",
    ),
    ("foreign-executables-ahead", ahead, "will die with 203/EXEC"),
    (
        "other-platform",
        platform,
        "the running kernel is i686-linux",
    ),
    (
        "files-boot-path",
        || files(Check::BootPath, "initrd"),
        "the files lack x",
    ),
    (
        "files-init",
        || files(Check::Executability, "systemd"),
        "the files lack x",
    ),
    (
        "files-nginx",
        || files(Check::NginxConfig, "x"),
        "the files lack x",
    ),
    (
        "files-build-difference",
        || files(Check::BuildDifference, "x"),
        "the files lack x",
    ),
    (
        "files-store-contents",
        || files(Check::StoreContents, "x"),
        "the files lack x",
    ),
    (
        "files-executability",
        || files(Check::Executability, "x.service"),
        "the files lack x",
    ),
    (
        "files-architecture",
        || files(Check::Architecture, "kernel"),
        "the files lack x",
    ),
    (
        "files-reference",
        || files(Check::Reference, "x"),
        "the files lack x",
    ),
    (
        "boot-partition-full",
        || installer("OSError: [Errno 28] No space left on device"),
        "no space is left",
    ),
    (
        "bootloader-install",
        || installer("error: cannot find the device"),
        "bootloader",
    ),
    (
        "no-bootable-disk",
        || {
            dead(
                "the firmware found no bootable device",
                Stage::Firmware,
                &[],
            )
        },
        "finds no bootloader",
    ),
    (
        "grub-rescue",
        || {
            dead(
                "GRUB rescue prompt",
                Stage::Bootloader,
                &["error: no such device: 1b2c."],
            )
        },
        "(no such device: 1b2c)",
    ),
    (
        "entry-without-kernel",
        || {
            dead(
                "GRUB could not load the kernel",
                Stage::Bootloader,
                &["error: file `/kernels/x-bzImage' not found."],
            )
        },
        "(file `/kernels/x-bzImage' not found)",
    ),
    (
        "kernel-refuses-cpu",
        || dead("the kernel refused the CPU", Stage::Kernel, &[]),
        "another CPU",
    ),
    (
        "no-init",
        || {
            dead(
                "stage 1 stopped at its failure prompt",
                Stage::Initrd,
                &[
                    "stage 2 init script (/mnt-root//nix/store/x/init) not found",
                    "An error occurred in stage 1 of the boot process",
                ],
            )
        },
        "no init to start (stage 2 init script",
    ),
    (
        "root-not-mountable-by-kernel",
        || panicked("VFS: Unable to mount root fs on unknown-block(0,0)"),
        "no root file system",
    ),
    (
        "init-died",
        || panicked("Attempted to kill init! exitcode=0x00007f00"),
        "PID 1 ended (exit code 127",
    ),
    (
        "kernel-panic",
        || panicked("Fatal exception in interrupt"),
        "panics at the initrd (stage 1): Fatal exception in interrupt",
    ),
    (
        "root-device-missing",
        || {
            dead(
                "stage 1 stopped at its failure prompt",
                Stage::Initrd,
                &["Timed out waiting for device /dev/disk/by-label/nixos, trying to mount anyway."],
            )
        },
        "waited in vain for /dev/disk/by-label/nixos",
    ),
    (
        "stage-1-stopped",
        || {
            dead(
                "stage 1 stopped at its failure prompt",
                Stage::Initrd,
                &[
                    "mount: unknown filesystem type 'ext4'",
                    "An error occurred in stage 1 of the boot process",
                ],
            )
        },
        "unknown filesystem type 'ext4'",
    ),
    (
        "initrd-emergency",
        || {
            dead(
                "emergency mode",
                Stage::Initrd,
                &["[FAILED] Failed to mount sysroot.mount - /sysroot."],
            )
        },
        "because /sysroot could not be mounted",
    ),
    (
        "emergency-mode",
        || {
            dead(
                "emergency mode",
                Stage::Sysinit,
                &[
                    "[ TIME ] Timed out waiting for device /dev/disk/by-label/data.",
                    "[DEPEND] Dependency failed for /data.",
                ],
            )
        },
        "because /dev/disk/by-label/data did not appear, and /data needs it",
    ),
    (
        "rescue-mode",
        || dead("rescue mode", Stage::Sysinit, &[]),
        "rescue mode",
    ),
    (
        "systemd-froze",
        || dead("systemd gave up and froze", Stage::Stage2, &[]),
        "gave up and froze at stage 2",
    ),
    (
        "boot-loop",
        || dead("boot loop", Stage::Kernel, &[]),
        "comes no further than the kernel's start",
    ),
    (
        "machine-went-off",
        || dead("the machine went off (guest-shutdown)", Stage::Sysinit, &[]),
        "went off",
    ),
    (
        "boot-oops",
        || {
            dead(
                STILL,
                Stage::Initrd,
                &["[    1.000000] BUG: unable to handle page fault for address: 08"],
            )
        },
        "at the initrd (stage 1): BUG: unable to handle",
    ),
    (
        "boot-locked-up",
        || {
            dead(
                STILL,
                Stage::Sysinit,
                &["[   40.000000] watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [modprobe:70]"],
            )
        },
        "soft lockup - CPU#0",
    ),
    (
        "boot-out-of-memory",
        || {
            dead(
                STILL,
                Stage::Initrd,
                &["[    9.000000] Out of memory: Killed process 70 (cpio) total-vm:9kB"],
            )
        },
        "killed cpio",
    ),
    (
        "boot-stands-still",
        || {
            dead(
                STILL,
                Stage::Sysinit,
                &["[ ***  ] A start job is running for slow.service - Slow (1min / no limit)"],
            )
        },
        "waiting for Slow",
    ),
    (
        "boot-failed",
        || dead("something that nobody knows", Stage::Sysinit, &[]),
        "something that nobody knows",
    ),
    (
        "switch-failed",
        || switch(1, "cannot write\n"),
        "the switch ended with exit code 1",
    ),
    (
        "old-generation-boots",
        || generation(State::Rebooted),
        "the reboot starts another generation",
    ),
    (
        "wrong-generation",
        || generation(State::Switched),
        "/run/current-system is not",
    ),
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
        "start-timeout",
        || dying("timeout", "x"),
        "does not come up within the time",
    ),
    (
        "lost-with-the-reboot",
        || {
            dying(
                "exit-code",
                "cannot open /run/alpha/key: No such file or directory",
            )
        },
        "misses what lay in /run or /tmp",
    ),
    (
        "oneshot-worked-once",
        oneshot,
        "ended well before the reboot and fails when started again after it: mkdir: cannot create",
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
        "unit-lost",
        || {
            with_finding(Finding::new(
                Check::UnitLost,
                State::Rebooted,
                "ledger.service",
                "ledger.service runs until the reboot",
            ))
        },
        "ledger.service runs until the reboot",
    ),
    (
        "clock-off",
        || {
            with_finding(Finding::new(
                Check::ClockOff,
                State::Rebooted,
                "clock",
                "the clock is 9 years fast",
            ))
        },
        "the clock is 9 years fast",
    ),
    (
        "shutdown-slow",
        || {
            with_finding(
                Finding::new(
                    Check::ShutdownSlow,
                    State::Rebooted,
                    "warm-reboot",
                    "the reboot took 125 s",
                )
                .as_warning(),
            )
        },
        "the reboot took 125 s",
    ),
    (
        "remark",
        || kernel_says("beta[71]: segfault at 0 ip 000055d0 sp 00007ffd error 4"),
        "a process died",
    ),
];

const STILL: &str = "no root shell within 300 s";

fn of((plan, recording): (Plan, Recording)) -> Case {
    Case {
        plan,
        recording,
        more: Vec::new(),
    }
}

/// A healthy rehearsal, changed.
fn changed(change: impl FnOnce(&mut Recording)) -> Case {
    let (plan, mut recording) = healthy_recording();
    change(&mut recording);
    of((plan, recording))
}

/// A healthy rehearsal, and this finding.
fn with_finding(finding: Finding) -> Case {
    let mut case = of(healthy_recording());
    case.more.push(finding);
    case
}

fn outage() -> Case {
    of(testing::outage_recording())
}

fn ahead() -> Case {
    let mut case = outage();
    case.plan.steps.pop();
    case.recording.steps.pop();
    case.recording.guests.remove(&State::Rebooted);
    case
}

fn platform() -> Case {
    let mut case = changed(|recording| {
        let identity = &mut recording.guest(State::Rebooted).identity;
        identity.insert("machine", "i686".to_owned());
    });
    case.plan.candidate.kernel = Some(System::I686Linux);
    case
}

fn files(check: Check, subject: &str) -> Case {
    changed(|recording| {
        let finding = Finding::new(check, State::Inspected, subject, "it lacks x");
        recording.inspected.causes = vec![StaticCause {
            headline: "the files lack x".to_owned(),
            next: "add x".to_owned(),
            findings: vec![finding.id()],
        }];
        recording.inspected.findings = vec![finding];
    })
}

fn found(check: Check, subject: &str) -> Case {
    let mut case = changed(|_| {});
    case.more = vec![Finding::new(
        check,
        State::Rebooted,
        subject,
        "what is wrong",
    )];
    case
}

fn installer(says: &str) -> Case {
    let plan = testing::without_baseline();
    let mut recording = Recording::healthy(&plan);
    recording
        .steps
        .insert(0, (Step::Provision, StepOutcome::Done));
    recording.switch = (1, format!("{says}\n"));
    of((plan, recording))
}

fn switch(exit_code: i32, output: &str) -> Case {
    changed(|recording| recording.switch = (exit_code, output.to_owned()))
}

fn dead(reason: &str, stage: Stage, console: &[&str]) -> Case {
    changed(|recording| {
        let failed = StepOutcome::GuestFailed {
            stage: Some(stage),
            reason: reason.to_owned(),
            last_line: None,
        };
        recording.fail_step(Step::WarmReboot, failed);
        recording.guests.remove(&State::Rebooted);
        recording.console = console.iter().map(|line| (*line).to_owned()).collect();
    })
}

fn panicked(why: &str) -> Case {
    let line = format!("[    1.000000] Kernel panic - not syncing: {why}");
    dead("kernel panic", Stage::Initrd, &[&line])
}

fn generation(state: State) -> Case {
    changed(|recording| {
        let identity = &mut recording.guest(state).identity;
        if state == State::Rebooted {
            identity.insert("booted", testing::BASELINE.to_owned());
        }
        identity.insert("current", testing::BASELINE.to_owned());
    })
}

fn kernel_says(line: &str) -> Case {
    changed(|recording| recording.guest(State::Rebooted).log_kernel(line))
}

fn out_of_memory() -> Case {
    let mut case = kernel_says("Out of memory: Killed process 700 (alpha) total-vm:1kB");
    case.plan.target.memory_mib = 2048;
    let guest = case.recording.guest(State::Rebooted);
    guest.set_unit(
        "alpha.service",
        &[("ActiveState", "failed"), ("Result", "oom-kill")],
    );
    guest.answer(2, endpoint("alpha", 8081), status(502));
    case
}

fn dying(result: &str, says: &str) -> Case {
    changed(|recording| {
        let guest = recording.guest(State::Rebooted);
        guest.set_unit(
            "alpha.service",
            &[("ActiveState", "failed"), ("Result", result)],
        );
        guest.log_unit("alpha.service", says);
        guest.answer(2, endpoint("alpha", 8081), status(502));
    })
}

fn refused() -> Case {
    let line = "alpha.service: Failed at step EXEC spawning /x: No such file or directory";
    dying("exit-code", line)
}

fn inactive(active_state: &str, says: &str) -> Case {
    changed(|recording| {
        let guest = recording.guest(State::Rebooted);
        guest.set_unit("alpha.service", &[("ActiveState", active_state)]);
        guest.log_unit("alpha.service", says);
    })
}

fn cycle() -> Case {
    let mut case = inactive("inactive", "x");
    let line = "multi-user.target: Job alpha.service/start deleted to break ordering cycle starting with multi-user.target/start";
    case.recording
        .guest(State::Rebooted)
        .log_unit("multi-user.target", line);
    case
}

fn oneshot() -> Case {
    let mut case = dying("exit-code", "mkdir: cannot create directory: File exists");
    let ended = [
        ("Type", "oneshot"),
        ("ActiveState", "inactive"),
        ("ExecMainCode", "1"),
    ];
    case.recording
        .guest(State::Switched)
        .set_unit("alpha.service", &ended);
    let guest = case.recording.guest(State::Rebooted);
    guest.set_unit("alpha.service", &[("Type", "oneshot")]);
    case
}

fn looping() -> Case {
    changed(|recording| {
        let guest = recording.guest(State::Rebooted);
        guest.set_last("alpha.service", "NRestarts", "4");
        guest.answer(2, endpoint("alpha", 8081), status(502));
    })
}

fn starting() -> Case {
    changed(|recording| recording.guest(State::Rebooted).system_state = "starting".to_owned())
}

fn answers(answer: HttpAnswer) -> Case {
    changed(|recording| {
        let guest = recording.guest(State::Rebooted);
        guest.answer(2, endpoint("alpha", 8081), answer);
    })
}

fn refused_by_nginx() -> Case {
    changed(|recording| {
        let said = r#"{"MESSAGE":"nginx: [emerg] unknown directive \"x\" in /x:16","_SYSTEMD_UNIT":"nginx.service","SYSLOG_IDENTIFIER":"nginx","__MONOTONIC_TIMESTAMP":"2000"}"#;
        recording.append_journal(State::Rebooted, said);
        let guest = recording.guest(State::Rebooted);
        guest.set_unit("nginx.service", &[("ActiveState", "failed")]);
    })
}

/// Another socket alone was seen, and one round got this answer.
fn unserved(round: u32, code: u16) -> Case {
    changed(|recording| {
        let guest = recording.guest(State::Rebooted);
        guest.listeners = "unix 1 /run/x\n".to_owned();
        let alpha = endpoint("alpha", 8081);
        guest.http.retain(|(_, endpoint, ..)| *endpoint != alpha);
        for asked in 1..=2 {
            let code = if asked == round { code } else { 200 };
            guest.answer(asked, alpha.clone(), status(code));
        }
    })
}

fn diagnosis(case: &Case) -> Diagnosis {
    let run = case.recording.run(&case.plan);
    let mut findings = crate::check::run(&case.plan, &run);
    findings.extend(case.more.iter().cloned());
    diagnose(&case.plan, &run, &findings)
}

/// Each rule fires on its own case, and is silent on those of all others; what follows leads nowhere.
#[test]
fn every_rule_makes_the_only_cause_of_its_own_case() {
    for (id, case, says) in ROWS {
        let causes = diagnosis(&case()).causes;
        let rules: Vec<&str> = causes.iter().map(|cause| cause.rule.as_str()).collect();
        assert_eq!(rules, [*id], "{causes:#?}");
        assert!(
            causes[0].headline.contains(says),
            "{id}: {}",
            causes[0].headline
        );
        assert!(!causes[0].next.is_empty(), "{id}");
    }
}

#[test]
fn every_rule_has_an_id_of_its_own_and_a_case() {
    let ids: Vec<&str> = rule_ids().collect();
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len());
    let tested: BTreeSet<&str> = ROWS.iter().map(|row| row.0).collect();
    assert_eq!(unique, tested);
    let is_kebab = |id: &&str| {
        id.chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    assert!(ids.iter().all(is_kebab));
}

#[test]
fn every_template_names_values_that_there_are() {
    let known = |name: &str| name.contains('/') || VALUES.iter().any(|row| row.0 == name);
    for rule in super::all() {
        let related = rule.follows.iter().map(|row| row.words);
        let misleading = rule
            .misleads
            .iter()
            .flat_map(|row| [row.evidence, row.truth]);
        let words = [rule.headline, rule.next]
            .into_iter()
            .chain(related)
            .chain(misleading);
        for template in words.flatten() {
            for (_, rest) in template
                .match_indices('{')
                .map(|(at, _)| template.split_at(at + 1))
            {
                let name = rest.split_once('}').expect("a closing brace").0;
                assert!(known(name), "{}: {{{name}}}", rule.id);
            }
        }
    }
}

fn misleading(cause: &Cause) -> Vec<&str> {
    cause
        .misleading
        .iter()
        .map(|m| m.evidence.as_str())
        .collect()
}

#[test]
fn what_misled_the_operator_of_the_outage_is_told_where_it_was_observed() {
    let mut case = outage();
    let guest = case.recording.guest(State::Rebooted);
    let line = "alpha.service: Failed to create cgroup /system.slice/alpha.service: Cannot allocate memory";
    guest.log_unit("alpha.service", line);
    guest
        .identity
        .insert("cpu", "AMD EPYC-Rome Processor".to_owned());
    guest.identity.insert("cpu_lm", "yes".to_owned());
    guest.ldd = "/nix/store/x-alpha/bin/alpha=\tnot a dynamic executable\n".to_owned();
    let causes = diagnosis(&case).causes;
    let told = misleading(&causes[0]);
    let expected = [
        "/proc/cpuinfo names a 64-bit CPU: AMD EPYC-Rome Processor, with the flag lm".to_owned(),
        "`ldd /nix/store/x-alpha/bin/alpha`: not a dynamic executable".to_owned(),
        format!("the journal says: {line}"),
        "`systemctl is-system-running`: running, 0 failed units".to_owned(),
        "nginx answers 502 Bad Gateway".to_owned(),
    ];
    assert_eq!(told, expected);
}

#[test]
fn what_was_not_observed_is_not_called_misleading() {
    let mut case = outage();
    let guest = case.recording.guest(State::Rebooted);
    guest.system_state = "degraded".to_owned();
    guest.set_unit("delta.service", &[("ActiveState", "failed")]);
    guest.set_unit("nginx.service", &[("ActiveState", "inactive")]);
    guest.http.clear();
    let causes = diagnosis(&case).causes;
    assert_eq!(misleading(&causes[0]), [""; 0]);
}

#[test]
fn a_short_memory_makes_the_control_groups_line_no_misleading_one() {
    let mut case = dying("oom-kill", "x");
    let guest = case.recording.guest(State::Rebooted);
    guest.log_unit(
        "alpha.service",
        "Failed to create cgroup /a: Cannot allocate memory",
    );
    guest.log_kernel("Out of memory: Killed process 700 (alpha) total-vm:1kB");
    let causes = diagnosis(&case).causes;
    let told = misleading(&causes[0]);
    assert!(told.iter().all(|text| !text.contains("cgroup")), "{told:?}");
}
