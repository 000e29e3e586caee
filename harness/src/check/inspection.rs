//! What the closure's files let expect, held against what its boots showed.

use crate::fold::{ActiveState, Run};
use crate::vocabulary::{Check, Finding, State};

/// The findings of the inspection. What a boot has refuted fails no rehearsal.
pub(super) fn findings(run: &Run) -> Vec<Finding> {
    let inspected = run.inspected.iter().flat_map(|i| &i.findings);
    inspected.map(|finding| refute(run, finding)).collect()
}

/// A unit that was to die and is active after the boot of the candidate's own kernel was judged wrongly.
fn refute(run: &Run, finding: &Finding) -> Finding {
    let finding = finding.clone();
    if finding.check != Check::Executability {
        return finding;
    }
    let seen = [State::Rebooted, State::Booted].into_iter().find(|state| {
        let units = run.states.get(state).and_then(|record| record.units());
        let unit = units.and_then(|units| units.get(&finding.subject));
        unit.is_some_and(|unit| unit.active_state == ActiveState::Active)
    });
    match seen {
        Some(state) => {
            let text = format!("ActiveState=active in {state}: the boot refutes it");
            finding.as_warning().with_evidence("systemctl show", text)
        }
        None => finding,
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{findings, healthy_recording};
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
}
