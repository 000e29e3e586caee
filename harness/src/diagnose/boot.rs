//! Rules about what lies before any unit: the bootloader, the boot, the switch, the generation.

use crate::check::switch_failed::only_units_failed;
use crate::vocabulary::{Check, Finding, Severity, State};

use super::claims::consequence;
use super::pool::{Pool, first_state};
use super::{Case, Cause, Consequence};

pub(super) fn bootloader_install(_case: Case<'_>, pool: &mut Pool<'_>) -> Vec<Cause> {
    let findings = pool.take_errors(Check::BootloaderInstall);
    let headline = findings.first().map_or("", |f| &f.summary);
    let next = "read what the installer printed, and compare the bootloader's device in the configuration with the \
                disks of the machine";
    Cause::of(&findings, headline, next).into_iter().collect()
}

pub(super) fn boot_failed(_case: Case<'_>, pool: &mut Pool<'_>) -> Vec<Cause> {
    let findings = pool.take_errors(Check::BootFailed);
    let causes = findings.iter().filter_map(|finding| {
        let story = finding
            .summary
            .strip_prefix("the guest did not come up: ")
            .unwrap_or(&finding.summary);
        let headline = match finding.state {
            State::Rebooted => format!("the candidate does not come back from the reboot: {story}"),
            _ => format!("the candidate does not boot: {story}"),
        };
        let next = "read the console of that boot in the run directory from its first error on; then compare the root \
                    file system and the initrd's modules with the disk of the machine";
        Cause::of(&[finding], headline, next)
    });
    causes.collect()
}

pub(super) fn switch_failed(case: Case<'_>, pool: &mut Pool<'_>) -> Vec<Cause> {
    if only_units_failed(case.run) {
        // Which units is told by their own findings.
        return Vec::new();
    }
    let findings = pool.take_errors(Check::SwitchFailed);
    let headline = findings.first().map_or("", |f| &f.summary);
    let next = "read what `switch-to-configuration` printed; what it did not finish, the machine will not have either";
    let cause = Cause::of(&findings, headline, next);
    let consequences = match first_state(&findings) {
        Some(since) => take_generations(pool, |f| f.state >= since),
        None => Vec::new(),
    };
    cause
        .map(|cause| Cause {
            consequences,
            ..cause
        })
        .into_iter()
        .collect()
}

/// Takes generations as consequences of what went wrong before them.
fn take_generations(pool: &mut Pool<'_>, wanted: impl Fn(&Finding) -> bool) -> Vec<Consequence> {
    let generations = pool.take(|f| f.check == Check::WrongGeneration && wanted(f));
    let generations = consequence(&generations, "the machine is not on the candidate");
    generations.into_iter().collect()
}

pub(super) fn wrong_generation(_case: Case<'_>, pool: &mut Pool<'_>) -> Vec<Cause> {
    let mut causes = Vec::new();
    for state in [
        State::Before,
        State::Switched,
        State::Booted,
        State::Rebooted,
    ] {
        let findings = pool.take(|f| {
            f.check == Check::WrongGeneration && f.severity == Severity::Error && f.state == state
        });
        let Some(lead) = findings.first() else {
            continue;
        };
        let boots_another = lead.subject == "booted-system";
        let (headline, next) = if boots_another && state == State::Rebooted {
            (
                "the reboot starts another generation than the candidate: the bootloader's default entry is not it"
                    .to_owned(),
                "see whether the bootloader's configuration lies on the disk and partition that the firmware reads, and \
                 whether `switch-to-configuration boot` updates it",
            )
        } else {
            (
                lead.summary.clone(),
                "see what set the link, and whether the activation went through",
            )
        };
        causes.extend(Cause::of(&findings, headline, next));
    }
    causes
}
