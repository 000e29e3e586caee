//! Makes the report of a plan and its recording: fold, checks, diagnosis, verdict.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::{self, coverage};
use crate::diagnose::{Diagnosis, diagnose};
use crate::fold::{BootRecord, Run, fold, sanitise, state_after, steps_in_order};
use crate::vocabulary::{
    ClosureFacts, FORMAT_VERSION, Finding, Plan, Recorded, Severity, State, System, Unproven,
    Verdict,
};

use super::model::{
    AcceleratorUsed, BootReport, ClosureKind, ClosureSummary, InspectedSummary, Report,
    StageReached, StepReport, TargetSummary,
};
use super::sentences::sentences;
use super::stage_times::stage_times;
use super::state::state;
use super::suppressions;
use super::{cuts, fingerprint, ledger, specialisations};

/// The report of a rehearsal. It is the same for the same plan and recording, whenever and wherever it is made.
pub fn report(plan: &Plan, observations: &[Recorded]) -> Report {
    let run = fold(observations);
    let mut findings = check::run(plan, &run);
    let suppressions = suppressions::apply(plan, &mut findings);
    let diagnosis = diagnose(plan, &run, &findings);
    let mut unproven = coverage::unproven(plan, &run);
    if let Some(gap) = suppressions::gap(plan, &run, &suppressions) {
        unproven.insert(0, gap);
    }
    let verdict = verdict(&findings, &unproven);
    let mut report = Report {
        format_version: FORMAT_VERSION,
        tool_version: plan.tool_version.clone(),
        verdict,
        headline: headline(plan, &run, verdict, &diagnosis, &unproven, &findings)
            + &match verdict {
                Verdict::Fail => suppressions::expiry(&suppressions),
                Verdict::Pass | Verdict::Unproven => String::new(),
            },
        closure: if plan.lab {
            ClosureKind::Lab
        } else {
            ClosureKind::Nixos
        },
        scenario: plan.scenario.clone(),
        candidate: closure(&plan.candidate),
        baseline: plan.baseline.as_ref().map(closure),
        expect_system: plan.expect_system.clone(),
        expected_by: plan.expected_by.clone(),
        target: TargetSummary {
            machine: plan.target.clone(),
            disk_bus: plan.disk_bus,
            firmware: plan.firmware,
        },
        accelerator: run.accelerator.as_ref().map(|used| AcceleratorUsed {
            accelerator: used.accelerator,
            reason: used.reason.clone(),
            factor: used.factor,
            qemu: used.qemu.clone(),
        }),
        inspected: run.inspected.as_ref().map(|inspected| InspectedSummary {
            units: inspected.units,
            commands: inspected.commands,
        }),
        firmware: firmware(&run),
        rung: run.boots.iter().rev().find_map(|b| b.transport.clone()),
        steps: steps(plan, &run),
        states: run.states.iter().map(|(s, r)| state(*s, r)).collect(),
        notes: notes(plan, &run),
        begun_again: run.begun_again.clone(),
        boots: run.boots.iter().map(|b| boot(plan, &run, b)).collect(),
        http_ledger: ledger::ledger(plan, &run),
        stage_times: stage_times(&run),
        cuts: cuts::cuts(plan, &run),
        specialisations: specialisations::specialisations(plan, &run),
        findings,
        diagnosis,
        suppressions,
        unproven,
    };
    // The closure's own files are quoted too, and they are as hostile as the guest.
    for text in sentences(&mut report) {
        *text = sanitise::line(text);
    }
    report
}

/// All boots have the same one.
fn firmware(run: &Run) -> Option<String> {
    let mut identities = run
        .states
        .values()
        .rev()
        .filter_map(|r| r.identity.as_ref());
    identities.find_map(|identity| identity.firmware.clone())
}

fn verdict(findings: &[Finding], unproven: &[Unproven]) -> Verdict {
    if findings.iter().any(|f| f.severity == Severity::Error) {
        Verdict::Fail
    } else if unproven.iter().any(|u| u.decisive) {
        Verdict::Unproven
    } else {
        Verdict::Pass
    }
}

fn headline(
    plan: &Plan,
    run: &Run,
    verdict: Verdict,
    diagnosis: &Diagnosis,
    unproven: &[Unproven],
    findings: &[Finding],
) -> String {
    let reason = match verdict {
        Verdict::Fail => diagnosis
            .causes
            .first()
            .map_or_else(String::new, |cause| cause.headline.clone()),
        Verdict::Unproven => unproven
            .iter()
            .find(|u| u.decisive)
            .map_or_else(String::new, |u| match u.state {
                Some(state) => format!("{} in {state}: {}", u.subject, u.reason),
                None => format!("{}: {}", u.subject, u.reason),
            }),
        Verdict::Pass if run.states.is_empty() => format!(
            "nothing in the files of {} stands against a boot{} (nothing was booted)",
            plan.candidate.toplevel.base_name(),
            warnings(diagnosis),
        ),
        Verdict::Pass => {
            let inspected = run.inspected.iter().map(|_| State::Inspected);
            let states = inspected.chain(run.states.keys().copied());
            let done: Vec<&str> = states.map(deed).collect();
            format!(
                "{} is proven for this machine: {}{}{}",
                plan.candidate.toplevel.base_name(),
                done.join(", "),
                warnings(diagnosis),
                not_observed(unproven),
            ) + &fingerprint::difference(findings)
        }
    };
    format!("{verdict}: {reason}")
}

/// What was done to come to a state.
fn deed(state: State) -> &'static str {
    match state {
        State::Inspected => "inspected",
        State::Before => "baseline booted",
        State::CutInSwitch => "power cut in a switch",
        State::Switched => "switched to",
        State::Booted => "booted",
        State::Rebooted => "rebooted",
        State::ColdRebooted => "powered off and on",
        State::SoftRebooted => "userspace rebooted",
        State::Reset => "reset",
        State::Panicked => "panicked",
        State::PowerCut => "power cut",
        State::RolledBack => "rolled back",
        State::Specialised => "specialisations booted",
    }
}

/// ` (2 warnings, 1 suppressed)`; nothing where there is none of either.
fn warnings(diagnosis: &Diagnosis) -> String {
    let suppressed = diagnosis.causes.iter().filter(|c| c.suppressed).count();
    let warnings = match diagnosis.causes.len() - suppressed {
        0 => None,
        1 => Some("1 warning".to_owned()),
        many => Some(format!("{many} warnings")),
    };
    let suppressed = (suppressed > 0).then(|| format!("{suppressed} suppressed"));
    let all: Vec<String> = warnings.into_iter().chain(suppressed).collect();
    if all.is_empty() {
        String::new()
    } else {
        format!(" ({})", all.join(", "))
    }
}

/// What a pass does not cover belongs into its first line.
fn not_observed(unproven: &[Unproven]) -> String {
    let subjects: BTreeSet<&str> = unproven.iter().map(|u| u.subject.as_str()).collect();
    if subjects.is_empty() {
        return String::new();
    }
    let subjects: Vec<&str> = subjects.into_iter().collect();
    format!("; not observed: {}", subjects.join(", "))
}

fn closure(facts: &ClosureFacts) -> ClosureSummary {
    ClosureSummary {
        toplevel: facts.toplevel.clone(),
        nixos_version: facts.nixos_version.as_deref().map(sanitise::line),
        system: facts.system.as_ref().map(platform),
        kernel: facts.kernel.as_ref().map(platform),
        kernel_version: facts.kernel_version.as_deref().map(sanitise::line),
        userland: facts.userland,
    }
}

fn platform(system: &System) -> System {
    System::from(sanitise::line(system.as_str()))
}

fn steps(plan: &Plan, run: &Run) -> Vec<StepReport> {
    steps_in_order(plan, run)
        .into_iter()
        .map(|(step, record)| StepReport {
            step,
            state: state_after(plan, step),
            outcome: record.and_then(|r| r.outcome.clone()),
            milliseconds: record.and_then(|r| Some(r.finished_ms?.saturating_sub(r.started_ms))),
        })
        .collect()
}

fn boot(plan: &Plan, run: &Run, record: &BootRecord) -> BootReport {
    BootReport {
        number: record.number,
        step: record.step,
        boot_id: record.boot_id.clone(),
        transport: record.transport.clone(),
        stages: record
            .stages
            .iter()
            .map(|&(stage, at_ms)| StageReached { stage, at_ms })
            .collect(),
        foretold: record.foretold.clone(),
        exit: record.exit.clone(),
        fingerprint: fingerprint::of_boot(plan, run, record.number),
    }
}

fn notes(plan: &Plan, run: &Run) -> Vec<String> {
    let mut notes = plan.choices.clone();
    if plan.baseline.is_none() {
        notes.push(
            "no baseline was given: before and switched are no part of this rehearsal, and nothing is called latent"
                .to_owned(),
        );
    }
    if plan.steps.is_empty() {
        notes.push("nothing was booted: the files alone were inspected".to_owned());
    } else if !plan.steps.iter().any(|step| step.is_reboot()) {
        notes.push("no reboot was planned, so nothing is proven of one".to_owned());
    }
    if plan.candidate.http.is_empty() && plan.probes.is_empty() {
        notes.push(
            "the candidate's nginx has no endpoint to ask for, so nothing was asked over HTTP"
                .to_owned(),
        );
    }
    notes.extend(unreadable(plan));
    notes.extend(run.inspected.iter().flat_map(|i| i.notes.iter().cloned()));
    notes.extend(run.notes.iter().cloned());
    notes
}

/// What could not be read of the closures' files: each thing once, and units, of which there are many, by name only.
fn unreadable(plan: &Plan) -> Vec<String> {
    let mut entries: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    let baseline = plan.baseline.iter().map(|facts| ("baseline", facts));
    for (role, facts) in [("candidate", &plan.candidate)].into_iter().chain(baseline) {
        for (subject, why) in &facts.unreadable {
            entries.entry((subject, why)).or_default().push(role);
        }
    }
    let (units, others): (Vec<_>, Vec<_>) = entries
        .into_iter()
        .partition(|((subject, _), _)| subject.ends_with(".service"));
    let mut notes: Vec<String> = others
        .iter()
        .map(|((subject, why), roles)| {
            format!(
                "could not be read in the {}: {subject}: {why}",
                roles.join(" and ")
            )
        })
        .collect();
    let names: BTreeSet<&str> = units.iter().map(|((unit, _), _)| *unit).collect();
    if !names.is_empty() {
        let names: Vec<&str> = names.into_iter().collect();
        notes.push(format!(
            "the architecture of what these units start could not be read from the closure: {}",
            names.join(", ")
        ));
    }
    notes
}
