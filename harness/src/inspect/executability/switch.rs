//! A switch runs the candidate's tools under the kernel that runs now, the baseline's.

use crate::closure::Kind;
use crate::inspect::kernel::{Kernel, with_article};
use crate::inspect::rules::{Outcome, Subject};
use crate::vocabulary::{Check, Finding, State};

/// What `switch`, `test` and `boot` of a deploy run, in this order.
const TOOLS: &[&str] = &["bin/switch-to-configuration", "activate"];

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let Some(kernel) = subject.baseline.as_ref().map(Kernel::of) else {
        return;
    };
    let tools = &subject.survey.programs.started;
    let foreign = TOOLS.iter().find_map(|name| {
        let tool = tools
            .iter()
            .find(|tool| tool.kind == Kind::Toplevel && tool.name == *name)?;
        let hop = tool
            .hops
            .iter()
            .find(|hop| hop.class.is_some_and(|class| !kernel.runs(class)))?;
        Some((tool, hop, hop.class?))
    });
    let Some((tool, hop, class)) = foreign else {
        return;
    };
    let text = format!(
        "no switch to this system can work: `{}` needs {} executable, and the machine runs {}",
        tool.name,
        with_article(class.as_str()),
        kernel.called(),
    );
    let finding = Finding::new(
        Check::Executability,
        State::Inspected,
        "switch",
        text.clone(),
    )
    .with_evidence(tool.name.as_str(), hop.path.as_str());
    outcome.cause(
        text,
        "install the system from a medium of its own platform, or build it for the platform of the machine",
        [finding],
    );
}

#[cfg(test)]
mod tests {
    use crate::closure::testing::{FakeClosure, bzimage, elf};
    use crate::inspect::Options;
    use crate::inspect::testing::{ids, inspected_with_baseline, server};
    use crate::vocabulary::{ElfClass, Verdict};

    fn with_switch(class: ElfClass) -> FakeClosure {
        let fake = server();
        fake.program("toplevel", "bin/switch-to-configuration", elf(class));
        fake
    }

    #[test]
    fn a_64_bit_switch_under_a_32_bit_kernel_is_found() {
        let old = server();
        old.file("kernel", bzimage(false));
        let inspection =
            inspected_with_baseline(&with_switch(ElfClass::X86_64), &old, &Options::default());
        assert!(ids(&inspection).contains(&"inspected/executability/switch".to_owned()));
        assert_eq!(inspection.verdict, Verdict::Fail);
    }

    #[test]
    fn a_32_bit_switch_under_a_64_bit_kernel_is_silent() {
        for class in [ElfClass::I386, ElfClass::X86_64] {
            let inspection =
                inspected_with_baseline(&with_switch(class), &server(), &Options::default());
            assert_eq!(ids(&inspection), [""; 0]);
        }
    }
}
