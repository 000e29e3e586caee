//! A 64-bit x86 CPU runs both kernels, a 32-bit one only its own.

use super::{error, found};
use crate::inspect::kernel::with_article;
use crate::inspect::rules::{Outcome, Subject};
use crate::vocabulary::System;

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let Some(kernel) = &subject.facts.kernel else {
        return;
    };
    let machine = &subject.options.target.system;
    let boots = match (machine, kernel) {
        (System::X86_64Linux, System::X86_64Linux | System::I686Linux) => true,
        (machine, kernel) => machine == kernel,
    };
    if !boots {
        let summary = format!(
            "the target machine is {}, which cannot boot {} kernel",
            with_article(machine.as_str()),
            with_article(kernel.as_str())
        );
        error(outcome, found("machine", summary));
    }
}

#[cfg(test)]
mod tests {
    use crate::closure::testing::FakeClosure;
    use crate::inspect::Options;
    use crate::inspect::testing::{ids, inspected_with, make_i686, server};
    use crate::vocabulary::{System, TargetMachine};

    fn on(fake: &FakeClosure, system: System) -> Vec<String> {
        let options = Options {
            target: TargetMachine {
                system,
                ..TargetMachine::default()
            },
            ..Options::default()
        };
        ids(&inspected_with(fake, &options))
    }

    #[test]
    fn a_32_bit_machine_does_not_boot_a_64_bit_kernel() {
        let found = on(&server(), System::I686Linux);
        assert_eq!(found, ["inspected/architecture/machine"]);
    }

    #[test]
    fn a_64_bit_machine_boots_a_32_bit_system() {
        let fake = server();
        make_i686(&fake);
        assert_eq!(on(&fake, System::X86_64Linux), [""; 0]);
    }
}
