//! The rules: what a machine said, turned into findings. Each is a file with a row in [`RULES`], in the order of what to mend first.

mod boot_space;
mod entry;
mod executability;
mod generation;
mod inspection;
mod system_state;
mod units;

use super::machine::Machine;
use super::model::{Audit, AuditFinding, Subject};
use crate::inspect::Inspection;
use crate::vocabulary::{FORMAT_VERSION, Severity, Unproven, Verdict};

type Rule = fn(&Scene, &mut Outcome);

const RULES: &[Rule] = &[
    executability::rule,
    entry::rule,
    generation::rule,
    inspection::rule,
    units::rule,
    system_state::rule,
    boot_space::rule,
];

/// What a rule looks at.
struct Scene<'a> {
    machine: &'a Machine,
    /// Of the next boot's toplevel, where its closure is in a store here.
    inspection: Option<&'a Inspection>,
}

/// What the rules found.
#[derive(Debug, Default)]
struct Outcome {
    /// Why the audit fails, and what to do, most fundamental first.
    causes: Vec<(String, String)>,
    findings: Vec<AuditFinding>,
    unproven: Vec<Unproven>,
    notes: Vec<String>,
}

impl Outcome {
    /// Adds errors of one cause.
    fn cause(&mut self, headline: String, advice: &str, findings: Vec<AuditFinding>) {
        self.causes.push((headline, advice.to_owned()));
        self.findings.extend(findings);
    }

    fn unproven(&mut self, subject: &str, reason: &str, decisive: bool) {
        self.unproven.push(Unproven {
            state: None,
            subject: subject.to_owned(),
            reason: reason.to_owned(),
            decisive,
        });
    }
}

/// Judges a machine that calls itself `name`.
pub fn audit(name: &str, machine: &Machine, inspection: Option<&Inspection>) -> Audit {
    let scene = Scene {
        machine,
        inspection,
    };
    let mut outcome = Outcome::default();
    for rule in RULES {
        rule(&scene, &mut outcome);
    }
    tell_unreadable(machine, &mut outcome);
    outcome
        .findings
        .sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let fails = outcome
        .findings
        .iter()
        .any(|finding| finding.severity == Severity::Error);
    let verdict = match () {
        () if fails => Verdict::Fail,
        () if outcome.unproven.iter().any(|u| u.decisive) => Verdict::Unproven,
        () => Verdict::Pass,
    };
    let subject = |toplevel: Option<&str>| Subject {
        toplevel: toplevel.map(str::to_owned),
        kernel: machine.of(toplevel).and_then(|t| t.platform()).cloned(),
    };
    Audit {
        format_version: FORMAT_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        machine: name.to_owned(),
        verdict,
        headline: headline(name, machine, &outcome, verdict),
        advice: outcome.causes.first().map(|(_, advice)| advice.clone()),
        kernel: machine.kernel.clone(),
        release: machine.release.clone(),
        boot_id: machine.boot_id.clone(),
        uptime_seconds: machine.uptime_seconds,
        booted: subject(machine.booted.as_deref()),
        current: subject(machine.current.as_deref()),
        profile: machine.profile.clone(),
        next_boot: machine.next.as_ref().ok().cloned(),
        next: Subject {
            kernel: machine.next_kernel.clone(),
            ..subject(machine.next_toplevel())
        },
        services: machine.services.as_ref().map_or(0, |s| s.len()),
        units: machine.units_first.as_ref().map_or(0, |u| u.len()),
        findings: outcome.findings,
        unproven: outcome.unproven,
        notes: outcome.notes,
        inspection: inspection.map(|inspection| inspection.headline.clone()),
    }
}

fn headline(name: &str, machine: &Machine, outcome: &Outcome, verdict: Verdict) -> String {
    match verdict {
        Verdict::Fail => {
            let mut causes = outcome.causes.iter();
            let first = causes.next().map_or("see the findings", |(line, _)| line);
            let more = match causes.count() {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            format!("fail: {first}{more} [{name}]")
        }
        Verdict::Unproven => {
            let reasons = outcome.unproven.iter().filter(|u| u.decisive);
            let reasons: Vec<String> = reasons
                .map(|unproven| format!("{}: {}", unproven.subject, unproven.reason))
                .collect();
            format!("unproven: {} [{name}]", reasons.join("; "))
        }
        Verdict::Pass => {
            let kernel = machine.next_kernel.as_ref().map(|k| format!(" ({k})"));
            let what = match machine.next_toplevel() {
                next if next == machine.current.as_deref() => "what runs now",
                _ => "what was deployed last",
            };
            let warnings = outcome.findings.len();
            let warnings = match warnings {
                0 => String::new(),
                1 => ", 1 warning".to_owned(),
                many => format!(", {many} warnings"),
            };
            format!(
                "pass: the next boot starts {what}{}, and nothing stands against it{warnings} [{name}]",
                kernel.unwrap_or_default()
            )
        }
    }
}

/// What was not told decides the verdict, but for what is only one of two witnesses.
fn tell_unreadable(machine: &Machine, outcome: &mut Outcome) {
    if let Err(reason) = &machine.next {
        outcome.unproven("next-boot", reason, true);
    }
    if machine.next_kernel.is_none() && machine.next_toplevel().is_some() {
        let reason = "the platform of its kernel is told by neither its image nor its `system`";
        outcome.unproven("next-kernel", reason, true);
    }
    if let Ok(next) = &machine.next
        && next.toplevel.is_none()
    {
        let reason = format!("the entry `{}` names no toplevel by `init=`", next.entry);
        outcome.unproven("next-boot", &reason, true);
    }
    for (subject, reason) in &machine.unreadable {
        let other_witness = subject == "/nix/var/nix/profiles/system" || subject == "units-last";
        outcome.unproven(subject, reason, !other_witness);
    }
}

/// Names of subjects for a sentence, the first few.
fn names(names: &[&str]) -> String {
    const NAMED: usize = 5;
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] if names.len() <= NAMED => format!("{} and {last}", first.join(", ")),
        names => format!(
            "{} and {} more",
            names[..NAMED].join(", "),
            names.len() - NAMED
        ),
    }
}

#[cfg(test)]
mod tests;
