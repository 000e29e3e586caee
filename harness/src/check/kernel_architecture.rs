//! The running kernel must be one of the expected platform.
//!
//! In *switched* the baseline's kernel still runs, which says nothing about the candidate.

use crate::vocabulary::{Check, Finding, State, System};

use super::Scene;

pub(super) fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let machine = scene
        .record
        .identity
        .as_ref()
        .and_then(|i| i.machine.as_ref());
    // A switch, and a new userspace after it, leave the kernel of the baseline running.
    let is_the_baselines = match scene.state {
        State::Switched => true,
        State::SoftRebooted => *scene.plan.booted_in(scene.state) != scene.plan.candidate.toplevel,
        _ => false,
    };
    let (Some(machine), false) = (machine, is_the_baselines) else {
        return Vec::new();
    };
    let kernel = System::of_uname_machine(machine);
    let expected = &scene.plan.expect_system;
    if kernel == *expected {
        return Vec::new();
    }
    let summary = format!("the running kernel is {kernel}, and {expected} is expected");
    let mut finding = Finding::new(Check::KernelArchitecture, scene.state, "kernel", summary)
        .with_evidence("uname -m", machine.as_str());
    if let Some(image) = &scene.closure().kernel {
        finding = finding.with_evidence("kernel image", image.as_str());
    }
    vec![finding]
}

#[cfg(test)]
mod tests {
    use crate::testing;
    use crate::vocabulary::State;

    #[test]
    fn a_32_bit_kernel_where_64_bit_is_expected_is_found_after_the_reboot() {
        let (plan, mut recording) = testing::healthy_recording();
        let identity = &mut recording.guest(State::Rebooted).identity;
        identity.insert("machine", "i686".to_owned());
        assert_eq!(
            testing::finding_ids(&plan, &recording),
            ["rebooted/kernel-architecture/kernel"]
        );
    }

    #[test]
    fn the_kernel_of_the_baseline_is_not_held_against_the_candidate() {
        let (plan, mut recording) = testing::healthy_recording();
        let identity = &mut recording.guest(State::Switched).identity;
        identity.insert("machine", "i686".to_owned());
        assert_eq!(testing::finding_ids(&plan, &recording), [""; 0]);
    }
}
