use super::*;
use crate::report::{json, report};
use crate::testing::{self, Recording};
use crate::vocabulary::{Accelerator, Observation, Plan, State, StorePath, System};

#[test]
fn every_pattern_compiles() {
    assert_eq!(REDACTIONS.len(), PATTERNS.len());
}

#[test]
fn what_differs_between_runs_is_replaced_and_nothing_else() {
    for (text, redacted) in [
        (
            "a: Failed to execute /nix/store/3333333333333333333333333333333d-alpha-1.0/bin/x: Exec format error",
            "a: Failed to execute /nix/store/00000000000000000000000000000000-alpha-1.0/bin/x: Exec format error",
        ),
        (
            "NRestarts=4, then NRestarts=7 after 10 s",
            "NRestarts=N, then NRestarts=N after N s",
        ),
        (
            "[   12.345678] beta[71]: segfault at 7ffd01020304 ip 000055d0a1b2c3d4",
            "[    0.000000] beta[N]: segfault at N ip N",
        ),
        (
            "Out of memory: Killed process 712 (nginx)",
            "Out of memory: Killed process N (nginx)",
        ),
        (
            "the running kernel is i686-linux, and x86_64-linux is expected",
            "the running kernel is i686-linux, and x86_64-linux is expected",
        ),
        ("502 Bad Gateway", "502 Bad Gateway"),
        (
            "cannot read `/elsewhere/nix/store/3333333333333333333333333333333d-alpha-1.0/bin/x`",
            "cannot read `/nix/store/00000000000000000000000000000000-alpha-1.0/bin/x`",
        ),
        (
            "PATH=/nix/store/3333333333333333333333333333333d-a/bin:/nix/store/4444444444444444444444444444444d-b/bin",
            "PATH=/nix/store/00000000000000000000000000000000-a/bin:/nix/store/00000000000000000000000000000000-b/bin",
        ),
        (
            "/boot/kernels/3333333333333333333333333333333d-linux-6.1-bzImage",
            "/boot/kernels/00000000000000000000000000000000-linux-6.1-bzImage",
        ),
        (
            "passes it on to http://127.0.0.1:8081",
            "passes it on to http://127.0.0.1:8081",
        ),
    ] {
        assert_eq!(redact(text), redacted);
    }
}

/// The lines of the normalised report of a rehearsal on real closures, where what is redacted for the lab alone stays.
fn lines(change: impl Fn(&mut Plan, &mut Recording)) -> Vec<String> {
    let (mut plan, mut recording) = testing::healthy_recording();
    plan.lab = false;
    change(&mut plan, &mut recording);
    let observations = recording.observations_of(&plan);
    lines_of(&report(&plan, &observations))
}

fn lines_of(report: &Report) -> Vec<String> {
    let text = json::render(&normalise(report)).unwrap();
    text.lines().map(|line| line.trim().to_owned()).collect()
}

/// What every run has of its own, in a report with a finding that quotes it.
fn with_log(line: &str) -> Vec<String> {
    lines(|_, recording| {
        let guest = recording.guest(State::Rebooted);
        guest.set_unit("alpha.service", &[("ActiveState", "failed")]);
        guest.log_unit("alpha.service", line);
    })
}

#[test]
fn what_a_unit_says_of_its_run_alone_is_redacted() {
    let said = |n: u32| {
        format!(
            "alpha[{n}]: 2026-11-2{n}T10:00:0{n}Z pid {n}1: took {n}.5 s in /nix/store/{n}333333333333333333333333333333d-alpha-1.0, \
             boot 0c6cbd2a-6d4c-4f9e-a5c1-6f6f4d1f0a1{n}, at 0x{n}0"
        )
    };
    let (once, again) = (with_log(&said(2)), with_log(&said(3)));
    assert_eq!(once, again);
    let words = "took N s in /nix/store/00000000000000000000000000000000-alpha-1.0";
    assert!(once.iter().any(|line| line.contains(words)), "{once:#?}");
}

#[test]
fn another_hash_alone_is_no_change_and_another_version_is() {
    let with = |toplevel: &str| {
        lines(|plan, recording| {
            plan.candidate.toplevel = StorePath::parse(toplevel).unwrap();
            *recording = Recording::healthy(plan);
        })
    };
    let once = with("/nix/store/2222222222222222222222222222222c-nixos-system-web-24.11");
    let rebuilt = with("/nix/store/3333333333333333333333333333333d-nixos-system-web-24.11");
    assert_eq!(once, rebuilt);
    let updated = with("/nix/store/3333333333333333333333333333333d-nixos-system-web-25.05");
    let changed =
        "\"toplevel\": \"/nix/store/00000000000000000000000000000000-nixos-system-web-25.05\",";
    assert!(updated.iter().any(|line| line == changed), "{updated:#?}");
    assert_ne!(
        with_log("runs /nix/store/3333333333333333333333333333333d-nginx-1.26.2"),
        with_log("runs /nix/store/3333333333333333333333333333333d-nginx-1.26.3")
    );
}

#[test]
fn a_hash_in_a_name_is_redacted_in_every_place_that_refers_to_it() {
    let with = |hash: char| {
        let mut report = report_of_outage();
        let subject = format!("/nix/store/{}-alpha-1.0", hash.to_string().repeat(32));
        let old = report.findings[0].id();
        report.findings[0].subject = subject;
        let new = report.findings[0].id();
        for cause in &mut report.diagnosis.causes {
            let consequences = cause.consequences.iter_mut().flat_map(|c| &mut c.findings);
            for id in cause.findings.iter_mut().chain(consequences) {
                if *id == old {
                    id.clone_from(&new);
                }
            }
        }
        lines_of(&report)
    };
    assert_eq!(with('3'), with('4'));
    let id = "/nix/store/00000000000000000000000000000000-alpha-1.0";
    let named = with('3').iter().filter(|line| line.contains(id)).count();
    assert!(named >= 2, "{named}");
}

fn report_of_outage() -> Report {
    let (plan, observations) = testing::outage();
    report(&plan, &observations)
}

#[test]
fn the_accelerator_its_speed_the_shell_and_the_order_of_answers_are_no_change() {
    let once = lines(|_, _| {});
    let reversed = lines(|_, recording| recording.guest(State::Rebooted).http.reverse());
    assert_eq!(once, reversed);
    let (mut plan, recording) = testing::healthy_recording();
    plan.lab = false;
    plan.tool_version = "9.9.9".to_owned();
    let mut observations = recording.observations_of(&plan);
    for recorded in &mut observations {
        recorded.at_ms = recorded.at_ms * 7 + 3;
        if let Observation::ChannelOpened { transport, .. } = &mut recorded.observation {
            "serial".clone_into(transport);
        }
        if let Observation::Accelerator {
            accelerator,
            reason,
            factor,
            qemu,
        } = &mut recorded.observation
        {
            *accelerator = Accelerator::Kvm;
            "a tiny guest ran under it".clone_into(reason);
            *factor = 0.1;
            "QEMU emulator version 10.1".clone_into(qemu);
        }
    }
    assert_eq!(once, lines_of(&report(&plan, &observations)));
}

/// A change that a person must see, and a line that shows it.
type Change = (fn(&mut Plan, &mut Recording), &'static str);

const CHANGES: &[Change] = &[
    (
        |plan, _| plan.candidate.kernel_version = Some("6.12.1".to_owned()),
        "\"kernel_version\": \"6.12.1\",",
    ),
    (
        |_, recording| {
            let identity = &mut recording.guest(State::Rebooted).identity;
            identity.insert("release", "6.12.1".to_owned());
        },
        "\"kernel_release\": \"6.12.1\",",
    ),
    (
        |plan, _| plan.candidate.kernel = Some(System::I686Linux),
        "\"kernel\": \"i686-linux\",",
    ),
    (
        |_, recording| {
            let identity = &mut recording.guest(State::Rebooted).identity;
            identity.insert("machine", "i686".to_owned());
        },
        "\"kernel_machine\": \"i686\",",
    ),
    (
        |_, recording| {
            let guest = recording.guest(State::Rebooted);
            guest.http.clear();
            guest.answer(1, testing::endpoint("alpha", 8081), testing::status(404));
        },
        "\"http://alpha.example/\": \"404\"",
    ),
    (
        |_, recording| {
            let guest = recording.guest(State::Rebooted);
            guest.set_unit("alpha.service", &[("ActiveState", "failed")]);
        },
        "\"verdict\": \"fail\",",
    ),
    (
        |_, recording| {
            let guest = recording.guest(State::Rebooted);
            guest.set_unit(
                "multi-user.target",
                &[(
                    "Wants",
                    "alpha.service beta.service gamma.service nginx.service delta.service",
                )],
            );
            guest.set_unit("delta.service", &[]);
        },
        "\"delta.service\",",
    ),
    (
        |_, recording| {
            let guest = recording.guest(State::Rebooted);
            guest.log_kernel("watchdog: BUG: soft lockup - CPU#0 stuck for 22s!");
        },
        "\"subject\": \"soft-lockup\",",
    ),
    (
        |plan, _| plan.target.memory_mib = 4096,
        "\"memory_mib\": 4096,",
    ),
];

#[test]
fn what_matters_is_shown() {
    let before = lines(|_, _| {});
    for (change, shown) in CHANGES {
        let after = lines(change);
        let is_new = |line: &String| line == shown;
        assert!(!before.iter().any(is_new), "{shown} is no change");
        assert!(after.iter().any(is_new), "{shown} is not in {after:#?}");
    }
}

#[test]
fn a_unit_that_no_longer_runs_is_missed_although_nothing_fails() {
    let after = lines(|_, recording| {
        let guest = recording.guest(State::Rebooted);
        guest.set_unit(
            "multi-user.target",
            &[("Wants", "alpha.service beta.service nginx.service")],
        );
    });
    let times =
        |lines: &[String], word: &str| lines.iter().filter(|line| line.contains(word)).count();
    assert_eq!(times(&lines(|_, _| {}), "\"gamma.service\""), 3);
    assert_eq!(times(&after, "\"gamma.service\""), 2);
    assert_eq!(times(&after, "\"verdict\": \"pass\""), 1);
}

#[test]
fn whether_a_unit_that_loops_is_active_just_then_is_chance() {
    let looping = |state: &'static str| {
        lines(move |_, recording| {
            let guest = recording.guest(State::Rebooted);
            guest.set_unit("alpha.service", &[("ActiveState", state)]);
            guest.set_last("alpha.service", "NRestarts", "5");
        })
    };
    let active = |lines: &[String]| lines.iter().filter(|l| *l == "\"alpha.service\",").count();
    assert_eq!(active(&looping("active")), active(&looping("activating")));
}

#[test]
fn the_kernel_of_the_lab_is_its_distributions() {
    let (plan, observations) = testing::healthy();
    let lines = lines_of(&report(&plan, &observations));
    assert!(
        lines
            .iter()
            .any(|line| line == "\"kernel_version\": \"redacted\","),
        "{lines:#?}"
    );
}
