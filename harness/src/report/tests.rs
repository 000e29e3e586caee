use super::*;
use crate::testing::{self, Recording};
use crate::vocabulary::{
    Check, FORMAT_VERSION, Finding, Observation, Plan, Recorded, Stage, State, Step, StepOutcome,
    System, Verdict,
};

fn report_of(plan: &Plan, recording: &Recording) -> Report {
    report(plan, &recording.observations_of(plan))
}

fn style() -> human::Style {
    human::Style {
        colour: false,
        run_dir: Some("runs/example".to_owned()),
    }
}

fn ids(report: &Report) -> Vec<String> {
    report.findings.iter().map(Finding::id).collect()
}

#[test]
fn a_healthy_rehearsal_passes() {
    let (plan, observations) = testing::healthy();
    let report = report(&plan, &observations);
    assert_eq!(report.verdict, Verdict::Pass);
    assert_eq!(ids(&report), [""; 0]);
    assert_eq!(report.unproven, []);
    let report = normalise(&report);
    insta::assert_snapshot!("healthy_human", human::render(&report, &style()));
    insta::assert_snapshot!("healthy_markdown", markdown::render(&report));
}

#[test]
fn the_outage_fails_and_its_first_line_is_the_cause() {
    let (plan, observations) = testing::outage();
    let report = report(&plan, &observations);
    assert_eq!(report.verdict, Verdict::Fail);
    assert_eq!(report.findings.len(), 16);
    let report = normalise(&report);
    let text = human::render(&report, &style());
    let first = text.lines().next().unwrap();
    for needle in [
        "i686-linux kernel runs x86_64 executables",
        "alpha.service, beta.service, gamma.service",
        "only after the reboot",
        "in rebooted",
        "runs/example",
    ] {
        assert!(first.contains(needle), "{needle}");
    }
    assert!(text.find("Exec format error") < text.find("502"));
    assert!(text.lines().count() <= 60, "{}", text.lines().count());
    insta::assert_snapshot!("outage_human", text);
    insta::assert_snapshot!("outage_markdown", markdown::render(&report));
}

#[test]
fn a_reboot_that_panics_says_so_and_how_far_it_got() {
    let (plan, mut recording) = testing::healthy_recording();
    recording.fail_step(
        Step::WarmReboot,
        StepOutcome::GuestFailed {
            stage: Some(Stage::Initrd),
            reason: "kernel panic".to_owned(),
            last_line: Some("---[ end Kernel panic - not syncing ]---".to_owned()),
        },
    );
    recording.console = vec![
        "[    1.500000] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100"
            .to_owned(),
    ];
    let report = report_of(&plan, &recording);
    assert_eq!(report.verdict, Verdict::Fail);
    assert_eq!(ids(&report), ["rebooted/boot-failed/warm-reboot"]);
    let text = human::render(&normalise(&report), &style());
    insta::assert_snapshot!("panic_human", text);
}

#[test]
fn what_could_not_be_observed_is_unproven_with_its_reason() {
    let (plan, mut recording) = testing::healthy_recording();
    let reason = "the guest's network does not match the VM's".to_owned();
    recording
        .more
        .push(Observation::Unproven(crate::vocabulary::Unproven {
            state: Some(State::Switched),
            subject: "http-outside".to_owned(),
            reason,
            decisive: false,
        }));
    recording.guest(State::Rebooted).http.truncate(1);
    let report = report_of(&plan, &recording);
    assert_eq!(report.verdict, Verdict::Unproven);
    assert_eq!(ids(&report), [""; 0]);
    let text = human::render(&normalise(&report), &style());
    insta::assert_snapshot!("unproven_human", text);
}

#[test]
fn no_observation_is_no_pass() {
    let (plan, _) = testing::healthy();
    let report = report(&plan, &[]);
    assert_eq!(report.verdict, Verdict::Unproven);
    assert_eq!(report.headline, "unproven: rehearsal: nothing was observed");
}

#[test]
fn a_run_that_was_interrupted_is_unproven() {
    let (plan, mut observations) = testing::healthy();
    observations.truncate(20);
    let report = report(&plan, &observations);
    assert_eq!(report.verdict, Verdict::Unproven);
    assert!(human::render(&report, &style()).contains("not seen"));
}

#[test]
fn without_a_baseline_nothing_is_latent_and_the_report_says_so() {
    let plan = testing::without_baseline();
    let mut recording = Recording::healthy(&plan);
    let guest = recording.guest(State::Rebooted);
    guest.set_unit("alpha.service", &[("ActiveState", "failed")]);
    let report = report_of(&plan, &recording);
    assert_eq!(ids(&report), ["rebooted/unit-failed/alpha.service"]);
    assert!(report.diagnosis.causes.iter().all(|c| !c.latent));
    assert!(report.notes.iter().any(|n| n.contains("no baseline")));
}

#[test]
fn a_warning_passes_and_is_counted() {
    let (plan, mut recording) = testing::healthy_recording();
    let guest = recording.guest(State::Rebooted);
    guest.log_kernel("watchdog: BUG: soft lockup - CPU#0 stuck for 22s!");
    let report = report_of(&plan, &recording);
    assert_eq!(report.verdict, Verdict::Pass);
    assert_eq!(ids(&report), ["rebooted/log-signature/soft-lockup"]);
    assert!(report.headline.ends_with("rebooted (1 warning)"));
}

#[test]
fn a_report_survives_its_json() {
    for (plan, observations) in [testing::healthy(), testing::outage()] {
        let report = report(&plan, &observations);
        let text = json::render(&report).unwrap();
        let read: Report = serde_json::from_str(&text).unwrap();
        assert_eq!(read, report);
    }
}

/// The same rehearsal as it runs another time: slower, from an uncached base, with other identities and counts.
fn another_time(recording: &Recording, plan: &Plan) -> Vec<Recorded> {
    let mut recording = recording.clone();
    recording
        .steps
        .insert(0, (Step::Provision, StepOutcome::Done));
    let mut observations = recording.observations_of(plan);
    for recorded in &mut observations {
        recorded.at_ms = recorded.at_ms * 3 + 17;
        match &mut recorded.observation {
            Observation::Dumped { output, .. } => {
                *output = output
                    .replace("NRestarts=7", "NRestarts=9")
                    .replace(
                        "3333333333333333333333333333333d",
                        "4444444444444444444444444444444f",
                    )
                    .replace("0c6cbd2a", "1d7dce3b");
            }
            Observation::Accelerator { factor, qemu, .. } => {
                *factor = 9.0;
                *qemu = "QEMU emulator version 9.9".to_owned();
            }
            _ => {}
        }
    }
    // The boot of the provisioning counts, where there was one.
    let mut provisioned = Vec::new();
    for recorded in observations {
        let ends_provision = matches!(
            recorded.observation,
            Observation::StepStarted {
                step: Step::Provision
            }
        );
        provisioned.push(shifted(recorded));
        if ends_provision {
            let argv = vec!["qemu-system-x86_64".to_owned()];
            provisioned.push(Recorded {
                at_ms: 1,
                observation: Observation::PoweredOn { boot: 1, argv },
            });
        }
    }
    provisioned
}

fn shifted(mut recorded: Recorded) -> Recorded {
    match &mut recorded.observation {
        Observation::PoweredOn { boot, .. }
        | Observation::Stage { boot, .. }
        | Observation::ChannelOpened { boot, .. } => *boot += 1,
        _ => {}
    }
    recorded
}

#[test]
fn two_runs_of_one_rehearsal_give_the_same_normalised_report() {
    for (plan, recording) in [testing::healthy_recording(), testing::outage_recording()] {
        let once = report_of(&plan, &recording);
        let again = report(&plan, &another_time(&recording, &plan));
        assert_ne!(once, again);
        let json = |report: &Report| json::render(&normalise(report)).unwrap();
        assert_eq!(json(&once), json(&again));
    }
}

#[test]
fn normalising_keeps_verdicts_and_ids() {
    let (plan, observations) = testing::outage();
    let report = report(&plan, &observations);
    let normal = normalise(&report);
    assert_eq!(ids(&normal), ids(&report));
    assert_eq!(normal.verdict, report.verdict);
    let kept = |report: &Report| {
        let facts = report.states.iter().map(|s| {
            let StateReport {
                state,
                kernel_machine,
                userland,
                system,
                system_state,
                http,
                ..
            } = s.clone();
            (state, kernel_machine, userland, system, system_state, http)
        });
        facts.collect::<Vec<_>>()
    };
    assert_eq!(kept(&normal), kept(&report));
    assert!(normal.findings.iter().any(|f| f.check == Check::ExecFailed));
}

#[test]
fn colour_only_repeats_the_words() {
    let (plan, observations) = testing::outage();
    let report = report(&plan, &observations);
    let plain = human::render(&report, &human::Style::default());
    let coloured = human::render(
        &report,
        &human::Style {
            colour: true,
            run_dir: None,
        },
    );
    assert_ne!(plain, coloured);
    let stripped = regex::Regex::new("\u{1b}\\[[0-9;]*m")
        .unwrap()
        .replace_all(&coloured, "")
        .into_owned();
    assert_eq!(stripped, plain);
}

#[test]
fn what_a_guest_prints_cannot_reach_the_terminal_raw() {
    let (mut plan, mut recording) = testing::outage_recording();
    let evil = "\u{1b}]0;owned\u{7}\u{1b}[2J";
    plan.candidate.system = Some(System::Other(format!("i686{evil}")));
    plan.candidate
        .unreadable
        .push((evil.to_owned(), evil.to_owned()));
    let mut endpoint = testing::endpoint(evil, 8081);
    endpoint.upstream = Some(evil.to_owned());
    let guest = recording.guest(State::Rebooted);
    guest.answer(1, endpoint, testing::status(502));
    guest.system_state = evil.to_owned();
    guest.identity.insert("system", format!("i686{evil}"));
    guest.identity.insert("booted", evil.to_owned());
    guest.set_unit(
        "alpha.service",
        &[("ActiveState", "failed"), ("Result", evil)],
    );
    guest.set_unit(&format!("e{evil}.service"), &[("ActiveState", "failed")]);
    recording.more.push(Observation::Note {
        text: evil.to_owned(),
    });
    let report = report_of(&plan, &recording);
    let style = human::Style::default();
    for text in [human::render(&report, &style), markdown::render(&report)] {
        assert!(!text.contains(['\u{1b}', '\u{7}']));
    }
}

#[test]
fn the_schema_of_the_report_that_is_published_is_that_of_its_types() {
    let title = "report.json of bootproof";
    testing::published::holds::<Report>("report.schema.json", title, FORMAT_VERSION);
}
