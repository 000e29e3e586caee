//! Of generations, and of the ways from one to another, and down and up.

use super::Row;
use super::cases::*;
use crate::vocabulary::{Check, Finding, State, Step, StepOutcome};

pub(super) const ROWS: &[Row] = &[
    (
        "switch-failed",
        || switch(1, "cannot write\n"),
        "the switch ended with exit code 1",
    ),
    (
        "deploy-lost-with-the-power",
        || {
            error(
                Check::WrongGeneration,
                State::PowerCut,
                "booted-system",
                "/run/booted-system is not the candidate",
            )
        },
        "a power cut takes the deploy back",
    ),
    (
        "entry-before-its-store",
        cut_before_the_store_was_flushed,
        "the boot entry reached the disk before the store paths that it starts",
    ),
    (
        "store-damaged",
        store_damaged,
        "the candidate boots with 1 store path that the power cut damaged",
    ),
    (
        "old-generation-boots",
        || generation(State::Rebooted),
        "the reboot starts another generation",
    ),
    (
        "wrong-generation",
        || generation(State::Switched),
        "/run/current-system is not",
    ),
    (
        "lost-with-the-reboot",
        || {
            dying(
                "exit-code",
                "cannot open /run/alpha/key: No such file or directory",
            )
        },
        "misses what lay in /run or /tmp",
    ),
    (
        "oneshot-worked-once",
        oneshot,
        "ended well before the reboot and fails when started again after it: mkdir: cannot create",
    ),
    (
        "unit-lost",
        || {
            error(
                Check::UnitLost,
                State::Rebooted,
                "ledger.service",
                "ledger.service runs until the reboot",
            )
        },
        "ledger.service runs until the reboot",
    ),
    (
        "boots-differ",
        || {
            warning(
                Check::BootsDiffer,
                State::Rebooted,
                "fingerprint",
                "two boots of one generation differ",
            )
        },
        "two boots of one generation differ",
    ),
    (
        "way-back-barred",
        || {
            error(
                Check::UnitFailed,
                State::RolledBack,
                "alpha.service",
                "alpha.service failed (exit-code)",
            )
        },
        "the old generation's alpha.service does not run",
    ),
    (
        "no-way-back",
        || {
            warning(
                Check::NoWayBack,
                State::Switched,
                "boot-menu",
                "GRUB's menu has no entry any more of what ran before the switch",
            )
        },
        "there is no way back after the deploy: GRUB's menu",
    ),
    (
        "entry-starts-another",
        || {
            error(
                Check::WrongGeneration,
                State::Specialised,
                "booted-system",
                "/run/booted-system is not the specialisation",
            )
        },
        "its boot entry starts another system: /run/booted-system is not",
    ),
    (
        "no-boot-entry",
        || {
            error(
                Check::NoBootEntry,
                State::Specialised,
                "gaming",
                "the boot menu has no entry of the specialisation `gaming`",
            )
        },
        "the boot menu has no entry of the specialisation `gaming`",
    ),
    (
        "shutdown-slow",
        || {
            warning(
                Check::ShutdownSlow,
                State::Rebooted,
                "warm-reboot",
                "the reboot took 125 s",
            )
        },
        "the reboot took 125 s",
    ),
    (
        "panic-at-the-switch",
        || {
            let outcome = StepOutcome::GuestFailed {
                stage: None,
                reason: "kernel panic".to_owned(),
                last_line: None,
            };
            changed(|recording| recording.fail_step(Step::Switch, outcome))
        },
        "does not live through the switch",
    ),
];

#[test]
fn what_nothing_could_execute_anyway_is_not_laid_to_the_power_cut() {
    let mut case = cut_before_the_store_was_flushed();
    let (of, summary) = (State::Inspected, "init is for another kernel");
    let finding = Finding::new(Check::Executability, of, "init", summary);
    case.recording.inspected.findings.push(finding);
    let causes = super::diagnosis(&case).causes;
    let rules: Vec<&str> = causes.iter().map(|cause| cause.rule.as_str()).collect();
    assert!(!rules.contains(&"entry-before-its-store"), "{rules:?}");
    assert!(rules.contains(&"init-died"), "{rules:?}");
}
