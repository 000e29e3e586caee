//! PID 1 must be of the class that is native to the expected platform.
//!
//! A 64-bit kernel with a 32-bit userland is legal, and then this is a warning. What makes it an error in *switched*
//! already is a candidate whose own kernel is of the smaller platform too: its services will lose their kernel at the reboot.

use crate::vocabulary::{Check, ElfClass, Finding, System};

use super::Scene;

pub(super) fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let running = scene.record.identity.as_ref().and_then(|i| i.pid1);
    let expected = &scene.plan.expect_system;
    let (Some(running), Some(native)) = (running, expected.elf_class()) else {
        return Vec::new();
    };
    if running == native {
        return Vec::new();
    }
    let summary = format!("PID 1 is of class {running}, and {native} is native to {expected}");
    let closure = scene.closure();
    let kernel = closure.kernel.as_ref().or(closure.system.as_ref());
    let mut finding = Finding::new(
        Check::UserlandArchitecture,
        scene.state,
        "userland",
        summary,
    )
    .with_evidence("/proc/1/exe", format!("ELF class {running}"));
    if let Some(kernel) = kernel {
        finding = finding.with_evidence("kernel image", kernel.as_str());
    }
    let is_legal_mix = running == ElfClass::I386 && kernel == Some(&System::X86_64Linux);
    if is_legal_mix {
        finding.summary.push_str("; a 64-bit kernel runs it");
        finding = finding.as_warning();
    }
    vec![finding]
}

#[cfg(test)]
mod tests {
    use crate::testing::{self, I386_HEADER};
    use crate::vocabulary::{Severity, State, System};

    fn with_32_bit_userland(kernel: System) -> Vec<(String, Severity)> {
        let (mut plan, mut recording) = testing::healthy_recording();
        plan.candidate.kernel = Some(kernel);
        for state in [State::Switched, State::Rebooted] {
            let identity = &mut recording.guest(state).identity;
            identity.insert("pid1", I386_HEADER.to_owned());
        }
        let findings = testing::findings(&plan, &recording);
        findings.iter().map(|f| (f.id(), f.severity)).collect()
    }

    #[test]
    fn a_32_bit_userland_with_a_32_bit_kernel_is_an_error_before_the_reboot() {
        let id = "switched/userland-architecture/userland".to_owned();
        assert_eq!(
            with_32_bit_userland(System::I686Linux),
            [(id, Severity::Error)]
        );
    }

    #[test]
    fn a_32_bit_userland_with_a_64_bit_kernel_is_legal_and_told() {
        let id = "switched/userland-architecture/userland".to_owned();
        assert_eq!(
            with_32_bit_userland(System::X86_64Linux),
            [(id, Severity::Warning)]
        );
    }

    #[test]
    fn a_userland_of_the_expected_class_is_silent() {
        let (mut plan, mut recording) = testing::healthy_recording();
        plan.expect_system = System::I686Linux;
        for state in [State::Before, State::Switched, State::Rebooted] {
            let identity = &mut recording.guest(state).identity;
            identity.insert("pid1", I386_HEADER.to_owned());
            identity.insert("system", "i686-linux".to_owned());
            identity.insert("machine", "i686".to_owned());
        }
        assert_eq!(testing::finding_ids(&plan, &recording), [""; 0]);
    }
}
