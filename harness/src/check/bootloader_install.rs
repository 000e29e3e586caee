//! The closure's own bootloader installer must succeed on the fresh disk.

use crate::fold::{Run, state_after};
use crate::vocabulary::{Check, Finding, Plan, Step};

use super::switch_failed::quote_output;

pub(super) fn check(plan: &Plan, run: &Run) -> Vec<Finding> {
    // It is installed for the first boot, by the closure that boots first.
    let Some(state) = state_after(plan, Step::Boot) else {
        return Vec::new();
    };
    // A guest that does not come up to install it is another check's.
    let failed = run
        .commands_of(Step::Provision)
        .find(|command| command.exit_code != 0);
    failed
        .map(|command| {
            let code = command.exit_code;
            let summary = format!("the bootloader could not be installed (exit code {code})");
            let finding = Finding::new(Check::BootloaderInstall, state, "bootloader", summary);
            quote_output(finding, command)
        })
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::{self, Recording};
    use crate::vocabulary::{Plan, Step, StepOutcome};

    fn provisioned(exit_code: i32) -> (Plan, Recording) {
        let plan = testing::without_baseline();
        let mut recording = Recording::healthy(&plan);
        recording
            .steps
            .insert(0, (Step::Provision, StepOutcome::Done));
        recording.switch = (exit_code, "error: cannot find the device\n".to_owned());
        (plan, recording)
    }

    #[test]
    fn an_installer_that_fails_is_found() {
        let (plan, recording) = provisioned(1);
        let findings = testing::findings(&plan, &recording);
        assert_eq!(findings[0].id(), "booted/bootloader-install/bootloader");
        assert_eq!(
            findings[0].evidence[0].text,
            "error: cannot find the device"
        );
    }

    #[test]
    fn an_installer_that_succeeds_is_silent() {
        let (plan, recording) = provisioned(0);
        assert_eq!(testing::finding_ids(&plan, &recording), [""; 0]);
    }
}
