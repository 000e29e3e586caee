//! What of a report is shown to people, who need the cause and not the list; shared by the printed forms.

use std::collections::BTreeMap;

use crate::diagnose::Cause;
use crate::vocabulary::{Check, Finding, ProbeRoute, State, StepOutcome, Unproven};

use super::model::{Report, StateReport, StepReport};
use super::suppressions::sentence;
use super::text::seconds;

/// How many findings of one check are shown under a cause; `report.json` has all.
const SHOWN_PER_CHECK: usize = 3;

/// A finding to show, or that some are not shown.
pub(super) enum Shown<'a> {
    Finding(&'a Finding),
    More {
        check: Check,
        count: usize,
    },
    /// The ids of what the files said before a boot showed it.
    Foretold(Vec<String>),
}

pub(super) fn finding<'a>(report: &'a Report, id: &str) -> Option<&'a Finding> {
    report.findings.iter().find(|f| f.id() == id)
}

/// The findings of a cause, cut where a check has many.
pub(super) fn shown<'a>(report: &'a Report, cause: &Cause) -> Vec<Shown<'a>> {
    let mut counts: BTreeMap<Check, usize> = BTreeMap::new();
    let mut shown = Vec::new();
    let findings = cause.findings.iter().filter_map(|id| finding(report, id));
    let (foretold, seen): (Vec<&Finding>, Vec<&Finding>) =
        findings.partition(|f| f.state == State::Inspected && cause.state != State::Inspected);
    for finding in seen {
        let count = counts.entry(finding.check).or_default();
        *count += 1;
        if *count <= SHOWN_PER_CHECK {
            shown.push(Shown::Finding(finding));
        }
    }
    for (check, count) in counts {
        let count = count.saturating_sub(SHOWN_PER_CHECK);
        if count > 0 {
            shown.push(Shown::More { check, count });
        }
    }
    if !foretold.is_empty() {
        shown.push(Shown::Foretold(foretold.iter().map(|f| f.id()).collect()));
    }
    shown
}

/// `error, in rebooted, latent until reboot`.
pub(super) fn circumstances(cause: &Cause) -> String {
    let severity = match cause.severity {
        crate::vocabulary::Severity::Error => "error",
        crate::vocabulary::Severity::Warning if cause.suppressed => "suppressed",
        crate::vocabulary::Severity::Warning => "warning",
    };
    let latent = if cause.latent {
        ", latent until reboot"
    } else {
        ""
    };
    format!("{severity}, {}{latent}", place(cause.state))
}

/// `in rebooted`; what was inspected is no state of a machine.
pub(super) fn place(state: State) -> String {
    match state {
        State::Inspected => "by its files".to_owned(),
        state => format!("in {state}"),
    }
}

/// The states that the steps lead to, each once, however often a rehearsal comes to it.
pub(super) fn planned_states(report: &Report) -> Vec<State> {
    let mut states = Vec::new();
    for state in report.steps.iter().filter_map(|step| step.state) {
        if !states.contains(&state) {
            states.push(state);
        }
    }
    states
}

/// The states side by side: a head, then rows of as many cells; a state that was planned and not seen has `not seen`.
pub(super) fn table(report: &Report) -> Vec<Vec<String>> {
    let planned = planned_states(report);
    let seen = |state: &State| report.states.iter().find(|s| s.state == *state);
    let row = |name: &str, cell: &dyn Fn(&StateReport) -> String| {
        let cells = planned
            .iter()
            .map(|state| seen(state).map_or_else(|| "not seen".to_owned(), cell));
        std::iter::once(name.to_owned())
            .chain(cells)
            .collect::<Vec<String>>()
    };
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "unknown".to_owned());
    let count =
        |value: Option<usize>| value.map_or_else(|| "unknown".to_owned(), |n| n.to_string());
    vec![
        std::iter::once("state".to_owned())
            .chain(planned.iter().map(State::to_string))
            .collect(),
        row("kernel", &|s| text(&s.kernel_machine)),
        row("userland", &|s| {
            text(&s.userland.map(|class| class.to_string()))
        }),
        row("system", &|s| text(&s.system)),
        row("systemd says", &|s| text(&s.system_state)),
        row("failed units", &|s| count(s.units_failed)),
        row("restart loops", &|s| count(s.units_looping)),
        row("http", &http),
    ]
}

pub(super) fn http(state: &StateReport) -> String {
    let answers: Vec<String> = state
        .http
        .iter()
        .map(|(answer, count)| format!("{count} × {answer}"))
        .collect();
    match (answers.is_empty(), state.http_routes.as_slice()) {
        (true, _) => "none asked".to_owned(),
        (false, [ProbeRoute::Inside]) => format!("{} (inside)", answers.join(", ")),
        (false, _) => answers.join(", "),
    }
}

/// What came of the steps, in order; of several in a row that came out alike all together.
pub(super) fn steps(report: &Report) -> Vec<String> {
    let is_alike = |a: &StepReport, b: &StepReport| a.step == b.step && a.outcome == b.outcome;
    let alike = report.steps.chunk_by(is_alike);
    alike.flat_map(all_alike).collect()
}

/// `warm-reboot done 20 times, in 52.1 s to 88.4 s`; of two, each is told.
fn all_alike(steps: &[StepReport]) -> Vec<String> {
    let [first, _, _, ..] = steps else {
        return steps.iter().map(step).collect();
    };
    let times = steps.iter().filter_map(|step| step.milliseconds);
    let told = match (&first.outcome, times.clone().min(), times.max()) {
        (Some(StepOutcome::Done), Some(least), Some(most)) => {
            format!(
                "{} done {} times, in {} to {}",
                first.step,
                steps.len(),
                seconds(least),
                seconds(most)
            )
        }
        _ => format!("{} times {}", steps.len(), step(first)),
    };
    vec![told]
}

/// `boot done in 20.1 s`.
fn step(step: &StepReport) -> String {
    let how = match &step.outcome {
        Some(StepOutcome::Done) => "done".to_owned(),
        Some(StepOutcome::GuestFailed { reason, .. }) => format!("FAILED ({reason})"),
        Some(StepOutcome::Skipped) => "skipped".to_owned(),
        Some(StepOutcome::Unobservable { reason }) => format!("not observed ({reason})"),
        Some(StepOutcome::NotOffered { reason }) => format!("skipped ({reason})"),
        None => "not seen to its end".to_owned(),
    };
    match (&step.outcome, step.milliseconds) {
        (Some(StepOutcome::Done), Some(ms)) => format!("{} {how} in {}", step.step, seconds(ms)),
        _ => format!("{} {how}", step.step),
    }
}

/// `x86_64-linux, 2 cores, 1024 MiB, BIOS, disk on virtio`.
pub(super) fn machine(report: &Report) -> String {
    let machine = &report.target.machine;
    let firmware = report.target.firmware.as_str();
    let cpu = machine
        .cpu
        .as_ref()
        .map_or_else(String::new, |cpu| format!(" ({cpu})"));
    format!(
        "{}{cpu}, {} cores, {} MiB, {firmware}, disk on {}",
        machine.system,
        machine.cores,
        machine.memory_mib,
        report.target.disk_bus.as_str(),
    )
}

/// How the guest was run and reached.
pub(super) fn means(report: &Report) -> String {
    if report.steps.is_empty() {
        return "no VM: the files alone were inspected".to_owned();
    }
    let accelerator = match &report.accelerator {
        Some(used) => format!(
            "{}{} under {} ({})",
            used.qemu,
            report
                .firmware
                .as_ref()
                .map(|name| format!(" with {name}"))
                .unwrap_or_default(),
            used.accelerator.as_str(),
            used.reason
        ),
        None => "no VM was started".to_owned(),
    };
    match &report.rung {
        Some(rung) => format!("{accelerator}; root shell by a unit in mutable state, over {rung}"),
        None => format!("{accelerator}; no root shell was reached"),
    }
}

/// `41 units, and 60 commands of theirs followed to their programs`; empty where nothing was inspected.
pub(super) fn inspected(report: &Report) -> String {
    report.inspected.as_ref().map_or_else(String::new, |read| {
        format!(
            "{} units, and {} commands of theirs followed to their programs",
            read.units, read.commands
        )
    })
}

/// Units that were not stable and of which no finding tells, a line each: `unproven in rebooted: alpha.service (restarted 2 times, …)`.
pub(super) fn unstable(report: &Report) -> Vec<String> {
    let states = report.states.iter();
    states
        .flat_map(|state| unstable_in(report, state))
        .collect()
}

/// Those of one state.
pub(super) fn unstable_in(report: &Report, state: &StateReport) -> Vec<String> {
    let is_told = |unit: &str| report.findings.iter().any(|f| f.subject == unit);
    let units = state.unstable.iter().filter(|unit| !is_told(&unit.unit));
    let lines = units.map(|unit| {
        let (stability, why) = (unit.stability, &unit.why);
        format!("{stability} in {}: {} ({why})", state.state, unit.unit)
    });
    lines.collect()
}

/// What came of each suppression, a line each.
pub(super) fn suppressions(report: &Report) -> Vec<String> {
    report.suppressions.iter().map(sentence).collect()
}

/// What could not be observed, told once for all states that lack it for the same reason.
pub(super) struct Gap<'a> {
    /// `http-outside in before, switched`, or the subject alone.
    pub(super) place: String,
    pub(super) reason: &'a str,
    pub(super) decisive: bool,
}

/// The report's gaps, those that the verdict depends on first.
pub(super) fn gaps(report: &Report) -> Vec<Gap<'_>> {
    let mut groups: Vec<(&Unproven, Vec<&str>)> = Vec::new();
    for unproven in &report.unproven {
        let state = unproven.state.map(State::as_str);
        let same = |group: &&mut (&Unproven, Vec<&str>)| {
            group.0.subject == unproven.subject
                && group.0.reason == unproven.reason
                && group.0.decisive == unproven.decisive
        };
        match groups.iter_mut().find(same) {
            Some((_, states)) => states.extend(state),
            None => groups.push((unproven, state.into_iter().collect())),
        }
    }
    groups.sort_by_key(|(unproven, _)| !unproven.decisive);
    groups
        .into_iter()
        .map(|(unproven, states)| Gap {
            place: if states.is_empty() {
                unproven.subject.clone()
            } else {
                format!("{} in {}", unproven.subject, states.join(", "))
            },
            reason: &unproven.reason,
            decisive: unproven.decisive,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use crate::vocabulary::Step;

    #[test]
    fn reboots_in_a_row_that_came_out_alike_are_told_together() {
        let (mut plan, mut recording) = testing::healthy_recording();
        let told = |recording: &testing::Recording, plan: &crate::vocabulary::Plan| {
            let report = crate::report::report(plan, &recording.observations_of(plan));
            steps(&report)
        };
        assert_eq!(told(&recording, &plan).len(), 3);
        plan.steps = vec![Step::Boot, Step::Switch];
        plan.steps.extend([Step::WarmReboot; 4]);
        recording.steps = plan
            .steps
            .iter()
            .map(|step| (*step, StepOutcome::Done))
            .collect();
        recording.steps[5].1 = StepOutcome::Skipped;
        let all = told(&recording, &plan);
        assert!(
            all[2].starts_with("warm-reboot done 3 times, in "),
            "{all:?}"
        );
        assert_eq!(all[3], "warm-reboot skipped");
    }
}
