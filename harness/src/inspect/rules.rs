use super::builds::BuildDifference;
use super::model::{Expected, Inspection, Options};
use super::{
    architecture, boot_path, builds, contents, executability, headline, initrd_services, nginx,
    pid_1, references, stage_one,
};
use crate::closure::{Contents, Survey};
use crate::vocabulary::{
    ClosureFacts, FORMAT_VERSION, Finding, Severity, State, StaticCause, Unproven, Verdict,
};

/// A rule: what it is called, what it proves, and how.
pub struct Row {
    pub name: &'static str,
    pub proves: &'static str,
    pub(super) rule: fn(&Subject, &mut Outcome),
}

/// Every rule, in the order in which a fault of one explains those of the next.
pub const RULES: &[Row] = &[
    Row {
        name: "build-difference",
        proves: "what was built is what was meant",
        rule: builds::rule,
    },
    Row {
        name: "store-contents",
        proves: "every file is what the store recorded of it (with `--verify-contents`)",
        rule: contents::rule,
    },
    Row {
        name: "pid-1",
        proves: "the systemd that stage 2 becomes is there and runs under this closure's kernel",
        rule: pid_1::rule,
    },
    Row {
        name: "executability",
        proves: "units have the files and accounts that they need, and they, activation, generators, udev's rules, wrappers and `sw/bin` can be executed under this closure's kernel",
        rule: executability::rule,
    },
    Row {
        name: "architecture",
        proves: "kernel, `system`, `boot.json`, userland, modules, bootloader, expectation and machine agree",
        rule: architecture::rule,
    },
    Row {
        name: "boot-path",
        proves: "`init`, kernel, initrd, modules, fstab, parameters and boot entries are there and fit each other",
        rule: boot_path::rule,
    },
    Row {
        name: "stage-1",
        proves: "the initrd's `init` is there and runs under this closure's kernel",
        rule: stage_one::rule,
    },
    Row {
        name: "initrd-services",
        proves: "what systemd in the initrd is asked to start is there and runs under this closure's kernel",
        rule: initrd_services::rule,
    },
    Row {
        name: "reference",
        proves: "no link leads nowhere, and no unit names a path that is not in the closure",
        rule: references::rule,
    },
    Row {
        name: "nginx-config",
        proves: "nginx's files are there and well-formed, and something that is started names each loopback port and each socket that it passes requests on to",
        rule: nginx::rule,
    },
];

/// What a rule looks at.
pub(super) struct Subject<'a> {
    pub(super) facts: &'a ClosureFacts,
    pub(super) survey: &'a Survey,
    pub(super) options: &'a Options,
    /// The system that the machine runs now, where one was given.
    pub(super) baseline: Option<Baseline<'a>>,
    pub(super) expected: Option<Expected>,
    /// Where the files were compared with what the store recorded.
    pub(super) contents: Option<&'a Contents>,
    /// Where the candidate is not what was meant.
    pub(super) difference: Option<BuildDifference>,
}

/// What is known of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Baseline<'a> {
    pub(super) facts: &'a ClosureFacts,
    pub(super) survey: &'a Survey,
}

/// What the rules have to say.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) findings: Vec<Finding>,
    pub(super) unproven: Vec<Unproven>,
    pub(super) notes: Vec<String>,
    /// In order: the first is the headline.
    pub(super) causes: Vec<StaticCause>,
}

impl Outcome {
    /// Takes errors together with the one thing that they come from.
    pub(super) fn cause(
        &mut self,
        headline: impl Into<String>,
        next: impl Into<String>,
        errors: impl IntoIterator<Item = Finding>,
    ) {
        let errors: Vec<Finding> = errors.into_iter().collect();
        self.causes.push(StaticCause {
            headline: headline.into(),
            next: next.into(),
            findings: errors.iter().map(Finding::id).collect(),
        });
        self.findings.extend(errors);
    }

    pub(super) fn unproven(&mut self, subject: &str, reason: impl Into<String>, decisive: bool) {
        self.unproven.push(Unproven {
            state: Some(State::Inspected),
            subject: subject.to_owned(),
            reason: reason.into(),
            decisive,
        });
    }
}

/// Applies every rule and judges.
pub(super) fn apply(subject: &Subject) -> Inspection {
    let mut outcome = Outcome::default();
    for row in RULES {
        (row.rule)(subject, &mut outcome);
    }
    unread(subject, &mut outcome);
    outcome
        .findings
        .sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let verdict = verdict(&outcome);
    let facts = subject.facts;
    let (headline, next) = headline::of(subject, &outcome, verdict);
    Inspection {
        format_version: FORMAT_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        toplevel: facts.toplevel.clone(),
        baseline: None,
        nixos_version: facts.nixos_version.clone(),
        lab: facts
            .nixos_version
            .as_deref()
            .is_some_and(|version| version.ends_with(".lab")),
        kernel: facts.kernel.clone(),
        kernel_version: facts.kernel_version.clone(),
        expected: subject.expected.clone(),
        verdict,
        headline,
        next,
        units: subject.survey.units.len(),
        commands: subject
            .survey
            .units
            .values()
            .map(|unit| unit.commands.len())
            .sum(),
        findings: outcome.findings,
        causes: outcome.causes,
        unproven: outcome.unproven,
        notes: outcome.notes,
        changes: None,
    }
}

/// What could not be read proves nothing; without the kernel or the units there is no proof at all.
fn unread(subject: &Subject, outcome: &mut Outcome) {
    const DECISIVE: &[&str] = &["kernel", "systemd units"];
    let mut entries: Vec<&(String, String)> = subject
        .facts
        .unreadable
        .iter()
        .filter(|(s, _)| !subject.survey.units.contains_key(s))
        .filter(|(s, _)| s != "systemd" || pid_1::trouble(subject).is_none())
        .chain(&subject.survey.unreadable)
        .collect();
    entries.sort();
    entries.dedup_by(|a, b| a.0 == b.0);
    for (name, reason) in entries {
        outcome.unproven(name, reason, DECISIVE.contains(&name.as_str()));
    }
}

fn verdict(outcome: &Outcome) -> Verdict {
    if outcome
        .findings
        .iter()
        .any(|finding| finding.severity == Severity::Error)
    {
        Verdict::Fail
    } else if outcome.unproven.iter().any(|unproven| unproven.decisive) {
        Verdict::Unproven
    } else {
        Verdict::Pass
    }
}
