//! What the closure's files let expect, held against what its boots showed.

use crate::fold::{ActiveState, Run};
use crate::vocabulary::{Check, Finding, State};

/// The findings of the inspection. What a boot has refuted fails no rehearsal; `of_boots` is what was found in the states.
pub(super) fn findings(run: &Run, of_boots: &[Finding]) -> Vec<Finding> {
    let inspected = run.inspected.iter().flat_map(|i| &i.findings);
    inspected
        .map(|finding| refute(run, of_boots, finding))
        .collect()
}

/// A unit that was to die and is active after the boot of the candidate's own kernel was judged wrongly.
fn refute(run: &Run, of_boots: &[Finding], finding: &Finding) -> Finding {
    let finding = finding.clone();
    if finding.check != Check::Executability {
        return finding;
    }
    let booted = run
        .states
        .keys()
        .copied()
        .filter(State::boots_the_candidate);
    let seen = booted.rev().find(|state| {
        let units = run.states.get(state).and_then(|record| record.units());
        let unit = units.and_then(|units| units.get(&finding.subject));
        unit.is_some_and(|unit| unit.active_state == ActiveState::Active)
            && !has_died(of_boots, *state, &finding.subject)
    });
    match seen {
        Some(state) => {
            let text = format!("ActiveState=active in {state}: the boot refutes it");
            finding.as_warning().with_evidence("systemctl show", text)
        }
        None => finding,
    }
}

/// A service of `Type=simple` is active from its fork on, before the kernel has seen its executable (systemd.service(5)): one that dies of
/// it again and again is caught active now and then.
fn has_died(of_boots: &[Finding], state: State, unit: &str) -> bool {
    let deaths = [Check::ExecFailed, Check::RestartLoop, Check::UnitFailed];
    let mut about = of_boots
        .iter()
        .filter(|f| f.state == state && f.subject == unit);
    about.any(|finding| deaths.contains(&finding.check))
}

#[cfg(test)]
mod tests {
    use crate::testing::{findings, healthy_recording, outage_recording};
    use crate::vocabulary::{Check, Finding, Severity, State};

    fn severity(check: Check, unit: &str) -> Severity {
        let (plan, mut recording) = healthy_recording();
        let finding = Finding::new(check, State::Inspected, unit, "will die with 203/EXEC");
        recording.inspected.findings = vec![finding];
        let [only] = <[Finding; 1]>::try_from(findings(&plan, &recording)).unwrap();
        only.severity
    }

    #[test]
    fn a_unit_that_runs_after_the_reboot_does_not_fail_for_what_its_files_say() {
        let unit = "alpha.service";
        assert_eq!(severity(Check::Executability, unit), Severity::Warning);
    }

    #[test]
    fn what_no_boot_refutes_stands() {
        let unit = "elsewhere.service";
        assert_eq!(severity(Check::Executability, unit), Severity::Error);
        let subject = "alpha.service";
        assert_eq!(severity(Check::Architecture, subject), Severity::Error);
    }

    #[test]
    fn a_unit_that_was_caught_between_two_deaths_refutes_nothing() {
        let (plan, mut recording) = outage_recording();
        let unit = "gamma.service";
        let caught = [("ActiveState", "active"), ("ExecMainStatus", "0")];
        for (property, value) in caught {
            recording
                .guest(State::Rebooted)
                .set_last(unit, property, value);
        }
        let findings = findings(&plan, &recording);
        let mut of_unit = findings.iter().filter(|f| f.subject == unit);
        let foretold = of_unit.find(|f| f.check == Check::Executability).unwrap();
        assert_eq!(foretold.severity, Severity::Error);
    }
}
