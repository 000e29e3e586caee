//! Rules about a system that was built for another platform than the one that was meant.

use crate::check::kernel_runs;
use crate::fold::StateRecord;
use crate::vocabulary::{Check, ElfClass, Finding, Severity, State, System};

use super::pool::{Pool, first_state};
use super::words::{names, with_article};
use super::{Case, Cause, claims, inspected};

const ARCHITECTURE: [Check; 4] = [
    Check::KernelArchitecture,
    Check::SystemString,
    Check::UserlandArchitecture,
    Check::Architecture,
];

/// Takes the findings of the architecture, the kernel's first.
fn take_architecture<'a>(pool: &mut Pool<'a>) -> Vec<&'a Finding> {
    ARCHITECTURE
        .into_iter()
        .flat_map(|check| pool.take_errors(check))
        .collect()
}

/// A kernel is given executables that it cannot run: the outage of 2023-08-08.
pub(super) fn foreign_executables(case: Case<'_>, pool: &mut Pool<'_>) -> Vec<Cause> {
    let refused = pool.take(|f| {
        f.check == Check::ExecFailed && f.severity == Severity::Error && is_foreign(case, f)
    });
    let Some(since) = first_state(&refused) else {
        return Vec::new();
    };
    let Some(kernel) = kernel_in(case, since) else {
        return Vec::new();
    };
    let units: Vec<&str> = refused.iter().map(|f| f.subject.as_str()).collect();
    let mut told = take_architecture(pool);
    told.extend(inspected::take_of_units(pool, &units));
    let is_expected = kernel == case.plan.expect_system;
    let headline = format!(
        "{} kernel runs {} executables: {} {} with Exec format error",
        with_article(kernel.as_str()),
        classes(case, &refused),
        names(&units),
        if units.len() == 1 { "dies" } else { "die" },
    );
    let next = if is_expected {
        format!(
            "the services of the closure are built for another platform than its kernel: build them for \
             {kernel}, or the whole closure for theirs"
        )
    } else {
        build_what_was_meant(case, &kernel)
    };
    let mut all: Vec<&Finding> = refused;
    // What is refused decides when it shows; what was mismatched is told first.
    let cause = Cause::of(&all, headline, &next);
    let consequences = claims::of_units(case, pool, &units, since);
    told.append(&mut all);
    cause
        .map(|cause| Cause {
            findings: told.iter().map(|f| f.id()).collect(),
            consequences,
            ..cause.saying_when()
        })
        .into_iter()
        .collect()
}

/// The kernel, the system or the userland is not the expected one, and nothing was refused for it (yet).
///
/// Where only the files say so, the inspection's own words are better.
pub(super) fn other_platform(case: Case<'_>, pool: &mut Pool<'_>) -> Vec<Cause> {
    if !pool.has(|f| ARCHITECTURE.contains(&f.check) && f.state != State::Inspected) {
        return Vec::new();
    }
    let mismatched = take_architecture(pool);
    let Some(lead) = mismatched.first() else {
        return Vec::new();
    };
    let dying = take_dying(case, pool);
    let built = case.plan.candidate.system.as_ref();
    let built = built.unwrap_or(&case.plan.expect_system);
    let next = if *built == case.plan.expect_system {
        "find out which part of the closure is built for another platform: the evidence names it"
            .to_owned()
    } else {
        build_what_was_meant(case, built)
    };
    let cause = match inspected::headline_of(case, &dying) {
        // No reboot was seen, and the files say what it will do.
        Some(headline) => {
            let all: Vec<&Finding> = dying.into_iter().chain(mismatched).collect();
            Cause::of(&all, headline, &next)
        }
        None => Cause::of(&mismatched, lead.summary.clone(), &next).map(Cause::saying_when),
    };
    cause.into_iter().collect()
}

/// The units that the candidate's kernel will not run, by their files.
fn take_dying<'a>(case: Case<'_>, pool: &mut Pool<'a>) -> Vec<&'a Finding> {
    let Some(kernel) = &case.plan.candidate.kernel else {
        return Vec::new();
    };
    pool.take(|f| {
        f.check == Check::Executability
            && f.severity == Severity::Error
            && class_of(case, f).and_then(|class| kernel_runs(kernel, class)) == Some(false)
    })
}

fn build_what_was_meant(case: Case<'_>, built: &System) -> String {
    format!(
        "the deployed closure is {} system where {} is expected: build and deploy the closure of the configuration that \
         was meant (compare what `nix build` of the flake gives with what the deploy tool built)",
        with_article(built.as_str()),
        case.plan.expect_system,
    )
}

fn kernel_in(case: Case<'_>, state: State) -> Option<System> {
    let machine = |r: &StateRecord| r.identity.as_ref()?.machine.clone();
    let machine = case.run.states.get(&state).and_then(machine)?;
    Some(System::of_uname_machine(&machine))
}

fn class_of(case: Case<'_>, finding: &Finding) -> Option<ElfClass> {
    let executables = &case.plan.closure_in(finding.state).unit_executables;
    executables.get(&finding.subject).copied()
}

/// Whether the kernel refused the unit's executable for its class.
fn is_foreign(case: Case<'_>, finding: &Finding) -> bool {
    let Some(kernel) = kernel_in(case, finding.state) else {
        return false;
    };
    match class_of(case, finding).and_then(|class| kernel_runs(&kernel, class)) {
        Some(runs) => !runs,
        None => finding.summary.ends_with("Exec format error"),
    }
}

/// What the refused executables are: `x86_64`, or `foreign` where the files of the closure do not say.
fn classes(case: Case<'_>, refused: &[&Finding]) -> String {
    let mut classes: Vec<&str> = refused
        .iter()
        .filter_map(|f| class_of(case, f))
        .filter(|class| *class != ElfClass::Other)
        .map(ElfClass::as_str)
        .collect();
    classes.sort_unstable();
    classes.dedup();
    if classes.is_empty() {
        "foreign".to_owned()
    } else {
        classes.join(" and ")
    }
}
