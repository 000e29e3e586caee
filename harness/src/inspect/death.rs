//! How a command of a unit dies, and with what certainty.

use super::faults;
use super::kernel::{called, runs, with_article};
use super::rules::Subject;
use crate::closure::{Command, Fault, Hop, Role, Unit};
use crate::vocabulary::{ElfClass, Severity};

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
    pub(super) hop: &'a Hop,
    pub(super) reason: Reason,
    pub(super) severity: Severity,
}

pub(super) enum Reason {
    /// The file is whole, and of a class that the kernel does not execute.
    Foreign(ElfClass),
    Fault(Fault),
}

/// All of them, in the order of the unit's settings.
pub(super) fn deaths<'a>(subject: &Subject, unit: &'a Unit) -> Vec<Death<'a>> {
    let of_command = |command: &'a Command| {
        command.hops.iter().filter_map(move |hop| {
            let foreign = hop.class.filter(|class| !runs(subject, *class));
            let reason = match (foreign, &hop.fault) {
                (Some(class), _) => Reason::Foreign(class),
                (None, Some(fault)) => Reason::Fault(fault.clone()),
                (None, None) => return None,
            };
            Some(Death {
                key: &command.key,
                hop,
                severity: severity(unit, command, hop, &reason),
                reason,
            })
        })
    };
    unit.commands.iter().flat_map(of_command).collect()
}

/// An error is what a boot is certain to meet: a starting command of a unit that the boot target pulls in.
fn severity(unit: &Unit, command: &Command, hop: &Hop, reason: &Reason) -> Severity {
    let certain = match reason {
        Reason::Foreign(_) => true,
        // A condition may be what keeps a unit from starting without its program, and a script may do without one.
        Reason::Fault(_) => !unit.conditional && hop.role != Role::Call,
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
        let how = match (&self.reason, self.hop.role) {
            (Reason::Fault(Fault::NoLibraries(_)), _) => "exit with 127",
            (Reason::Fault(Fault::Missing), Role::Replacement | Role::Call) => "exit with 127",
            (_, Role::Replacement | Role::Call) => "exit with 126",
            (_, Role::Command | Role::Interpreter) => "die with 203/EXEC",
        };
        let whose = match self.hop.role {
            Role::Command => format!("its {}", self.key),
            Role::Interpreter => format!("the interpreter of its {}", self.key),
            Role::Replacement | Role::Call => format!("what its {} starts", self.key),
        };
        format!("{will} {how}: {whose} {}", self.what(subject))
    }

    fn what(&self, subject: &Subject) -> String {
        let Reason::Fault(fault) = &self.reason else {
            return format!("is {}", self.short(subject));
        };
        faults::words(fault, &self.hop.path)
    }

    /// The evidence: what is wrong with the file.
    pub(super) fn short(&self, subject: &Subject) -> String {
        match &self.reason {
            Reason::Foreign(class) => format!(
                "{} executable under {}",
                with_article(class.as_str()),
                called(subject)
            ),
            Reason::Fault(Fault::NoLoader(loader)) => format!("needs {loader}"),
            Reason::Fault(Fault::Missing) => "not in the closure".to_owned(),
            Reason::Fault(_) => self.what(subject),
        }
    }
}
