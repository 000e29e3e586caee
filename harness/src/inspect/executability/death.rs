//! How a command of a unit dies, and with what certainty.

use crate::closure::{Command, Fault, Hop, Role, Unit, View};
use crate::inspect::rules::Subject;
use crate::inspect::trouble::{Reason, Trouble, troubles};
use crate::vocabulary::Severity;

/// A failure of these ends a start; of the others it is noted by systemd and the service goes on.
const STARTING: &[&str] = &[
    "ExecCondition",
    "ExecStartPre",
    "ExecStart",
    "ExecStartPost",
];

/// One way in which a command of a unit cannot be executed.
pub(super) struct Death<'a> {
    /// The setting: `ExecStart`.
    pub(super) key: &'a str,
    pub(super) trouble: Trouble<'a>,
    pub(super) severity: Severity,
    /// A compiled wrapper executes it, and no shell.
    wrapped: bool,
}

/// All of them, in the order of the unit's settings.
pub(super) fn deaths<'a>(subject: &Subject, unit: &'a Unit) -> Vec<Death<'a>> {
    let mut deaths = Vec::new();
    for command in &unit.commands {
        for trouble in troubles(subject, &command.hops) {
            deaths.push(Death {
                key: &command.key,
                severity: severity(unit, command, &trouble),
                wrapped: is_wrapped(&command.hops, trouble.hop),
                trouble,
            });
        }
    }
    deaths
}

/// Only a program that is a wrapper has another behind it.
fn is_wrapped(hops: &[Hop], hop: &Hop) -> bool {
    let before = hops.iter().take_while(|other| !std::ptr::eq(*other, hop));
    hop.role == Role::Replacement
        && before
            .last()
            .is_some_and(|other| other.class.is_some() && other.role != Role::Interpreter)
}

/// An error is what a boot is certain to meet: a starting command of a unit that the boot target pulls in.
fn severity(unit: &Unit, command: &Command, trouble: &Trouble) -> Severity {
    let in_store = trouble.hop.path.starts_with("/nix/store/");
    let certain = match &trouble.reason {
        // Such a unit may be meant for another machine.
        Reason::Foreign(_) => !unit.by_architecture,
        // People may have put it there.
        Reason::Fault(Fault::Elsewhere) => false,
        // A condition may be what keeps a unit from starting without its program, and a script may do without one.
        Reason::Fault(_) if unit.conditional || trouble.hop.role == Role::Call => false,
        Reason::Fault(_) => match unit.view {
            View::Machine => true,
            View::Binds => in_store,
            View::OwnRoot => false,
        },
    };
    let starting = STARTING.contains(&command.key.as_str());
    if unit.at_boot && starting && certain && !command.optional {
        Severity::Error
    } else {
        Severity::Warning
    }
}

impl Death<'_> {
    /// What the unit will do, and why.
    pub(super) fn sentence(&self, subject: &Subject) -> String {
        let will = match self.severity {
            Severity::Error => "will",
            Severity::Warning => "would",
        };
        let role = self.trouble.hop.role;
        let how = match (&self.trouble.reason, role) {
            (Reason::Fault(Fault::NoLibraries(_)), _) => "exit with 127",
            (_, Role::Replacement) if self.wrapped => "fail",
            (Reason::Fault(Fault::Missing), Role::Replacement | Role::Call) => "exit with 127",
            (_, Role::Replacement | Role::Call) => "exit with 126",
            (_, Role::Command | Role::Interpreter) => "die with 203/EXEC",
        };
        let whose = match role {
            Role::Command => format!("its {}", self.key),
            Role::Interpreter => format!("the interpreter of its {}", self.key),
            Role::Replacement | Role::Call => format!("what its {} starts", self.key),
        };
        format!("{will} {how}: {whose} {}", self.trouble.what(subject))
    }
}
