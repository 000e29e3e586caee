//! Bootloaders that read `boot.json` start what it names, the others what the toplevel's links name.

use super::{NEXT, found, warning};
use crate::closure::BootspecFiles;
use crate::inspect::rules::{Outcome, Subject};
use crate::vocabulary::BootLoader;

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let Some(spec) = &subject.survey.boot.bootspec else {
        return;
    };
    if differs(subject, spec, outcome) {
        return;
    }
    let boot = &subject.survey.boot;
    if spec.kernel_params != subject.facts.kernel_params && !boot.kernel_params.is_empty() {
        let summary = "boot.json and `kernel-params` differ".to_owned();
        outcome.findings.push(
            found("boot.json", summary)
                .as_warning()
                .with_evidence("boot.json", spec.kernel_params.join(" "))
                .with_evidence("kernel-params", subject.facts.kernel_params.join(" ")),
        );
    }
    incomplete(subject, spec, outcome);
}

fn differs(subject: &Subject, spec: &BootspecFiles, outcome: &mut Outcome) -> bool {
    let boot = &subject.survey.boot;
    let toplevel = subject.facts.toplevel.as_str();
    let init = format!("{toplevel}/init");
    let toplevel = toplevel.to_owned();
    for (name, told, real) in [
        ("toplevel", &spec.toplevel, Some(&toplevel)),
        ("init", &spec.init, Some(&init)),
        ("kernel", &spec.kernel, boot.kernel.as_ref()),
        ("initrd", &spec.initrd, boot.initrd.as_ref()),
    ] {
        if let (Some(told), Some(real)) = (told, real)
            && told != real
        {
            let summary = format!("boot.json and the toplevel name different files as {name}");
            let finding = found("boot.json", summary.clone())
                .with_evidence("boot.json", told)
                .with_evidence(name, real);
            outcome.cause(summary, NEXT, [finding]);
            return true;
        }
    }
    false
}

/// What RFC 125 demands; systemd-boot's builder reads each of them.
fn incomplete(subject: &Subject, spec: &BootspecFiles, outcome: &mut Outcome) {
    if subject.facts.boot_loader != BootLoader::SystemdBoot {
        return;
    }
    let missing: Vec<&str> = [
        ("init", spec.init.is_none()),
        ("kernel", spec.kernel.is_none()),
        ("label", spec.label.is_none()),
        ("system", spec.system.is_none()),
        ("toplevel", spec.toplevel.is_none()),
    ]
    .into_iter()
    .filter(|(_, missing)| *missing)
    .map(|(name, _)| name)
    .collect();
    if !missing.is_empty() {
        let summary = format!(
            "boot.json has no {}, which the bootloader's installer reads",
            missing.join(", ")
        );
        warning(outcome, "boot.json", summary);
    }
}

#[cfg(test)]
mod tests {
    use crate::closure::testing::FakeClosure;
    use crate::inspect::testing::{ids, inspected, install_by, server};
    use crate::vocabulary::Verdict;

    fn found(fake: &FakeClosure) -> Vec<String> {
        ids(&inspected(fake))
    }

    #[test]
    fn a_boot_json_of_another_system_is_found() {
        let fake = server();
        let other = "/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-other";
        let spec = format!(r#"{{"org.nixos.bootspec.v1": {{"toplevel": "{other}"}}}}"#);
        fake.file("boot.json", spec);
        assert_eq!(found(&fake), ["inspected/boot-path/boot.json"]);
    }

    #[test]
    fn an_init_that_is_a_link_is_the_one_that_boot_json_names() {
        let fake = server();
        let shell = fake.path_of("bash", "bin/bash");
        let stage_2 = fake.program("stage-2", "bin/init", format!("#!{shell}\n"));
        fake.remove("init");
        fake.link("toplevel", "init", &stage_2);
        let init = fake.path_of("toplevel", "init");
        let spec = format!(
            r#"{{"org.nixos.bootspec.v1": {{"init": "{init}", "kernelParams": ["console=ttyS0 loglevel=4"]}}}}"#
        );
        fake.file("boot.json", spec);
        assert_eq!(found(&fake), [""; 0]);
    }

    #[test]
    fn a_boot_json_that_systemd_boot_cannot_use_is_a_warning() {
        let fake = server();
        let installer = fake.store_file("install-systemd-boot.sh", "", "");
        install_by(&fake, &installer);
        let spec =
            r#"{"org.nixos.bootspec.v1": {"kernelParams": ["console=ttyS0", "loglevel=4"]}}"#;
        fake.file("boot.json", spec);
        assert_eq!(found(&fake), ["inspected/boot-path/boot.json"]);
    }

    #[test]
    fn a_boot_json_of_an_unknown_version_is_unproven_and_no_fault() {
        let fake = server();
        fake.file("boot.json", r#"{"org.nixos.bootspec.v9": {}}"#);
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), [""; 0]);
        assert_eq!(inspection.verdict, Verdict::Pass);
        assert_eq!(inspection.unproven[0].subject, "boot.json");
    }
}
