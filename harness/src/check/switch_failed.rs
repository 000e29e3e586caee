//! Setting the profile and `switch-to-configuration switch` must end with 0.

use super::signatures::telling_line;
use super::{Scene, lacks};
use crate::fold::{CommandRecord, Run, refused_by_own_checks};
use crate::vocabulary::{Check, Finding, Plan, State, Step, StepOutcome};

/// How much of the output is quoted.
const LINES_SHOWN: usize = 3;

pub(super) fn check(plan: &Plan, run: &Run) -> Vec<Finding> {
    let failed = run.commands_of(Step::Switch).filter(|c| c.exit_code != 0);
    let excused = |command: &CommandRecord| {
        let finding = of_command(command);
        match excuse(plan, run, command) {
            Some(reason) => lacks::with_reason(finding, reason),
            None => finding,
        }
    };
    let mut findings: Vec<Finding> = failed.map(excused).collect();
    let step = run.step(Step::Switch);
    let outcome = step.and_then(|step| step.outcome.as_ref());
    if let Some(StepOutcome::GuestFailed {
        reason, last_line, ..
    }) = outcome
        && findings.is_empty()
    {
        let summary = match run.commands_of(Step::Switch).next() {
            Some(_) => format!("the machine did not stay up after the switch: {reason}"),
            None => format!("the switch did not end: {reason}"),
        };
        let mut finding = Finding::new(Check::SwitchFailed, State::Switched, SWITCH, summary);
        let boot = step.and_then(|step| run.boot(step.boot?));
        if let Some(line) = boot.and_then(|boot| telling_line(boot.around_switch().1)) {
            finding = finding.with_evidence("console", line);
        }
        if let Some(line) = last_line.as_ref().filter(|l| !l.is_empty()) {
            finding = finding.with_evidence("console, last line", line);
        }
        findings.push(finding);
    }
    findings
}

const SWITCH: &str = "switch-to-configuration";

fn of_command(command: &CommandRecord) -> Finding {
    let code = command.exit_code;
    let (subject, summary) = if command.command.contains(SWITCH) {
        let meaning = meaning(command);
        (
            SWITCH,
            format!("the switch ended with exit code {code}: {meaning}"),
        )
    } else {
        (
            "profile",
            format!("the profile could not be set (exit code {code})"),
        )
    };
    quote_output(
        Finding::new(Check::SwitchFailed, State::Switched, subject, summary),
        command,
    )
}

/// What an exit code of `switch-to-configuration` means, as of nixpkgs' `switch-to-configuration-ng` and its Perl ancestor.
fn meaning(command: &CommandRecord) -> &'static str {
    let refused = || refused_by_own_checks(command.exit_code, &command.output.join("\n"));
    match command.exit_code {
        1 if refused() => {
            "the candidate's own pre-switch checks refuse to switch to it live, which leaves `boot` and a reboot"
        }
        1 => "it gave up before the activation, or the bootloader could not be installed",
        2 => "the activation script failed",
        3 => "systemd could not reload its units",
        UNITS_FAILED => "units could not be stopped, reloaded or started",
        100 => {
            "the init of the candidate is incompatible with the running one, and a reboot is needed"
        }
        _ => "no code that it documents",
    }
}

/// Why nothing of an exit code 4 is held against the closure: all units that the switch names are excused.
fn excuse(plan: &Plan, run: &Run, command: &CommandRecord) -> Option<&'static str> {
    if command.exit_code != UNITS_FAILED {
        return None;
    }
    let state = State::Switched;
    let record = run.states.get(&state)?;
    let scene = Scene {
        plan,
        run,
        state,
        record,
    };
    let mut found = None;
    for unit in command.output.iter().flat_map(|line| failed_units(line)) {
        found = Some(lacks::excuse(&scene, unit)?);
    }
    found
}

/// The units that a line of `switch-to-configuration` says to have failed; the forms are those of its Perl and its Rust version.
fn failed_units(line: &str) -> Vec<&str> {
    let units = match line.split_once("the following units failed: ") {
        Some((_, units)) => units,
        None => {
            let words = line.strip_prefix("Failed to ").and_then(|rest| {
                ["start ", "restart ", "reload ", "stop "]
                    .iter()
                    .find_map(|job| rest.strip_prefix(job))
            });
            let unit = words.and_then(|rest| rest.split_whitespace().next());
            unit.map_or("", |unit| unit.trim_end_matches(':'))
        }
    };
    units
        .split(", ")
        .map(str::trim)
        .filter(|unit| !unit.is_empty())
        .collect()
}

/// The exit code that says that the activation went through and some units did not.
const UNITS_FAILED: i32 = 4;

/// Whether all that failed in the switch are units, which other findings name.
pub(crate) fn only_units_failed(run: &Run) -> bool {
    let mut failed = run
        .commands_of(Step::Switch)
        .filter(|c| c.exit_code != 0)
        .peekable();
    failed.peek().is_some() && failed.all(|c| c.exit_code == UNITS_FAILED)
}

/// Quotes the lines that complain, or the last ones where none does.
pub(super) fn quote_output(finding: Finding, command: &CommandRecord) -> Finding {
    let complains = |line: &&String| {
        let line = line.to_lowercase();
        ["error", "warning", "failed", "cannot"]
            .iter()
            .any(|word| line.contains(word))
    };
    let mut lines: Vec<&String> = command
        .output
        .iter()
        .filter(complains)
        .take(LINES_SHOWN)
        .collect();
    if lines.is_empty() {
        let from = command.output.len().saturating_sub(LINES_SHOWN);
        lines = command.output[from..].iter().collect();
    }
    let program = command
        .command
        .split_whitespace()
        .next()
        .unwrap_or_default();
    let source = program.rsplit('/').next().unwrap_or(program);
    lines
        .into_iter()
        .fold(finding, |f, line| f.with_evidence(source, line))
}

#[cfg(test)]
mod tests {
    use crate::testing;
    use crate::vocabulary::{Severity, Step, StepOutcome};

    #[test]
    fn the_exit_code_is_explained_and_the_complaint_quoted() {
        let (plan, mut recording) = testing::healthy_recording();
        let output = "stopping...\nwarning: the following units failed: alpha.service\ndone\n";
        recording.switch = (4, output.to_owned());
        let findings = testing::findings(&plan, &recording);
        assert_eq!(
            findings[0].id(),
            "switched/switch-failed/switch-to-configuration"
        );
        assert!(findings[0].summary.contains("units could not be"));
        assert_eq!(
            findings[0].evidence[0].text,
            "warning: the following units failed: alpha.service"
        );
        assert_eq!(findings[0].evidence[0].source, "switch-to-configuration");
    }

    #[test]
    fn units_that_fail_for_want_of_the_internet_are_not_held_against_the_switch() {
        let severity = |named: &str| {
            let (plan, mut recording) = testing::healthy_recording();
            recording.switch = (
                4,
                format!("Failed to start {named}\nwarning: the following units failed: {named}\n"),
            );
            testing::findings(&plan, &recording)[0].severity
        };
        assert_eq!(severity("acme-www.example.org.service"), Severity::Warning);
        assert_eq!(
            severity("acme-www.example.org.service, alpha.service"),
            Severity::Error
        );
        assert_eq!(severity(""), Severity::Error);
    }

    #[test]
    fn a_switch_that_the_candidate_refuses_is_told_so() {
        let (plan, mut recording) = testing::healthy_recording();
        let output = "Pre-switch check 'switchInhibitors' failed\nPre-switch checks failed\n";
        recording.switch = (1, output.to_owned());
        let findings = testing::findings(&plan, &recording);
        assert!(findings[0].summary.contains("refuse to switch"));
        assert_eq!(findings[0].severity, Severity::Error);
    }

    #[test]
    fn a_switch_that_hangs_is_found() {
        let (plan, mut recording) = testing::healthy_recording();
        recording.fail_step(
            Step::Switch,
            StepOutcome::GuestFailed {
                stage: None,
                reason: "no end within 300 s".to_owned(),
                last_line: None,
            },
        );
        recording
            .guests
            .retain(|state, _| *state == crate::vocabulary::State::Before);
        assert_eq!(
            testing::finding_ids(&plan, &recording),
            ["switched/switch-failed/switch-to-configuration"]
        );
    }

    #[test]
    fn a_switch_that_warns_and_succeeds_is_silent() {
        let (plan, mut recording) = testing::healthy_recording();
        recording.switch = (0, "warning: not setting a password\n".to_owned());
        assert_eq!(testing::finding_ids(&plan, &recording), [""; 0]);
    }
}
