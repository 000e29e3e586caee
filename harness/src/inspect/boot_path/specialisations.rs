//! Each specialisation can be booted, and `boot.json` and the toplevel have the same ones.

use super::{error, warning};
use crate::closure::Specialisation;
use crate::inspect::rules::{Outcome, Subject};
use crate::vocabulary::BootLoader;

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    for specialisation in &subject.survey.boot.specialisations {
        if specialisation.missing.is_empty() {
            disagreement(specialisation, outcome);
        } else {
            missing(subject, specialisation, outcome);
        }
    }
}

/// GRUB's installer leaves such an entry out, systemd-boot's ends with an error.
fn missing(subject: &Subject, specialisation: &Specialisation, outcome: &mut Outcome) {
    let name = subject_of(specialisation);
    let what = specialisation.missing.join(", ");
    let told = specialisation.in_bootspec == Some(true);
    let copied = specialisation.missing.iter().any(|file| *file != "init");
    if told && copied && subject.facts.boot_loader == BootLoader::SystemdBoot {
        let summary = format!(
            "its {what} leads to no file of the closure: the bootloader's installer ends with an error"
        );
        error(outcome, &name, summary, super::NEXT);
    } else {
        let summary = format!("its {what} leads to no file of the closure: it cannot be booted");
        warning(outcome, &name, summary);
    }
}

fn disagreement(specialisation: &Specialisation, outcome: &mut Outcome) {
    let summary = match (specialisation.in_bootspec, specialisation.in_toplevel) {
        (Some(true), false) => "boot.json has it, and the toplevel has not: GRUB gives it no entry",
        (Some(false), true) => {
            "the toplevel has it, and boot.json has not: systemd-boot gives it no entry"
        }
        _ => return,
    };
    warning(outcome, &subject_of(specialisation), summary.to_owned());
}

fn subject_of(specialisation: &Specialisation) -> String {
    format!("specialisation/{}", specialisation.name)
}

#[cfg(test)]
mod tests {
    use crate::closure::testing::FakeClosure;
    use crate::inspect::testing::{ids, inspected, server};
    use crate::vocabulary::Verdict;

    const FOUND: [&str; 1] = ["inspected/boot-path/specialisation/gaming"];

    /// A server whose `boot.json` has one specialisation, without the files that are named.
    fn with_specialisation(missing: &[&str]) -> FakeClosure {
        let fake = server();
        for name in ["init", "kernel", "initrd"] {
            if !missing.contains(&name) {
                fake.store_file("gaming", name, "");
            }
        }
        let other = fake.store_path("gaming");
        fake.link("toplevel", "specialisation/gaming", other.as_str());
        let spec = format!(
            r#"{{"org.nixos.bootspec.v1": {{"kernelParams": ["console=ttyS0", "loglevel=4"]}},
                "org.nixos.specialisation.v1": {{"gaming": {{"org.nixos.bootspec.v1":
                {{"toplevel": "{other}", "init": "{other}/init", "kernel": "{other}/kernel", "initrd": "{other}/initrd"}}}}}}}}"#
        );
        fake.file("boot.json", spec);
        fake
    }

    #[test]
    fn a_specialisation_that_can_be_booted_is_silent() {
        assert_eq!(ids(&inspected(&with_specialisation(&[]))), [""; 0]);
    }

    #[test]
    fn a_specialisation_that_cannot_be_booted_is_found() {
        let fake = with_specialisation(&["kernel"]);
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), FOUND);
        assert_eq!(inspection.verdict, Verdict::Pass);
    }

    #[test]
    fn a_specialisation_that_only_one_of_both_has_is_a_warning() {
        let fake = with_specialisation(&[]);
        fake.remove("specialisation/gaming");
        assert_eq!(ids(&inspected(&fake)), FOUND);
        let spec = r#"{"org.nixos.bootspec.v1": {"kernelParams": ["console=ttyS0", "loglevel=4"]},
            "org.nixos.specialisation.v1": {}}"#;
        let fake = with_specialisation(&[]);
        fake.file("boot.json", spec);
        assert_eq!(ids(&inspected(&fake)), FOUND);
    }
}
