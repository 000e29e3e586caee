//! `/run/wrappers/bin`: programs that a boot makes of others.

use super::group::{self, Words};
use crate::closure::Kind;
use crate::inspect::rules::{Outcome, Subject};

const WORDS: Words = Words {
    subject: "security-wrappers",
    one: "a security wrapper",
    many: "security wrappers",
    consequence: "what needs its rights goes without",
};

/// A warning: a unit that starts one of them is told by itself.
pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let broken = group::broken(subject, &[Kind::Wrapper]);
    outcome
        .findings
        .extend(group::finding(subject, &WORDS, &broken).map(|f| f.as_warning()));
}

#[cfg(test)]
mod tests {
    use crate::closure::testing::{FakeClosure, elf};
    use crate::inspect::testing::{ids, inspected, server, unit};
    use crate::vocabulary::{ElfClass, Verdict};

    fn with_wrapped(class: ElfClass) -> FakeClosure {
        let fake = server();
        let wrapper = fake.program("w", "bin/security-wrapper", elf(ElfClass::X86_64));
        let sudo = fake.program("sudo", "bin/sudo", elf(class));
        let bash = fake.path_of("bash", "bin/bash");
        let text = format!(
            "#!{bash}\ncp {wrapper} \"$wrapperDir/sudo\"\necho -n \"{sudo}\" > \"$wrapperDir/sudo.real\"\n"
        );
        fake.program("toplevel", "activate", text);
        fake
    }

    #[test]
    fn a_wrapped_program_that_cannot_run_is_found_and_fails_the_unit_that_needs_it() {
        let fake = with_wrapped(ElfClass::Other);
        let inspection = inspected(&fake);
        assert_eq!(
            ids(&inspection),
            ["inspected/executability/security-wrappers"]
        );
        assert_eq!(inspection.verdict, Verdict::Pass);
        unit(
            &fake,
            "u.service",
            "[Service]\nExecStart=/run/wrappers/bin/sudo -u x\n",
        );
        let inspection = inspected(&fake);
        assert_eq!(inspection.verdict, Verdict::Fail);
        assert!(
            inspection.headline.contains("u.service"),
            "{}",
            inspection.headline
        );
    }

    #[test]
    fn wrapped_programs_that_run_are_silent() {
        assert_eq!(ids(&inspected(&with_wrapped(ElfClass::X86_64))), [""; 0]);
    }
}
