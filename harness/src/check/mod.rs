//! The checks: what must hold of a guest in every state, and of the steps between them.
//!
//! Called by `report` with a folded run. A check is a row of a table and a file; it does no I/O, knows no VM, and blames the
//! closure only for what was observed. What was not observed is for [`coverage`].
//!
//! A finding's id is `STATE/CHECK/SUBJECT`, and these are the subjects:
//!
//! | check | subject |
//! |---|---|
//! | `bootloader-install` | `bootloader` |
//! | `boot-failed` | the step: `boot`, `warm-reboot` |
//! | `switch-failed` | `switch-to-configuration`, or `profile` where that could not be set |
//! | `system-string`, `kernel-architecture`, `userland-architecture` | `system`, `kernel`, `userland` |
//! | `wrong-generation` | `booted-system`, `current-system`, `profile`, `default-entry` |
//! | `no-boot-entry` | the specialisation |
//! | `system-state` | `systemd` |
//! | `unit-failed`, `unit-inactive`, `restart-loop`, `unit-flapping`, `unit-lost`, `exec-failed` | the unit |
//! | `store-damaged` | whose paths: `baseline`, `candidate` |
//! | `boots-differ` | `fingerprint` |
//! | `clock-off` | `clock` |
//! | `disk-full` | where it is mounted |
//! | `shutdown-slow` | the step: `warm-reboot` |
//! | `log-signature` | the signature's id, see `signatures` |
//! | `http-gateway`, `http-late`, `http-empty`, `http-unanswered`, `http-gap`, `probe-failed` | the URL |
//!
//! The checks of files, whose state is `inspected`, are `inspect`'s.

mod architecture;
mod boot_failed;
mod bootloader_install;
mod boots_differ;
mod clock_off;
pub mod coverage;
mod disk_full;
mod exec_failed;
pub mod fingerprint;
mod http_empty;
mod http_gap;
mod http_gateway;
mod http_late;
mod http_unanswered;
mod inspection;
mod kernel_architecture;
mod lacks;
mod last_words;
mod log_signature;
mod merge;
mod network;
mod no_boot_entry;
mod no_way_back;
mod occasions;
mod ordering_cycle;
mod prediction;
mod probe_failed;
mod restart_loop;
mod running_job;
mod shutdown_slow;
mod signatures;
pub mod stability;
mod store_damaged;
pub(crate) mod switch_failed;
mod system_state;
mod system_string;
mod unit_failed;
mod unit_flapping;
mod unit_inactive;
mod unit_lost;
pub mod upstream;
mod userland_architecture;
mod wrong_generation;

use occasions::Occasions;

use crate::fold::{Run, StateRecord};
use crate::vocabulary::{Check, ClosureFacts, Finding, Plan, State};

pub use architecture::kernel_runs;
pub(crate) use occasions::SPECIALISATIONS;
pub use restart_loop::is_looping;
pub(crate) use running_job::running_job;
pub use signatures::ids as signature_ids;
pub(crate) use signatures::{is_kernel_line, tells_of_short_memory};
pub use unit_inactive::wanted;

/// What a check sees of one state.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    pub plan: &'a Plan,
    pub run: &'a Run,
    pub state: State,
    pub record: &'a StateRecord,
}

impl<'a> Scene<'a> {
    /// The closure that the machine must run: after a power cut in a switch, the one of the two that booted; a specialisation's own.
    pub fn closure(&self) -> &'a ClosureFacts {
        self.record.closure(self.plan, self.state)
    }

    /// Whether that is the candidate.
    fn runs_the_candidate(&self) -> bool {
        self.closure().toplevel == self.plan.candidate.toplevel
    }
}

/// A check that is made in every observed state.
pub struct Row {
    pub check: Check,
    /// Whether the state was observed well enough that silence means health.
    pub observed: fn(&StateRecord) -> bool,
    pub run: fn(&Scene<'_>) -> Vec<Finding>,
}

/// Every check of a state.
pub const CHECKS: &[Row] = &[
    Row {
        check: Check::SystemString,
        observed: has_identity,
        run: system_string::check,
    },
    Row {
        check: Check::KernelArchitecture,
        observed: has_identity,
        run: kernel_architecture::check,
    },
    Row {
        check: Check::UserlandArchitecture,
        observed: has_identity,
        run: userland_architecture::check,
    },
    Row {
        check: Check::WrongGeneration,
        observed: has_identity,
        run: wrong_generation::check,
    },
    Row {
        check: Check::SystemState,
        observed: |record| record.system_state.is_some(),
        run: system_state::check,
    },
    Row {
        check: Check::UnitFailed,
        observed: has_units,
        run: unit_failed::check,
    },
    Row {
        check: Check::UnitInactive,
        observed: has_units,
        run: unit_inactive::check,
    },
    Row {
        check: Check::RestartLoop,
        observed: has_units,
        run: restart_loop::check,
    },
    Row {
        check: Check::UnitFlapping,
        observed: |record| has_units(record) && record.journal.is_some(),
        run: unit_flapping::check,
    },
    Row {
        check: Check::UnitLost,
        observed: has_units,
        run: unit_lost::check,
    },
    Row {
        check: Check::ClockOff,
        observed: |record| record.clock.is_some(),
        run: clock_off::check,
    },
    Row {
        check: Check::DiskFull,
        observed: |record| !record.file_systems.is_empty(),
        run: disk_full::check,
    },
    Row {
        check: Check::ExecFailed,
        observed: |record| record.journal.is_some() || has_units(record),
        run: exec_failed::check,
    },
    Row {
        check: Check::StoreDamaged,
        observed: |record| record.store.is_some(),
        run: store_damaged::check,
    },
    Row {
        check: Check::LogSignature,
        observed: |record| record.journal.is_some(),
        run: log_signature::check,
    },
    Row {
        check: Check::HttpGateway,
        observed: has_http,
        run: http_gateway::check,
    },
    Row {
        check: Check::HttpLate,
        observed: has_http,
        run: http_late::check,
    },
    Row {
        check: Check::HttpEmpty,
        observed: has_http,
        run: http_empty::check,
    },
    Row {
        check: Check::HttpUnanswered,
        observed: has_http,
        run: http_unanswered::check,
    },
    Row {
        check: Check::ProbeFailed,
        observed: |record| !record.probes.is_empty(),
        run: probe_failed::check,
    },
];

/// A check of the steps, made once a run.
type StepCheck = fn(&Plan, &Run) -> Vec<Finding>;

const STEP_CHECKS: &[StepCheck] = &[
    bootloader_install::check,
    boot_failed::check,
    switch_failed::check,
    no_way_back::check,
    no_boot_entry::check,
    shutdown_slow::check,
    http_gap::check,
    boots_differ::check,
];

fn has_identity(record: &StateRecord) -> bool {
    record.identity.is_some()
}

fn has_units(record: &StateRecord) -> bool {
    record.units().is_some()
}

fn has_http(record: &StateRecord) -> bool {
    !record.http.is_empty()
}

/// Runs every check in every observed state, merges what several states have in common, and adds what the inspection found.
///
/// The order is that of states, then of checks, then of subjects.
pub fn run(plan: &Plan, run: &Run) -> Vec<Finding> {
    let mut findings: Vec<Finding> = STEP_CHECKS.iter().flat_map(|f| f(plan, run)).collect();
    let mut occasions = Occasions::default();
    for (state, record) in run.looks() {
        let scene = Scene {
            plan,
            run,
            state,
            record,
        };
        let found: Vec<Finding> = CHECKS.iter().flat_map(|row| (row.run)(&scene)).collect();
        occasions.note(state, record, &found);
        findings.extend(found);
    }
    let mut all = inspection::findings(run, &findings);
    let mut merged = merge::merge(plan, run, findings);
    occasions.tell(&mut merged);
    all.extend(merged);
    all
}

#[cfg(test)]
mod tests {
    use crate::testing;

    #[test]
    fn nothing_is_found_in_a_healthy_rehearsal() {
        let (plan, recording) = testing::healthy_recording();
        assert_eq!(testing::finding_ids(&plan, &recording), [""; 0]);
        let plan = testing::without_baseline();
        let recording = testing::Recording::healthy(&plan);
        assert_eq!(testing::finding_ids(&plan, &recording), [""; 0]);
    }

    #[test]
    fn the_outage_has_exactly_these_findings() {
        let (plan, recording) = testing::outage_recording();
        assert_eq!(
            testing::finding_ids(&plan, &recording),
            [
                "inspected/executability/alpha.service",
                "inspected/executability/beta.service",
                "inspected/executability/gamma.service",
                "inspected/architecture/kernel",
                "switched/system-string/system",
                "switched/userland-architecture/userland",
                "rebooted/kernel-architecture/kernel",
                "rebooted/restart-loop/alpha.service",
                "rebooted/restart-loop/beta.service",
                "rebooted/restart-loop/gamma.service",
                "rebooted/exec-failed/alpha.service",
                "rebooted/exec-failed/beta.service",
                "rebooted/exec-failed/gamma.service",
                "rebooted/http-gateway/http://alpha.example/",
                "rebooted/http-gateway/http://beta.example/",
                "rebooted/http-gateway/http://gamma.example/",
            ]
        );
    }
}
