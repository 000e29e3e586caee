//! Kernel, `system`, `boot.json`, userland, expectation and machine against each other.

use super::kernel::{runs, with_article};
use super::rules::{Outcome, Subject};
use crate::vocabulary::{Check, ElfClass, Finding, State, System};

const NEXT: &str = "look at what the deploy tool builds for (`nixpkgs.hostPlatform`, `nixpkgs.system`), and build the platform that you mean";

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    for found in [
        against_expectation(subject),
        against_machine(subject),
        system_file(subject),
        boot_json(subject),
        userland(subject),
    ]
    .into_iter()
    .flatten()
    {
        outcome.cause(found.summary.clone(), NEXT, [found]);
    }
    note_mix(subject, outcome);
    if subject.facts.kernel.is_some() && subject.facts.userland.is_none() {
        outcome.unproven("userland", "the class of systemd could not be read", true);
    }
}

fn found(subject: &str, summary: String) -> Finding {
    Finding::new(Check::Architecture, State::Inspected, subject, summary)
}

fn against_expectation(subject: &Subject) -> Option<Finding> {
    let expected = subject.expected.as_ref()?;
    // Without a readable kernel its own word is the second best.
    let (what, system) = match (&subject.facts.kernel, &subject.facts.system) {
        (Some(kernel), _) => ("kernel", kernel),
        (None, Some(system)) => ("system", system),
        (None, None) => return None,
    };
    if *system == expected.system {
        return None;
    }
    let summary = format!(
        "the {what} is {system}, and {} is expected by {}",
        expected.system, expected.by
    );
    Some(found(what, summary).with_evidence(what, system.as_str()))
}

/// A 64-bit x86 CPU runs both kernels, a 32-bit one only its own.
fn against_machine(subject: &Subject) -> Option<Finding> {
    let kernel = subject.facts.kernel.as_ref()?;
    let machine = &subject.options.target.system;
    let boots = match (machine, kernel) {
        (System::X86_64Linux, System::X86_64Linux | System::I686Linux) => true,
        (machine, kernel) => machine == kernel,
    };
    if boots {
        return None;
    }
    let summary = format!(
        "the target machine is {}, which cannot boot {} kernel",
        with_article(machine.as_str()),
        with_article(kernel.as_str())
    );
    Some(found("machine", summary))
}

fn system_file(subject: &Subject) -> Option<Finding> {
    let (kernel, system) = (
        subject.facts.kernel.as_ref()?,
        subject.facts.system.as_ref()?,
    );
    if kernel == system {
        return None;
    }
    let summary = format!("`system` says {system}, and the kernel image is {kernel}");
    Some(found("system", summary).with_evidence("system", system.as_str()))
}

fn boot_json(subject: &Subject) -> Option<Finding> {
    let told = subject.survey.boot.bootspec.as_ref()?.system.as_ref()?;
    let kernel = subject.facts.kernel.as_ref()?;
    if told == kernel.as_str() {
        return None;
    }
    let summary = format!("boot.json says {told}, and the kernel image is {kernel}");
    Some(found("boot.json", summary).with_evidence("boot.json", told))
}

/// The userland must run at all; that it is of another class than the kernel is legal where it does.
fn userland(subject: &Subject) -> Option<Finding> {
    let userland = subject.facts.userland?;
    let kernel = subject.facts.kernel.as_ref()?;
    if runs(subject, userland) {
        return None;
    }
    let summary = format!(
        "systemd is {} executable, which {} kernel does not run: the boot ends after stage 2",
        with_article(userland.as_str()),
        with_article(kernel.as_str())
    );
    Some(found("userland", summary).with_evidence("systemd/lib/systemd/systemd", userland.as_str()))
}

fn note_mix(subject: &Subject, outcome: &mut Outcome) {
    let facts = subject.facts;
    if facts.kernel == Some(System::X86_64Linux)
        && facts.userland == Some(ElfClass::I386)
        && runs(subject, ElfClass::I386)
    {
        outcome
            .notes
            .push("a 64-bit kernel with a 32-bit userland, which is legal".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use crate::closure::testing::{bzimage, elf};
    use crate::inspect::testing::{ids, inspected, inspected_with, server};
    use crate::inspect::{Expected, Options};
    use crate::vocabulary::{ElfClass, System, TargetMachine, Verdict};

    fn expecting(system: System) -> Options {
        Options {
            expected: Some(Expected::by_user(system)),
            ..Options::default()
        }
    }

    #[test]
    fn a_kernel_that_is_not_expected_is_found() {
        let fake = server();
        let inspection = inspected_with(&fake, &expecting(System::I686Linux));
        assert_eq!(ids(&inspection), ["inspected/architecture/kernel"]);
        assert!(
            inspection.headline.starts_with(
                "fail: the kernel is x86_64-linux, and i686-linux is expected by --expect-system"
            ),
            "{}",
            inspection.headline
        );
    }

    #[test]
    fn what_agrees_is_silent() {
        let fake = server();
        let spec = r#"{"org.nixos.bootspec.v1": {"system": "x86_64-linux"}}"#;
        fake.file("boot.json", spec);
        let inspection = inspected_with(&fake, &expecting(System::X86_64Linux));
        assert!(
            !ids(&inspection)
                .iter()
                .any(|id| id.contains("architecture"))
        );
    }

    #[test]
    fn files_that_disagree_with_the_kernel_are_found() {
        let fake = server();
        fake.file("system", "i686-linux");
        let spec = r#"{"org.nixos.bootspec.v1": {"system": "i686-linux"}}"#;
        fake.file("boot.json", spec);
        let ids = ids(&inspected(&fake));
        assert!(ids.contains(&"inspected/architecture/system".to_owned()));
        assert!(ids.contains(&"inspected/architecture/boot.json".to_owned()));
    }

    #[test]
    fn a_32_bit_userland_under_a_64_bit_kernel_is_a_note() {
        let fake = server();
        fake.file("systemd/lib/systemd/systemd", elf(ElfClass::I386));
        let inspection = inspected(&fake);
        assert_eq!(inspection.verdict, Verdict::Pass);
        assert!(inspection.notes.iter().any(|note| note.contains("legal")));
    }

    #[test]
    fn a_64_bit_userland_under_a_32_bit_kernel_is_found() {
        let fake = server();
        fake.file("kernel", bzimage(false));
        fake.file("system", "i686-linux");
        let ids = ids(&inspected(&fake));
        assert!(
            ids.contains(&"inspected/architecture/userland".to_owned()),
            "{ids:?}"
        );
    }

    #[test]
    fn a_32_bit_machine_does_not_boot_a_64_bit_kernel() {
        let options = Options {
            target: TargetMachine {
                system: System::I686Linux,
                ..TargetMachine::default()
            },
            ..Options::default()
        };
        let inspection = inspected_with(&server(), &options);
        assert_eq!(ids(&inspection), ["inspected/architecture/machine"]);
    }

    #[test]
    fn a_kernel_that_cannot_be_read_proves_nothing() {
        let fake = server();
        fake.file("kernel", "no kernel");
        assert_eq!(inspected(&fake).verdict, Verdict::Unproven);
    }
}
