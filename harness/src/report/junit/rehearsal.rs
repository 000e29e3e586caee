//! The suites of a rehearsal.

use std::collections::BTreeSet;

use super::cases::{FILE_CHECKS, of_check, of_findings, of_unproven, of_verdict};
use super::{Case, Outcome, Suite, Trouble, write};
use crate::report::model::{Report, StateReport, StepReport};
use crate::vocabulary::{Check, Finding, State, StepOutcome, Unproven};

/// The report as a JUnit document.
pub fn render(report: &Report) -> String {
    let mut suites = vec![whole(report)];
    let planned: BTreeSet<State> = report.steps.iter().filter_map(|step| step.state).collect();
    // A recording may show what nobody planned.
    let seen = report.states.iter().map(|state| state.state);
    let of_findings = report.findings.iter().map(|finding| finding.state);
    let states: BTreeSet<State> = planned.into_iter().chain(seen).chain(of_findings).collect();
    if report.inspected.is_some() || states.contains(&State::Inspected) {
        suites.push(inspected(report));
    }
    let booted = states.iter().filter(|state| **state != State::Inspected);
    suites.extend(booted.map(|state| of_state(report, *state)));
    write("bootproof", &suites)
}

/// What concerns no state: the verdict, the disk, the machine.
fn whole(report: &Report) -> Suite {
    let next = report.diagnosis.causes.first();
    let next = next.map_or_else(String::new, |cause| format!("next: {}", cause.next));
    let mut cases = vec![of_verdict(report.verdict, &report.headline, &next)];
    let steps = report.steps.iter().filter(|step| step.state.is_none());
    cases.extend(steps.map(of_step));
    cases.extend(of_unproven(gaps(report, None)));
    let mut properties = vec![
        ("verdict", report.verdict.to_string()),
        ("candidate", report.candidate.toplevel.to_string()),
        ("expected-system", report.expect_system.to_string()),
        ("tool-version", report.tool_version.clone()),
    ];
    let baseline = report.baseline.as_ref();
    properties.extend(baseline.map(|b| ("baseline", b.toplevel.to_string())));
    let scenario = report.scenario.clone();
    properties.extend(scenario.map(|name| ("scenario", name)));
    let accelerator = report.accelerator.as_ref();
    properties.extend(accelerator.map(|a| ("accelerator", a.accelerator.as_str().to_owned())));
    Suite {
        name: "rehearsal".to_owned(),
        properties,
        cases,
    }
}

fn inspected(report: &Report) -> Suite {
    let findings = findings_in(report, State::Inspected);
    let mut cases = Vec::new();
    if report.inspected.is_some() {
        let made = FILE_CHECKS.iter();
        cases.extend(made.filter_map(|check| of_check(*check, &findings)));
    }
    cases.extend(of_findings(&findings, &|finding| why(report, finding)));
    cases.extend(of_unproven(gaps(report, Some(State::Inspected))));
    Suite {
        name: State::Inspected.to_string(),
        properties: Vec::new(),
        cases,
    }
}

fn of_state(report: &Report, state: State) -> Suite {
    let steps = report
        .steps
        .iter()
        .filter(|step| step.state == Some(state))
        .map(of_step);
    let mut cases: Vec<Case> = steps.collect();
    let findings = findings_in(report, state);
    let seen = report.states.iter().find(|seen| seen.state == state);
    for row in CHECKS {
        let unobserved = match seen {
            None => Some("this state was not seen"),
            Some(seen) if (row.observed)(seen) && !lacks_journal(report, row.check, state) => None,
            Some(_) => Some(row.otherwise),
        };
        match unobserved {
            None => cases.extend(of_check(row.check, &findings)),
            // What was found is said, however little was seen.
            Some(_) if findings.iter().any(|f| f.check == row.check) => {}
            Some(reason) => cases.push(Case::new(
                row.check.as_str(),
                Outcome::Skipped {
                    reason: reason.to_owned(),
                },
            )),
        }
    }
    cases.extend(of_findings(&findings, &|finding| why(report, finding)));
    cases.extend(of_unproven(gaps(report, Some(state))));
    let system = seen.and_then(|seen| seen.system.clone());
    let kernel = seen.and_then(|seen| seen.kernel_machine.clone());
    let properties = [("system", system), ("kernel", kernel)];
    Suite {
        name: state.to_string(),
        properties: properties
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect(),
        cases,
    }
}

/// A check of a state, and whether the state was seen well enough that silence means health.
struct Row {
    check: Check,
    observed: fn(&StateReport) -> bool,
    /// Why there is no answer where it was not.
    otherwise: &'static str,
}

/// The checks of a booted state. A probe of the user's is a case where it failed, since the report does not have those that went well, and so
/// are a lost unit, a clock and a slow reboot, which only a comparison shows.
const CHECKS: &[Row] = &[
    Row {
        check: Check::SystemString,
        observed: |state| state.system.is_some(),
        otherwise: "the current system was not seen",
    },
    Row {
        check: Check::KernelArchitecture,
        observed: |state| state.kernel_machine.is_some(),
        otherwise: "the kernel was not asked",
    },
    Row {
        check: Check::UserlandArchitecture,
        observed: |state| state.userland.is_some(),
        otherwise: "PID 1 was not seen",
    },
    Row {
        check: Check::WrongGeneration,
        observed: |state| state.kernel_machine.is_some(),
        otherwise: "booted and current system were not seen",
    },
    Row {
        check: Check::SystemState,
        observed: |state| state.system_state.is_some(),
        otherwise: "systemd was not asked",
    },
    Row {
        check: Check::UnitFailed,
        observed: |state| state.units_failed.is_some(),
        otherwise: "the units were not seen",
    },
    Row {
        check: Check::UnitInactive,
        observed: |state| state.active.is_some(),
        otherwise: "the units were not seen",
    },
    Row {
        check: Check::RestartLoop,
        observed: |state| state.units_looping.is_some(),
        otherwise: "the units were not seen twice",
    },
    Row {
        check: Check::ExecFailed,
        observed: |state| state.units_failed.is_some(),
        otherwise: "neither units nor journal were seen whole",
    },
    Row {
        check: Check::LogSignature,
        observed: |_| true,
        otherwise: "the journal was not seen",
    },
    Row {
        check: Check::HttpGateway,
        observed: |state| !state.http.is_empty(),
        otherwise: "nothing was asked over HTTP",
    },
    Row {
        check: Check::HttpLate,
        observed: |state| !state.http.is_empty(),
        otherwise: "nothing was asked over HTTP",
    },
    Row {
        check: Check::HttpEmpty,
        observed: |state| !state.http.is_empty(),
        otherwise: "nothing was asked over HTTP",
    },
    Row {
        check: Check::HttpUnanswered,
        observed: |state| !state.http.is_empty(),
        otherwise: "nothing was asked over HTTP",
    },
];

/// Where the journal was not seen, the report says so among its gaps, and a state has no field for it.
fn lacks_journal(report: &Report, check: Check, state: State) -> bool {
    matches!(check, Check::LogSignature | Check::ExecFailed)
        && gaps(report, Some(state)).any(|gap| gap.subject == "journal")
}

fn of_step(step: &StepReport) -> Case {
    let trouble = |kind: &str, message: &str, last_line: Option<&String>| Trouble {
        kind: kind.to_owned(),
        message: message.to_owned(),
        text: last_line.map_or_else(String::new, |line| format!("console: {line}")),
    };
    let outcome = match &step.outcome {
        Some(StepOutcome::Done) => Outcome::passed(),
        Some(StepOutcome::GuestFailed {
            reason, last_line, ..
        }) => Outcome::Failed(trouble("guest-failed", reason, last_line.as_ref())),
        Some(StepOutcome::Skipped) => Outcome::Skipped {
            reason: "a step before it failed".to_owned(),
        },
        Some(StepOutcome::NotOffered { reason }) => Outcome::Skipped {
            reason: reason.clone(),
        },
        Some(StepOutcome::Unobservable { reason }) => {
            Outcome::Error(trouble("unproven", reason, None))
        }
        None => Outcome::Error(trouble(
            "unproven",
            "the recording does not have its end",
            None,
        )),
    };
    Case {
        milliseconds: step.milliseconds,
        ..Case::new(format!("step {}", step.step), outcome)
    }
}

/// The findings of a state: those that appeared in it, and those of earlier ones that it has too.
fn findings_in(report: &Report, state: State) -> Vec<&Finding> {
    let all = report.findings.iter();
    all.filter(|finding| finding.state == state || finding.also_in.contains(&state))
        .collect()
}

fn gaps(report: &Report, state: Option<State>) -> impl Iterator<Item = &Unproven> {
    let all = report.unproven.iter();
    all.filter(move |unproven| unproven.state == state)
}

/// The cause of a finding and what to do next, by the diagnosis.
fn why(report: &Report, finding: &Finding) -> Vec<String> {
    let id = finding.id();
    let cause = report.diagnosis.causes.iter().find(|cause| {
        let consequences = cause.consequences.iter().flat_map(|c| &c.findings);
        cause.findings.iter().chain(consequences).any(|i| *i == id)
    });
    cause.map_or_else(Vec::new, |cause| {
        vec![
            format!("cause: {}", cause.headline),
            format!("next: {}", cause.next),
        ]
    })
}
