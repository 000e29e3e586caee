//! Programs that udev's rules start.

use super::group::{self, Words};
use crate::closure::{Fault, Kind};
use crate::inspect::rules::{Outcome, Subject};
use crate::inspect::trouble::Reason;

const WORDS: Words = Words {
    subject: "udev-rules",
    one: "a program of udev's rules",
    many: "programs of udev's rules",
    consequence: "devices are set up without it",
};

/// A warning: no rule is certain to apply to the machine's devices. Rules of other distributions name programs of `/usr`, which are
/// passed over.
pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let mut broken = group::broken(subject, &[Kind::Udev]);
    broken.retain(|(_, trouble)| {
        let in_store = trouble.hop.path.starts_with("/nix/store/");
        in_store || !matches!(trouble.reason, Reason::Fault(Fault::Missing))
    });
    outcome
        .findings
        .extend(group::finding(subject, &WORDS, &broken).map(|f| f.as_warning()));
}

#[cfg(test)]
mod tests {
    use crate::closure::testing::elf;
    use crate::inspect::testing::{ids, inspected, server};
    use crate::vocabulary::{ElfClass, Verdict};

    const RULES: &str = "etc/udev/rules.d/60-x.rules";

    #[test]
    fn a_program_that_cannot_run_is_found_once() {
        let fake = server();
        let program = fake.program("x", "bin/x", elf(ElfClass::Other));
        let rules = format!("RUN+=\"{program} a\"\nRUN+=\"{program} b\"\nRUN+=\"gone\"\n");
        fake.file(RULES, rules);
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), ["inspected/executability/udev-rules"]);
        assert_eq!(inspection.findings[0].evidence.len(), 2);
        assert_eq!(inspection.verdict, Verdict::Pass);
    }

    #[test]
    fn programs_that_run_and_those_of_other_distributions_are_silent() {
        let fake = server();
        let program = fake.program("x", "bin/x", elf(ElfClass::X86_64));
        let rules = format!("RUN+=\"{program}\"\nPROGRAM==\"/usr/bin/x\"\nRUN+=\"/bin/sh -c y\"\n");
        fake.file(RULES, rules);
        assert_eq!(ids(&inspected(&fake)), [""; 0]);
    }
}
