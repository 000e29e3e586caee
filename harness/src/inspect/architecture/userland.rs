//! The userland must run at all; that it is of another class than the kernel is legal where it does.

use super::{error, found};
use crate::inspect::kernel::{runs, with_article};
use crate::inspect::rules::{Outcome, Subject};
use crate::vocabulary::{ElfClass, System};

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let Some(kernel) = &subject.facts.kernel else {
        return;
    };
    let Some(userland) = subject.facts.userland else {
        outcome.unproven("userland", "the class of systemd could not be read", true);
        return;
    };
    if !runs(subject, userland) {
        let summary = format!(
            "systemd is {} executable, which {} kernel does not run: the boot ends after stage 2",
            with_article(userland.as_str()),
            with_article(kernel.as_str())
        );
        let evidence = "systemd/lib/systemd/systemd";
        let finding = found("userland", summary).with_evidence(evidence, userland.as_str());
        error(outcome, finding);
    } else if *kernel == System::X86_64Linux && userland == ElfClass::I386 {
        outcome
            .notes
            .push("a 64-bit kernel with a 32-bit userland, which is legal".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use crate::closure::testing::{bzimage, elf};
    use crate::inspect::testing::{ids, inspected, server};
    use crate::vocabulary::{ElfClass, Verdict};

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
    fn a_kernel_that_cannot_be_read_proves_nothing() {
        let fake = server();
        fake.file("kernel", "no kernel");
        assert_eq!(inspected(&fake).verdict, Verdict::Unproven);
    }
}
