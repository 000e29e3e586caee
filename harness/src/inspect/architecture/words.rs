//! What the toplevel's files say of its platform is what the kernel image is.

use super::{error, found};
use crate::inspect::rules::{Outcome, Subject};

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let Some(kernel) = &subject.facts.kernel else {
        return;
    };
    if let Some(system) = subject.facts.system.as_ref().filter(|s| *s != kernel) {
        let summary = format!("`system` says {system}, and the kernel image is {kernel}");
        let finding = found("system", summary).with_evidence("system", system.as_str());
        error(outcome, finding);
    }
    let bootspec = subject.survey.boot.bootspec.as_ref();
    let told = bootspec.and_then(|spec| spec.system.as_ref());
    if let Some(told) = told.filter(|told| *told != kernel.as_str()) {
        let summary = format!("boot.json says {told}, and the kernel image is {kernel}");
        let finding = found("boot.json", summary).with_evidence("boot.json", told);
        error(outcome, finding);
    }
}

#[cfg(test)]
mod tests {
    use crate::inspect::testing::{ids, inspected, server};

    #[test]
    fn what_agrees_is_silent() {
        let fake = server();
        let spec = r#"{"org.nixos.bootspec.v1": {"system": "x86_64-linux"}}"#;
        fake.file("boot.json", spec);
        assert!(
            !ids(&inspected(&fake))
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
}
