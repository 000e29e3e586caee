//! The kernel is of the platform that is meant.

use super::{error, found};
use crate::inspect::rules::{Outcome, Subject};

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let Some(expected) = &subject.expected else {
        return;
    };
    // Without a readable kernel its own word is the second best.
    let (what, system) = match (&subject.facts.kernel, &subject.facts.system) {
        (Some(kernel), _) => ("kernel", kernel),
        (None, Some(system)) => ("system", system),
        (None, None) => return,
    };
    if *system != expected.system {
        let summary = format!(
            "the {what} is {system}, and {} is expected by {}",
            expected.system, expected.by
        );
        let finding = found(what, summary).with_evidence(what, system.as_str());
        error(outcome, finding);
    }
}

#[cfg(test)]
mod tests {
    use crate::inspect::testing::{ids, inspected_with, server};
    use crate::inspect::{Expected, Options};
    use crate::vocabulary::System;

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
    fn a_kernel_that_is_expected_is_silent() {
        let inspection = inspected_with(&server(), &expecting(System::X86_64Linux));
        assert_eq!(ids(&inspection), [""; 0]);
    }
}
