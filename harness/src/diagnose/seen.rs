//! What was seen of the boot, the unit and the kernel that a finding is about.

use crate::check::{SPECIALISATIONS, kernel_runs};
use crate::fold::{ActiveState, BootRecord, StateRecord, StepRecord, Unit};
use crate::vocabulary::{
    Check, ClosureFacts, ElfClass, Finding, Severity, Stage, State, Step, StepOutcome, System,
};

use super::Case;

/// How many of the last words of a unit count as what it died of.
const LAST_WORDS: usize = 6;

pub(super) fn record<'a>(case: Case<'a>, state: State) -> Option<&'a StateRecord> {
    case.run.states.get(&state)
}

/// The record of the state that a finding is about; of several specialisations, of the first that showed it.
pub(super) fn record_of<'a>(case: Case<'a>, finding: &Finding) -> Option<&'a StateRecord> {
    let mut told = finding.evidence.iter();
    let Some(names) = told.find(|evidence| evidence.source == SPECIALISATIONS) else {
        return record(case, finding.state);
    };
    let is_first = |record: &StateRecord| {
        let mut name = record.occasion.iter();
        name.any(|name| names.text.split(", ").next() == Some(name.as_str()))
    };
    let mut looks = case.run.looks().into_iter();
    let look = looks.find(|(state, record)| *state == State::Specialised && is_first(record));
    look.filter(|_| finding.state == State::Specialised)
        .map(|(_, record)| record)
        .or_else(|| record(case, finding.state))
}

/// The closure that ran where the finding was made.
fn closure<'a>(case: Case<'a>, finding: &Finding) -> &'a ClosureFacts {
    match record_of(case, finding) {
        Some(record) => record.closure(case.plan, finding.state),
        None => case.plan.closure_in(finding.state),
    }
}

pub(super) fn unit<'a>(case: Case<'a>, finding: &Finding) -> Option<&'a Unit> {
    record_of(case, finding)?.units()?.get(&finding.subject)
}

/// What the journal of the state has about the unit.
pub(super) fn messages<'a>(case: Case<'a>, finding: &Finding) -> impl Iterator<Item = &'a str> {
    let unit = finding.subject.clone();
    let journal = record_of(case, finding).and_then(|r| r.journal.as_ref());
    let entries = journal.into_iter().flatten();
    entries
        .filter(move |e| e.unit.as_deref() == Some(unit.as_str()))
        .map(|e| e.message.as_str())
}

/// What the unit itself said last, the last first; systemd's own words are not the unit's.
pub(super) fn last_words<'a>(case: Case<'a>, finding: &Finding) -> Vec<&'a str> {
    let unit = finding.subject.as_str();
    let journal = record_of(case, finding).and_then(|r| r.journal.as_ref());
    let entries = journal.into_iter().flatten().rev();
    entries
        .filter(|e| e.unit.as_deref() == Some(unit) && e.identifier.as_deref() != Some("systemd"))
        .map(|e| e.message.as_str())
        .take(LAST_WORDS)
        .collect()
}

/// The step that failed, of a finding whose subject is a step.
fn failed_step<'a>(case: Case<'a>, finding: &Finding) -> Option<&'a StepRecord> {
    let failed = |record: &&StepRecord| {
        let is_told_by_it = match finding.check {
            Check::SwitchFailed => record.step == Step::Switch,
            _ => record.step.as_str() == finding.subject,
        };
        is_told_by_it && matches!(record.outcome, Some(StepOutcome::GuestFailed { .. }))
    };
    case.run.steps.iter().rev().find(failed)
}

/// The boot that failed.
pub(super) fn boot<'a>(case: Case<'a>, finding: &Finding) -> Option<&'a BootRecord> {
    case.run.boot(failed_step(case, finding)?.boot?)
}

/// What the boot that failed wrote on its console.
pub(super) fn console<'a>(case: Case<'a>, finding: &Finding) -> &'a [String] {
    boot(case, finding).map_or(&[], |boot| &boot.console)
}

/// How far the boot that failed had come.
pub(super) fn stage(case: Case<'_>, finding: &Finding) -> Option<Stage> {
    match failed_step(case, finding)?.outcome.as_ref()? {
        StepOutcome::GuestFailed { stage, .. } => *stage,
        StepOutcome::Done
        | StepOutcome::Skipped
        | StepOutcome::Unobservable { .. }
        | StepOutcome::NotOffered { .. } => None,
    }
}

/// The kernel that ran in a state.
pub(super) fn kernel(case: Case<'_>, state: State) -> Option<System> {
    let machine = record(case, state)?.identity.as_ref()?.machine.as_ref()?;
    Some(System::of_uname_machine(machine))
}

/// What the unit's executable is by the files of the closure that ran.
pub(super) fn class(case: Case<'_>, finding: &Finding) -> Option<ElfClass> {
    let executables = &closure(case, finding).unit_executables;
    executables.get(&finding.subject).copied()
}

/// Whether the kernel refused the unit's executable for its class.
pub(super) fn is_foreign(case: Case<'_>, finding: &Finding) -> bool {
    let Some(kernel) = kernel(case, finding.state) else {
        return false;
    };
    match class(case, finding).and_then(|class| kernel_runs(&kernel, class)) {
        Some(runs) => !runs,
        None => finding.summary.ends_with("Exec format error"),
    }
}

/// Whether the candidate's kernel will not run the unit, by its files.
pub(super) fn will_be_foreign(case: Case<'_>, finding: &Finding) -> bool {
    let runs = |kernel: &System| kernel_runs(kernel, class(case, finding)?);
    case.plan.candidate.kernel.as_ref().and_then(runs) == Some(false)
}

/// Whether the boot got no further than the initrd.
pub(super) fn is_in_initrd(case: Case<'_>, finding: &Finding) -> bool {
    stage(case, finding).is_some_and(|stage| stage <= Stage::Initrd)
}

/// Whether systemd in the initrd says that it has activated the system, by the unit's name or description.
pub(super) fn was_activated_in_initrd(case: Case<'_>, finding: &Finding) -> bool {
    let mut lines = console(case, finding).iter();
    lines.any(|line| {
        line.contains("Finished ")
            && ["NixOS Activation", "initrd-nixos-activation.service"]
                .iter()
                .any(|unit| line.contains(unit))
    })
}

/// Whether the candidate's files, as they are on the host, say nothing against being executed.
pub(super) fn can_be_executed(case: Case<'_>, _finding: &Finding) -> bool {
    let findings = case.run.inspected.iter().flat_map(|i| &i.findings);
    let mut errors = findings.filter(|found| found.severity == Severity::Error);
    !errors.any(|found| matches!(found.check, Check::Executability | Check::Architecture))
}

/// Whether a switch failed for more than units, which have findings of their own.
pub(super) fn is_more_than_units(case: Case<'_>, _finding: &Finding) -> bool {
    !crate::check::switch_failed::only_units_failed(case.run)
}

/// Whether one unit's start runs, and another's waits in the same queue.
pub(super) fn waits_for(case: Case<'_>, running: &Finding, waiting: &Finding) -> bool {
    let job = |finding: &Finding| record_of(case, finding)?.job_state(&finding.subject);
    running.state == waiting.state
        && job(running) == Some("running")
        && job(waiting) == Some("waiting")
}

/// Whether the unit, or a process of it, was killed for want of memory.
pub(super) fn is_killed_for_memory(case: Case<'_>, finding: &Finding) -> bool {
    unit(case, finding).is_some_and(|unit| unit.result == "oom-kill")
}

/// The last words of a unit that could not write for want of space; watches of files have the same error and need none.
pub(super) fn disk_full_line<'a>(case: Case<'a>, finding: &'a Finding) -> Option<&'a str> {
    let quoted = finding.evidence.iter().map(|e| e.text.as_str());
    let mut lines = quoted.chain(last_words(case, finding));
    lines.find(|line| {
        let watches = ["inotify", "watch"].iter().any(|word| line.contains(word));
        line.contains("No space left on device") && !watches
    })
}

pub(super) fn is_disk_full(case: Case<'_>, finding: &Finding) -> bool {
    disk_full_line(case, finding).is_some()
}

/// The last words of a unit that misses a file which the reboot took away.
pub(super) fn lost_line<'a>(case: Case<'a>, finding: &'a Finding) -> Option<&'a str> {
    let quoted = finding.evidence.iter().map(|e| e.text.as_str());
    let mut lines = quoted.chain(last_words(case, finding));
    lines.find(|line| {
        let volatile = ["/run/", "/tmp/", "/dev/shm/"];
        line.contains("No such file or directory") && volatile.iter().any(|dir| line.contains(dir))
    })
}

pub(super) fn is_lost_by_reboot(case: Case<'_>, finding: &Finding) -> bool {
    finding.latent && lost_line(case, finding).is_some()
}

/// Whether it is a oneshot that ended well before the reboot, and does not after it.
pub(super) fn worked_once(case: Case<'_>, finding: &Finding) -> bool {
    let is_oneshot = unit(case, finding).is_some_and(|unit| unit.service_type == "oneshot");
    let units = record(case, State::Switched).and_then(|record| record.units());
    let switched = units.and_then(|units| units.get(&finding.subject));
    let worked = switched.is_some_and(|unit| {
        unit.result == "success"
            && unit.active_state != ActiveState::Failed
            && unit.exec_main_code == Some(1)
            && unit.exec_main_status == Some(0)
    });
    finding.latent && is_oneshot && worked
}

/// The line by which systemd says that it dropped the unit's start.
///
/// `src/core/transaction.c`: the line is about the unit with which the cycle begins, and names the one that is dropped.
pub(super) fn cycle_line<'a>(case: Case<'a>, finding: &Finding) -> Option<&'a str> {
    let job = format!(
        "Job {}/start deleted to break ordering cycle",
        finding.subject
    );
    let journal = record_of(case, finding)?.journal.as_ref()?;
    let mut lines = journal.iter().map(|e| e.message.as_str());
    lines.find(|line| line.contains(&job))
}

pub(super) fn is_dropped_for_a_cycle(case: Case<'_>, finding: &Finding) -> bool {
    cycle_line(case, finding).is_some()
}

/// Whether the unit's last words are those of a disk that cannot be read, or written any more.
pub(super) fn is_refused_by_disk(case: Case<'_>, finding: &Finding) -> bool {
    let quoted = finding.evidence.iter().map(|e| e.text.as_str());
    let mut lines = quoted.chain(last_words(case, finding));
    lines.any(|line| {
        [
            "Read-only file system",
            "Input/output error",
            "Structure needs cleaning",
        ]
        .iter()
        .any(|error| line.contains(error))
    })
}

/// Whether a boot needs a device or mount point; it does not where the fstab has the option `nofail` or `noauto` for it.
pub(super) fn is_needed(case: Case<'_>, finding: Option<&Finding>, name: &str) -> bool {
    let closure = finding.map(|f| closure(case, f));
    let mut file_systems = closure.into_iter().flat_map(|c| &c.file_systems);
    !file_systems.any(|fs| {
        let device = match fs.device.split_once('=') {
            Some(("LABEL", label)) => format!("/dev/disk/by-label/{label}"),
            Some(("UUID", uuid)) => format!("/dev/disk/by-uuid/{uuid}"),
            _ => fs.device.clone(),
        };
        fs.is_optional() && (device == name || fs.mount_point == name)
    })
}
