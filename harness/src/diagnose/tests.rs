use super::*;
use crate::fold::fold;
use crate::testing::{self, Recording};
use crate::vocabulary::Check;

fn diagnosis(plan: &Plan, recording: &Recording) -> Diagnosis {
    let run = recording.run(plan);
    diagnose(plan, &run, &crate::check::run(plan, &run))
}

fn ids(cause: &Cause) -> Vec<&String> {
    let consequences = cause.consequences.iter().flat_map(|c| &c.findings);
    cause.findings.iter().chain(consequences).collect()
}

#[test]
fn the_outage_has_one_cause_and_502_is_its_consequence() {
    let (plan, mut recording) = testing::outage_recording();
    recording.guest(State::Rebooted).log_unit(
        "alpha.service",
        "alpha.service: Failed to create cgroup /system.slice/alpha.service: Cannot allocate memory",
    );
    let diagnosis = diagnosis(&plan, &recording);
    assert_eq!(diagnosis.causes.len(), 1);
    let cause = &diagnosis.causes[0];
    assert_eq!(
        cause.headline,
        "an i686-linux kernel runs x86_64 executables: alpha.service, beta.service, gamma.service die with Exec \
         format error, and it shows only after the reboot"
    );
    assert_eq!((cause.state, cause.latent), (State::Rebooted, true));
    assert_eq!(
        cause.findings,
        [
            "rebooted/kernel-architecture/kernel",
            "switched/system-string/system",
            "switched/userland-architecture/userland",
            "inspected/architecture/kernel",
            "inspected/executability/alpha.service",
            "inspected/executability/beta.service",
            "inspected/executability/gamma.service",
            "rebooted/exec-failed/alpha.service",
            "rebooted/exec-failed/beta.service",
            "rebooted/exec-failed/gamma.service",
        ]
    );
    let summaries: Vec<&str> = cause
        .consequences
        .iter()
        .map(|c| c.summary.as_str())
        .collect();
    assert_eq!(
        summaries,
        [
            "systemd restarts without end: alpha.service, beta.service, gamma.service",
            "nginx stays up and answers 502 Bad Gateway for http://alpha.example/, http://beta.example/, \
             http://gamma.example/",
            "a misleading line of the log (memory is not what is short): cgroup-memory",
        ]
    );
    assert!(
        cause
            .next
            .contains("an i686-linux system where x86_64-linux is expected")
    );
}

#[test]
fn what_differs_between_two_boots_follows_from_the_unit_that_it_names() {
    let plan = testing::without_baseline();
    let mut recording = Recording::healthy(&plan);
    for state in [State::Booted, State::Rebooted] {
        recording.guest(state).boot_facts = "== kernel\nLinux 6.1\n".to_owned();
    }
    let failed = [("ActiveState", "failed"), ("Result", "exit-code")];
    recording
        .guest(State::Rebooted)
        .set_unit("alpha.service", &failed);
    let causes = diagnosis(&plan, &recording).causes;
    assert_eq!(causes.len(), 1);
    assert_eq!(causes[0].rule, "unit-failed");
    let consequences = &causes[0].consequences;
    assert!(
        consequences
            .iter()
            .any(|c| c.summary.starts_with("two boots of one generation differ"))
    );
}

#[test]
fn another_platform_is_told_although_nothing_was_refused_yet() {
    let (plan, mut recording) = testing::outage_recording();
    let switched = recording.guests[&State::Switched].clone();
    let rebooted = recording.guest(State::Rebooted);
    rebooted.last = switched.last;
    rebooted.first = switched.first;
    rebooted.journal = switched.journal;
    rebooted.http = switched.http;
    recording.inspected.findings.clear();
    let diagnosis = diagnosis(&plan, &recording);
    assert_eq!(diagnosis.causes.len(), 1);
    assert_eq!(
        diagnosis.causes[0].headline,
        "the running kernel is i686-linux, and x86_64-linux is expected, and it shows only after the reboot"
    );
}

#[test]
fn before_a_reboot_the_files_say_what_it_will_do() {
    let (mut plan, mut recording) = testing::outage_recording();
    plan.steps.pop();
    recording.steps.pop();
    recording.guests.remove(&State::Rebooted);
    let diagnosis = diagnosis(&plan, &recording);
    assert_eq!(diagnosis.causes.len(), 1);
    let cause = &diagnosis.causes[0];
    assert_eq!(
        cause.headline,
        "after the next boot these 3 units will die with 203/EXEC"
    );
    assert_eq!(cause.findings.len(), 6);
}

#[test]
fn services_for_another_platform_than_an_expected_kernel_are_told_so() {
    let (mut plan, mut recording) = testing::outage_recording();
    plan.expect_system = crate::vocabulary::System::I686Linux;
    plan.baseline = None;
    plan.steps = vec![crate::vocabulary::Step::WarmReboot];
    recording.steps.retain(|(s, _)| plan.steps.contains(s));
    let cause = &diagnosis(&plan, &recording).causes[0];
    assert!(
        cause
            .headline
            .starts_with("an i686-linux kernel runs x86_64 executables")
    );
    assert!(cause.next.contains("build them for i686-linux"));
}

#[test]
fn a_failed_unit_leads_and_its_502_and_the_switch_follow() {
    let (plan, mut recording) = testing::healthy_recording();
    recording.switch = (
        4,
        "warning: the following units failed: alpha.service\n".to_owned(),
    );
    let guest = recording.guest(State::Switched);
    guest.set_unit(
        "alpha.service",
        &[("ActiveState", "failed"), ("Result", "exit-code")],
    );
    guest.answer(2, testing::endpoint("alpha", 8081), testing::status(502));
    let diagnosis = diagnosis(&plan, &recording);
    assert_eq!(diagnosis.causes.len(), 1);
    assert_eq!(
        diagnosis.causes[0].headline,
        "alpha.service failed (exit-code)"
    );
    assert_eq!(diagnosis.causes[0].consequences.len(), 2);
}

#[test]
fn a_consequence_is_never_of_an_earlier_state_than_its_cause() {
    let (plan, mut recording) = testing::healthy_recording();
    let guest = recording.guest(State::Switched);
    guest.answer(2, testing::endpoint("alpha", 8081), testing::status(502));
    let guest = recording.guest(State::Rebooted);
    guest.set_unit("beta.service", &[("ActiveState", "failed")]);
    let diagnosis = diagnosis(&plan, &recording);
    assert_eq!(diagnosis.causes.len(), 2);
    assert!(diagnosis.causes.iter().all(|c| c.consequences.is_empty()));
}

#[test]
fn an_old_generation_after_the_reboot_points_at_the_bootloader() {
    let (plan, mut recording) = testing::healthy_recording();
    let identity = &mut recording.guest(State::Rebooted).identity;
    identity.insert("booted", testing::BASELINE.to_owned());
    identity.insert("current", testing::BASELINE.to_owned());
    let diagnosis = diagnosis(&plan, &recording);
    assert_eq!(diagnosis.causes.len(), 1);
    assert!(diagnosis.causes[0].headline.contains("bootloader"));
    assert!(diagnosis.causes[0].latent);
}

const CHECKS: [Check; 25] = [
    Check::BootFailed,
    Check::BootloaderInstall,
    Check::SwitchFailed,
    Check::SystemString,
    Check::KernelArchitecture,
    Check::UserlandArchitecture,
    Check::WrongGeneration,
    Check::NoWayBack,
    Check::NoBootEntry,
    Check::SystemState,
    Check::UnitFailed,
    Check::UnitInactive,
    Check::RestartLoop,
    Check::UnitLost,
    Check::ClockOff,
    Check::ShutdownSlow,
    Check::ExecFailed,
    Check::LogSignature,
    Check::HttpGateway,
    Check::HttpLate,
    Check::HttpEmpty,
    Check::HttpUnanswered,
    Check::HttpGap,
    Check::UnitFlapping,
    Check::BootsDiffer,
];

/// A generator of numbers that is the same in every run (Knuth's MMIX).
fn next(seed: &mut u64, below: usize) -> usize {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) as usize % below
}

fn generated(seed: &mut u64) -> Vec<Finding> {
    let states = [
        State::Before,
        State::Switched,
        State::Booted,
        State::Rebooted,
    ];
    let subjects = [
        "alpha.service",
        "nginx.service",
        "booted-system",
        "cgroup-memory",
        "kernel",
    ];
    let mut findings: Vec<Finding> = Vec::new();
    for _ in 0..next(seed, 12) {
        let check = CHECKS[next(seed, CHECKS.len())];
        let subject = subjects[next(seed, subjects.len())];
        if findings
            .iter()
            .any(|f| f.check == check && f.subject == subject)
        {
            continue;
        }
        let state = states[next(seed, states.len())];
        let mut finding = Finding::new(check, state, subject, "what is wrong: Exec format error");
        finding.latent = next(seed, 2) == 0;
        if state == State::Before || next(seed, 4) == 0 {
            finding = finding.as_warning();
        }
        findings.push(finding);
    }
    findings
}

#[test]
fn no_finding_is_ever_lost_or_told_twice() {
    let mut seed = 20_230_808;
    for (plan, observations) in [testing::healthy(), testing::outage()] {
        let run = fold(&observations);
        for _ in 0..5_000 {
            let findings = generated(&mut seed);
            let diagnosis = diagnose(&plan, &run, &findings);
            let mut told: Vec<&String> = diagnosis.causes.iter().flat_map(ids).collect();
            told.sort();
            let mut all: Vec<String> = findings.iter().map(Finding::id).collect();
            all.sort();
            assert_eq!(told, all.iter().collect::<Vec<_>>());
            assert!(diagnosis.causes.iter().all(|c| !c.findings.is_empty()));
        }
    }
}

#[test]
fn no_diagnosis_leads_with_a_warning_or_with_a_consequence() {
    let mut seed = 502;
    let (plan, observations) = testing::outage();
    let run = fold(&observations);
    for _ in 0..5_000 {
        let findings = generated(&mut seed);
        let has_error = findings.iter().any(|f| f.severity == Severity::Error);
        let Some(first) = diagnose(&plan, &run, &findings).causes.into_iter().next() else {
            continue;
        };
        assert_eq!(first.severity == Severity::Error, has_error);
        let leads_with_http = first.findings.iter().all(|id| id.contains("/http-"));
        let explained = findings.iter().any(|f| {
            f.severity == Severity::Error
                && matches!(
                    f.check,
                    Check::ExecFailed | Check::UnitFailed | Check::RestartLoop | Check::BootFailed
                )
        });
        assert!(!(leads_with_http && explained), "{findings:#?}");
    }
}

#[test]
fn a_boot_that_fails_follows_from_what_its_path_lacks() {
    let (plan, mut recording) = testing::healthy_recording();
    let finding = Finding::new(Check::BootPath, State::Inspected, "initrd", "it lacks x");
    recording.inspected.causes = vec![crate::vocabulary::StaticCause {
        headline: "the files lack x".to_owned(),
        next: "add x".to_owned(),
        findings: vec![finding.id()],
    }];
    recording.inspected.findings = vec![finding];
    let failed = crate::vocabulary::StepOutcome::GuestFailed {
        stage: None,
        reason: "emergency mode".to_owned(),
        last_line: None,
    };
    recording.guests.remove(&State::Rebooted);
    recording.fail_step(crate::vocabulary::Step::WarmReboot, failed);
    let causes = diagnosis(&plan, &recording).causes;
    assert_eq!(causes.len(), 1, "{causes:#?}");
    assert_eq!(causes[0].headline, "the files lack x");
    let follows = &causes[0].consequences[0].findings;
    assert_eq!(follows, &["rebooted/boot-failed/warm-reboot"]);
}

#[test]
fn what_a_boot_confirms_stands_under_what_the_boot_says() {
    let (plan, recording) = testing::outage_recording();
    let causes = diagnosis(&plan, &recording).causes;
    assert_eq!(causes.len(), 1);
    let id = "inspected/executability/alpha.service".to_owned();
    assert!(causes[0].findings.contains(&id) && causes[0].latent);
}
