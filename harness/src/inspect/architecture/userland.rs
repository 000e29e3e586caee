//! A userland of another class than the kernel is legal where it runs; that it does not is `pid_1`'s.

use crate::inspect::kernel::runs;
use crate::inspect::pid_1;
use crate::inspect::rules::{Outcome, Subject};
use crate::vocabulary::{ElfClass, System};

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let Some(kernel) = &subject.facts.kernel else {
        return;
    };
    let Some(userland) = subject.facts.userland else {
        if pid_1::trouble(subject).is_none() {
            outcome.unproven("userland", "the class of systemd could not be read", true);
        }
        return;
    };
    if *kernel == System::X86_64Linux && userland == ElfClass::I386 && runs(subject, userland) {
        outcome
            .notes
            .push("a 64-bit kernel with a 32-bit userland, which is legal".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use crate::closure::testing::elf;
    use crate::inspect::testing::{inspected, server};
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
    fn a_kernel_that_cannot_be_read_proves_nothing() {
        let fake = server();
        fake.file("kernel", "no kernel");
        assert_eq!(inspected(&fake).verdict, Verdict::Unproven);
    }
}
