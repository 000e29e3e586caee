//! The kernel of the next boot runs the programs of its services, and is of the platform of the one that runs now.

use std::collections::BTreeSet;

use super::{Outcome, Scene, names};
use crate::audit::machine::{Image, Machine, Program, Service};
use crate::audit::model::{AuditCheck, AuditFinding};
use crate::check::kernel_runs;
use crate::fold::ActiveState;
use crate::inspect::with_article;
use crate::vocabulary::{ElfClass, Severity, System};

const ADVICE: &str = "do not reboot: deploy a system that is built for one platform (`nixpkgs.hostPlatform`, the `system` that the \
                      deploy tool builds for), and audit again";

pub(super) fn rule(scene: &Scene, outcome: &mut Outcome) {
    let machine = scene.machine;
    let Some(kernel) = &machine.next_kernel else {
        return;
    };
    let mut findings = changed(machine, kernel);
    let changed = !findings.is_empty();
    let mut classes = BTreeSet::new();
    if let Some(class) = systemd(machine).filter(|class| dies(kernel, *class)) {
        classes.insert(class);
        let summary = format!(
            "PID 1 is {class}, which {} kernel cannot run",
            article(kernel)
        );
        findings.push(AuditFinding::new(
            AuditCheck::NextExecutability,
            "systemd",
            summary,
        ));
    }
    let mut missing = Vec::new();
    for (name, service) in machine.services.iter().flatten() {
        let severity = severity(machine, name, service);
        let foreign = service
            .programs
            .iter()
            .find_map(|program| match program.image {
                Image::Elf(class) if dies(kernel, class) => Some((program, class)),
                _ => None,
            });
        if let Some((program, class)) = foreign {
            let finding = finding(
                name,
                program,
                severity,
                &format!(
                    "runs {class} programs, which {} kernel cannot",
                    article(kernel)
                ),
            );
            if severity == Severity::Error {
                classes.insert(class);
                findings.push(finding);
            } else {
                outcome.findings.push(finding);
            }
            continue;
        }
        let gone = service.programs.iter().find(|p| p.image == Image::Missing);
        if let Some(program) = gone {
            let finding = finding(name, program, severity, "names a program that is not there");
            if severity == Severity::Error {
                missing.push(finding);
            } else {
                outcome.findings.push(finding);
            }
        }
    }
    if !findings.is_empty() {
        let headline = headline(machine, kernel, changed, &findings, &classes);
        outcome.cause(headline, ADVICE, findings);
    }
    if !missing.is_empty() {
        let subjects: Vec<&str> = missing.iter().map(|f| f.subject.as_str()).collect();
        let headline = format!(
            "after the next boot {} cannot start: a program that {} is not in the store",
            names(&subjects),
            if subjects.len() == 1 {
                "it starts"
            } else {
                "each of them starts"
            }
        );
        let advice =
            "repair the store (`nix-store --verify --check-contents --repair`), or deploy again";
        outcome.cause(headline, advice, missing);
    }
}

/// Another platform than the running kernel's.
fn changed(machine: &Machine, kernel: &System) -> Vec<AuditFinding> {
    let Some(running) = machine.kernel.as_ref().filter(|running| *running != kernel) else {
        return Vec::new();
    };
    let summary = format!(
        "{} starts {} kernel, and {} kernel runs now",
        starter(machine),
        article(kernel),
        article(running)
    );
    let mut finding = AuditFinding::new(AuditCheck::NextKernel, "kernel", summary)
        .with_evidence("uname -m", running.as_str());
    if let Some(path) = machine.next_toplevel() {
        let system = machine.of(Some(path)).and_then(|t| t.system.as_ref());
        let system = system.map_or("not told", |system| system.as_str());
        finding = finding.with_evidence(format!("{path}/system"), system);
    }
    if let Ok(next) = &machine.next
        && let Some(file) = &next.kernel
    {
        finding = finding.with_evidence(&next.chosen_by, format!("{}: {}", next.entry, file.named));
    }
    vec![finding]
}

fn systemd(machine: &Machine) -> Option<ElfClass> {
    machine.of(machine.next_toplevel())?.userland
}

fn dies(kernel: &System, class: ElfClass) -> bool {
    kernel_runs(kernel, class) == Some(false)
}

/// A service that the boot pulls in or that runs now fails; another may never be started.
fn severity(machine: &Machine, name: &str, service: &Service) -> Severity {
    let unit = machine
        .units_first
        .as_ref()
        .and_then(|units| units.get(name));
    let lives = unit.is_some_and(|unit| {
        matches!(
            unit.active_state,
            ActiveState::Active | ActiveState::Activating | ActiveState::Reloading
        )
    });
    match lives || (service.wanted && !service.conditional) {
        true => Severity::Error,
        false => Severity::Warning,
    }
}

fn finding(name: &str, program: &Program, severity: Severity, summary: &str) -> AuditFinding {
    let finding = AuditFinding::new(AuditCheck::NextExecutability, name, summary)
        .with_evidence(format!("{}=", program.key), &program.path);
    match severity {
        Severity::Error => finding,
        Severity::Warning => finding.into_warning(),
    }
}

fn headline(
    machine: &Machine,
    kernel: &System,
    changed: bool,
    findings: &[AuditFinding],
    classes: &BTreeSet<ElfClass>,
) -> String {
    let dead: Vec<&str> = findings
        .iter()
        .filter(|finding| finding.check == AuditCheck::NextExecutability)
        .map(|finding| finding.subject.as_str())
        .collect();
    let starts = format!("{} starts {} kernel", starter(machine), article(kernel));
    let now = match machine.kernel.as_ref().filter(|_| changed) {
        Some(running) => format!(" where {} kernel runs now", article(running)),
        None => String::new(),
    };
    if dead.is_empty() {
        return format!("{starts}{now}");
    }
    let classes: Vec<&str> = classes.iter().map(|class| class.as_str()).collect();
    let lead = match &machine.kernel {
        Some(running) if classes_die(running, findings, machine) => "an outage already: ",
        _ => "one reboot away from an outage: ",
    };
    let these = match dead.len() {
        1 => "this unit".to_owned(),
        count => format!("these {count} units"),
    };
    format!(
        "{lead}{starts}{now}, and {these} cannot run: {} ({})",
        names(&dead),
        classes.join(", ")
    )
}

/// Whether the kernel that runs now cannot run them either.
fn classes_die(running: &System, findings: &[AuditFinding], machine: &Machine) -> bool {
    let services = machine.services.iter().flatten();
    let mut dead = services.filter(|(name, _)| findings.iter().any(|f| f.subject == **name));
    let dies_now = |program: &Program| match program.image {
        Image::Elf(class) => dies(running, class),
        Image::Missing | Image::Unknown => false,
    };
    dead.any(|(_, service)| service.programs.iter().any(dies_now))
}

fn starter(machine: &Machine) -> &'static str {
    match &machine.next {
        Ok(_) => "the next boot",
        Err(_) => "the next boot, if it is the system profile's,",
    }
}

fn article(system: &System) -> String {
    with_article(system.as_str())
}
