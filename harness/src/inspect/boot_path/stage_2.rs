//! Stage 2 is a script that stage 1 executes.

use super::{NEXT, error};
use crate::closure::Role;
use crate::inspect::faults;
use crate::inspect::kernel::{called, runs, with_article};
use crate::inspect::pid_1;
use crate::inspect::rules::{Outcome, Subject};

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    for hop in &subject.survey.boot.init {
        if pid_1::tells(subject, hop) {
            continue;
        }
        let trouble = match (hop.class, &hop.fault) {
            (Some(class), _) if !runs(subject, class) => format!(
                "is {} executable under {}",
                with_article(class.as_str()),
                called(subject)
            ),
            // A script may do without one of the programs that it calls.
            (_, Some(fault)) if hop.role != Role::Call => faults::words(fault, &hop.path),
            _ => continue,
        };
        let whose = match hop.role {
            Role::Command => "`init`",
            Role::Interpreter => "the interpreter of `init`",
            Role::Replacement | Role::Call => "what `init` starts",
        };
        let summary = format!("stage 2 cannot be executed: {whose} {trouble}");
        error(outcome, "init", summary, NEXT);
        return;
    }
}

#[cfg(test)]
mod tests {
    use crate::inspect::testing::{ids, inspected, server};

    #[test]
    fn an_init_that_cannot_be_executed_is_found() {
        let fake = server();
        fake.program("toplevel", "init", "#!/nix/store/gone/bin/sh\n");
        assert_eq!(ids(&inspected(&fake)), ["inspected/boot-path/init"]);
    }

    #[test]
    fn an_init_that_can_be_executed_is_silent() {
        assert_eq!(ids(&inspected(&server())), [""; 0]);
    }
}
