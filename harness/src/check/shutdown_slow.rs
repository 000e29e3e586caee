//! From the word to reboot to the reset no minutes may pass: the machine is down meanwhile, and nobody sees why.
//!
//! What holds it up says systemd on the console, by the unit's description or name.
//! It may be right, as of a database that writes back what it holds, so that this is a warning.

use super::running_job::running_job;
use crate::fold::{BootRecord, Run, StepRecord, Unit, state_after};
use crate::vocabulary::{Check, Finding, Plan, Step};

/// What a healthy system stays far below, on the reference machine.
const BORNE_MS: f64 = 60_000.0;

pub(super) fn check(plan: &Plan, run: &Run) -> Vec<Finding> {
    // The other ways down give nobody time to stop.
    let orderly = [Step::WarmReboot, Step::ColdReboot, Step::Rollback];
    let reboots = run.steps.iter().filter(|s| orderly.contains(&s.step));
    reboots
        .filter_map(|step| finding(plan, run, step))
        .collect()
}

fn finding(plan: &Plan, run: &Run, step: &StepRecord) -> Option<Finding> {
    let took_ms = step.reset_ms?.checked_sub(step.started_ms)?;
    let line = boot_that_ended(run, step).and_then(last_stop_job);
    // A stop job that is named is the closure's, however slow the host is.
    let factor = match (line, &run.accelerator) {
        (None, Some(accelerator)) => accelerator.factor.max(1.0),
        _ => 1.0,
    };
    if took_ms as f64 <= BORNE_MS * factor {
        return None;
    }
    let state = state_after(plan, step.step)?;
    let mut summary = format!("the reboot took {} s to begin", took_ms / 1000);
    if let Some(description) = line.and_then(stopping) {
        let unit = unit_of(run, description);
        let holder = unit.map_or(description, |unit| unit.id.as_str());
        summary.push_str(&format!(": {holder} does not stop"));
    }
    let finding = Finding::new(Check::ShutdownSlow, state, step.step.as_str(), summary);
    let finding = match line {
        Some(line) => finding.with_evidence("console", line),
        None => finding.with_evidence("console", "it names no unit that was waited for"),
    };
    Some(finding.as_warning())
}

/// The boot that the reboot ended.
fn boot_that_ended<'a>(run: &'a Run, step: &StepRecord) -> Option<&'a BootRecord> {
    let earlier = run.boots.iter().filter(|b| Some(b.number) < step.boot);
    earlier.max_by_key(|b| b.number)
}

/// The last line of a boot that names a stop job.
fn last_stop_job(boot: &BootRecord) -> Option<&str> {
    let mut lines = boot.console.iter().rev();
    lines
        .find(|line| stopping(line).is_some())
        .map(String::as_str)
}

/// `Ledger` of `[ *** ] A stop job is running for Ledger (1min 2s / 3min)`.
fn stopping(line: &str) -> Option<&str> {
    let job = running_job(line).filter(|job| job.kind == "stop")?;
    Some(job.what.trim()).filter(|what| !what.is_empty())
}

/// The unit of that description, where only one has it.
fn unit_of<'a>(run: &'a Run, description: &str) -> Option<&'a Unit> {
    run.states.values().rev().find_map(|record| {
        let units = record.units()?.values();
        let mut of_it = units.filter(|u| u.description == description || u.id == description);
        let unit = of_it.next()?;
        of_it.next().is_none().then_some(unit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use crate::vocabulary::{Observation, Recorded, Severity, State};

    /// A rehearsal whose machine is reset so many milliseconds after the word to reboot.
    fn rebooting_after(ms: u64, console: &str) -> (Plan, Run) {
        let (plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Rebooted);
        guest.set_unit("ledger.service", &[("Description", "Ledger of the shop")]);
        let mut seen = recording.observations_of(&plan);
        let is_reboot = |r: &Recorded| {
            r.observation
                == Observation::StepStarted {
                    step: Step::WarmReboot,
                }
        };
        let at = seen.iter().position(is_reboot).unwrap();
        let from = seen[at].at_ms;
        for later in &mut seen[at + 1..] {
            later.at_ms += ms;
        }
        let line = Observation::Console {
            boot: 1,
            line: console.to_owned(),
        };
        let reset = Observation::Qemu {
            boot: 1,
            event: "RESET".to_owned(),
            data: "{}".to_owned(),
        };
        let added = [line, reset].map(|observation| Recorded {
            at_ms: from + ms,
            observation,
        });
        seen.splice(at + 1..at + 1, added);
        (plan, crate::fold::fold(&seen))
    }

    #[test]
    fn a_reboot_that_takes_minutes_is_told_with_the_unit_that_holds_it_up() {
        let line = "[  *** ] A stop job is running for Ledger of the shop (2min 3s / 5min)";
        let (plan, run) = rebooting_after(125_000, line);
        let findings = check(&plan, &run);
        assert_eq!(findings[0].id(), "rebooted/shutdown-slow/warm-reboot");
        assert_eq!(
            findings[0].summary,
            "the reboot took 125 s to begin: ledger.service does not stop"
        );
        assert_eq!(findings[0].severity, Severity::Warning);
        assert_eq!(findings[0].evidence[0].text, line);
    }

    #[test]
    fn a_console_that_is_silent_names_nobody() {
        let (plan, run) = rebooting_after(125_000, "");
        assert_eq!(
            check(&plan, &run)[0].summary,
            "the reboot took 125 s to begin"
        );
    }

    #[test]
    fn a_reboot_of_seconds_is_silent_and_so_is_one_of_a_slow_host() {
        // The recordings' accelerator is one and a half times slower than the reference machine.
        for ms in [0, 20_000, 85_000] {
            let (plan, run) = rebooting_after(ms, "");
            assert_eq!(check(&plan, &run), [], "{ms}");
        }
    }

    #[test]
    fn a_slow_host_does_not_excuse_a_stop_job_that_is_named() {
        for line in [
            "[  *** ] A stop job is running for Ledger of the shop (1min 2s / 5min)",
            "[  *** ] Job ledger.service/stop running (1min 2s / 5min)",
        ] {
            let (plan, run) = rebooting_after(65_000, line);
            let findings = check(&plan, &run);
            assert!(
                findings[0]
                    .summary
                    .ends_with("ledger.service does not stop")
            );
        }
    }
}
