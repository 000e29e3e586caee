//! Rehearsals with one fault each, for the tables of cases.

use crate::testing::{self, Recording, endpoint, healthy_recording, status};
use crate::vocabulary::{
    Check, DamagedPath, Finding, HttpAnswer, Observation, Plan, Stage, State, StaticCause, Step,
    StepOutcome, System,
};

/// A rehearsal, and what no recording can show yet.
pub(super) struct Case {
    pub(super) plan: Plan,
    pub(super) recording: Recording,
    pub(super) more: Vec<Finding>,
}

pub(super) const STILL: &str = "no root shell within 300 s";

pub(super) fn of((plan, recording): (Plan, Recording)) -> Case {
    Case {
        plan,
        recording,
        more: Vec::new(),
    }
}

/// A healthy rehearsal, changed.
pub(super) fn changed(change: impl FnOnce(&mut Recording)) -> Case {
    let (plan, mut recording) = healthy_recording();
    change(&mut recording);
    of((plan, recording))
}

/// A healthy rehearsal, and this finding.
pub(super) fn with_finding(finding: Finding) -> Case {
    let mut case = of(healthy_recording());
    case.more.push(finding);
    case
}

pub(super) fn outage() -> Case {
    of(testing::outage_recording())
}

pub(super) fn ahead() -> Case {
    let mut case = outage();
    case.plan.steps.pop();
    case.recording.steps.pop();
    case.recording.guests.remove(&State::Rebooted);
    case
}

pub(super) fn platform() -> Case {
    let mut case = changed(|recording| {
        let identity = &mut recording.guest(State::Rebooted).identity;
        identity.insert("machine", "i686".to_owned());
    });
    case.plan.candidate.kernel = Some(System::I686Linux);
    case
}

pub(super) fn files(check: Check, subject: &str) -> Case {
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

pub(super) fn found(check: Check, subject: &str) -> Case {
    let mut case = changed(|_| {});
    case.more = vec![Finding::new(
        check,
        State::Rebooted,
        subject,
        "what is wrong",
    )];
    case
}

pub(super) fn installer(says: &str) -> Case {
    let plan = testing::without_baseline();
    let mut recording = Recording::healthy(&plan);
    recording
        .steps
        .insert(0, (Step::Provision, StepOutcome::Done));
    recording.switch = (1, format!("{says}\n"));
    of((plan, recording))
}

pub(super) fn switch(exit_code: i32, output: &str) -> Case {
    changed(|recording| recording.switch = (exit_code, output.to_owned()))
}

pub(super) fn dead(reason: &str, stage: Stage, console: &[&str]) -> Case {
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

pub(super) fn panicked(why: &str) -> Case {
    let line = format!("[    1.000000] Kernel panic - not syncing: {why}");
    dead("kernel panic", Stage::Initrd, &[&line])
}

pub(super) fn generation(state: State) -> Case {
    changed(|recording| {
        let identity = &mut recording.guest(state).identity;
        if state == State::Rebooted {
            identity.insert("booted", testing::BASELINE.to_owned());
        }
        identity.insert("current", testing::BASELINE.to_owned());
    })
}

/// The candidate boots after a power cut in the switch, without all of its store.
pub(super) fn store_damaged() -> Case {
    let (mut plan, _) = healthy_recording();
    plan.steps.insert(1, Step::PowerCutInSwitch);
    let mut recording = Recording::healthy(&plan);
    let identity = &mut recording.guest(State::CutInSwitch).identity;
    for key in ["booted", "current"] {
        identity.insert(key, testing::CANDIDATE.to_owned());
    }
    let damaged = DamagedPath {
        path: "0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-alpha".to_owned(),
        of_baseline: false,
        of_candidate: true,
        files: 1,
        first: "bin/alpha: 0 bytes, not 812".to_owned(),
        valid: None,
    };
    recording.more.push(Observation::StoreCompared {
        state: State::CutInSwitch,
        compared: 7,
        damaged: vec![damaged],
        more: 0,
    });
    of((plan, recording))
}

pub(super) fn cut_before_the_store_was_flushed() -> Case {
    let (mut plan, _) = healthy_recording();
    plan.steps.insert(1, Step::PowerCutInSwitch);
    let mut recording = Recording::healthy(&plan);
    let failed = StepOutcome::GuestFailed {
        stage: Some(Stage::Initrd),
        reason: "kernel panic; power cut in the bootloader install (between two flushes)"
            .to_owned(),
        last_line: None,
    };
    recording.fail_step(Step::PowerCutInSwitch, failed);
    recording.guests.retain(|state, _| *state == State::Before);
    recording.console = [
        "switch_root: can't execute '/nix/store/x/init': Exec format error",
        "[    9.482417] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100",
    ]
    .map(str::to_owned)
    .to_vec();
    of((plan, recording))
}

pub(super) fn kernel_says(line: &str) -> Case {
    changed(|recording| recording.guest(State::Rebooted).log_kernel(line))
}

pub(super) fn out_of_memory() -> Case {
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

pub(super) fn dying(result: &str, says: &str) -> Case {
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

pub(super) fn refused() -> Case {
    let line = "alpha.service: Failed at step EXEC spawning /x: No such file or directory";
    dying("exit-code", line)
}

pub(super) fn inactive(active_state: &str, says: &str) -> Case {
    changed(|recording| {
        let guest = recording.guest(State::Rebooted);
        guest.set_unit("alpha.service", &[("ActiveState", active_state)]);
        guest.log_unit("alpha.service", says);
    })
}

pub(super) fn cycle() -> Case {
    let mut case = inactive("inactive", "x");
    let line = "multi-user.target: Job alpha.service/start deleted to break ordering cycle starting with multi-user.target/start";
    case.recording
        .guest(State::Rebooted)
        .log_unit("multi-user.target", line);
    case
}

pub(super) fn oneshot() -> Case {
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

pub(super) fn looping() -> Case {
    changed(|recording| {
        let guest = recording.guest(State::Rebooted);
        guest.set_last("alpha.service", "NRestarts", "4");
        guest.answer(2, endpoint("alpha", 8081), status(502));
    })
}

pub(super) fn starting() -> Case {
    changed(|recording| recording.guest(State::Rebooted).system_state = "starting".to_owned())
}

pub(super) fn answers(answer: HttpAnswer) -> Case {
    changed(|recording| {
        let guest = recording.guest(State::Rebooted);
        guest.answer(2, endpoint("alpha", 8081), answer);
    })
}

pub(super) fn refused_by_nginx() -> Case {
    changed(|recording| {
        let said = r#"{"MESSAGE":"nginx: [emerg] unknown directive \"x\" in /x:16","_SYSTEMD_UNIT":"nginx.service","SYSLOG_IDENTIFIER":"nginx","__MONOTONIC_TIMESTAMP":"2000"}"#;
        recording.append_journal(State::Rebooted, said);
        let guest = recording.guest(State::Rebooted);
        guest.set_unit("nginx.service", &[("ActiveState", "failed")]);
    })
}

/// Another socket alone was seen, and one round got this answer.
pub(super) fn unserved(round: u32, code: u16) -> Case {
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

pub(super) fn error(check: Check, state: State, subject: &str, summary: &str) -> Case {
    with_finding(Finding::new(check, state, subject, summary))
}

pub(super) fn warning(check: Check, state: State, subject: &str, summary: &str) -> Case {
    with_finding(Finding::new(check, state, subject, summary).as_warning())
}
