//! The shape of a folded rehearsal: what `check`, `diagnose` and `report` read.

use std::collections::{BTreeMap, BTreeSet};

use crate::vocabulary::{
    Accelerator, Certificate, ClosureFacts, DamagedPath, Dump, HttpAnswer, HttpEndpoint, Inspected,
    Plan, Prediction, Probe, ProbeRoute, State, Step, StepOutcome, Unproven,
};

use super::{
    BootFacts, BootRecord, FileSystem, HttpLedger, Identity, JournalEntry, Listeners, Unit,
};

/// A whole rehearsal, folded.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Run {
    /// How many observations there were; none proves nothing.
    pub observations: usize,
    /// What the candidate's files prove; `None` where they were not inspected.
    pub inspected: Option<Inspected>,
    pub accelerator: Option<AcceleratorRecord>,
    /// By number.
    pub boots: Vec<BootRecord>,
    /// Those that began, in order.
    pub steps: Vec<StepRecord>,
    pub states: BTreeMap<State, StateRecord>,
    /// Looks at states that were looked at again later, in order; the last look at each is in `states`.
    pub earlier: Vec<(State, StateRecord)>,
    pub commands: Vec<CommandRecord>,
    /// The specialisations that the boot menu had no entry for.
    pub not_in_menu: Vec<String>,
    /// What the bootloader was going to start after its installation on the fresh disk.
    pub installed: Option<Prediction>,
    /// What was replied at a fixed rate; empty in a recording without it.
    pub ledger: HttpLedger,
    pub unproven: Vec<Unproven>,
    pub notes: Vec<String>,
    /// Why earlier attempts were set aside.
    pub begun_again: Vec<String>,
}

impl Run {
    /// Every look at a state, by state, and of each state in order.
    pub fn looks(&self) -> Vec<(State, &StateRecord)> {
        let earlier = self.earlier.iter().map(|(state, record)| (*state, record));
        let mut looks: Vec<_> = earlier
            .chain(self.states.iter().map(|(state, record)| (*state, record)))
            .collect();
        // A stable sort: the last look at a state comes after the earlier ones.
        looks.sort_by_key(|(state, _)| *state);
        looks
    }

    pub fn boot(&self, number: u32) -> Option<&BootRecord> {
        self.boots.iter().find(|b| b.number == number)
    }

    pub fn step(&self, step: Step) -> Option<&StepRecord> {
        self.steps.iter().find(|s| s.step == step)
    }

    /// The commands that a step ran in the guest.
    pub fn commands_of(&self, step: Step) -> impl Iterator<Item = &CommandRecord> {
        self.commands.iter().filter(move |c| c.step == step)
    }
}

/// The accelerator that was proven, with the meaning of [`Observation::Accelerator`](crate::vocabulary::Observation).
#[derive(Debug, Clone, PartialEq)]
pub struct AcceleratorRecord {
    pub accelerator: Accelerator,
    pub reason: String,
    pub factor: f64,
    pub qemu: String,
}

/// One step that began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRecord {
    pub step: Step,
    /// `None` where the recording ends before the step did.
    pub outcome: Option<StepOutcome>,
    /// The last boot that was seen while it ran.
    pub boot: Option<u32>,
    /// The specialisation that was chosen for that boot.
    pub chosen: Option<String>,
    /// When the machine was first reset, or its QEMU ended, while it ran: milliseconds since the run began.
    pub reset_ms: Option<u64>,
    /// Milliseconds since the run began.
    pub started_ms: u64,
    /// When systemd said that all is started, after what the step does, and what nginx serves was asked for: a service may be late until then.
    pub settled_ms: Option<u64>,
    pub finished_ms: Option<u64>,
}

impl StepRecord {
    /// A step that begins.
    pub(super) fn begun(step: Step, at_ms: u64) -> Self {
        Self {
            step,
            outcome: None,
            boot: None,
            chosen: None,
            reset_ms: None,
            started_ms: at_ms,
            settled_ms: None,
            finished_ms: None,
        }
    }
}

/// What was seen of the guest in one state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StateRecord {
    /// Which look it is, where the state was to be looked at more than once.
    pub occasion: Option<String>,
    /// The boot in which it was seen first.
    pub boot: Option<u32>,
    /// What was dumped, readable or not.
    pub dumped: BTreeSet<Dump>,
    pub identity: Option<Identity>,
    /// The word of `systemctl is-system-running`.
    pub system_state: Option<String>,
    /// The lines of `systemctl list-jobs`.
    pub jobs: Vec<String>,
    pub units_first: Option<BTreeMap<String, Unit>>,
    pub units_last: Option<BTreeMap<String, Unit>>,
    /// What `ldd` said of executables that were refused: path and first line.
    pub ldd: Vec<(String, String)>,
    /// What was written to the journal since the state before, where both belong to one boot.
    pub journal: Option<Vec<JournalEntry>>,
    /// `None` where it was not dumped.
    pub boot_facts: Option<BootFacts>,
    pub clock: Option<Clock>,
    /// Who listened where at the end of the window; `None` where that was not seen.
    pub listeners: Option<Listeners>,
    /// How full each file system was then; none where that was not seen.
    pub file_systems: Vec<FileSystem>,
    /// What the bootloader was going to start next, at the end of this state.
    pub next_boot: Option<Prediction>,
    /// The store against the host's; `None` where it was not compared.
    pub store: Option<StoreSeen>,
    /// Every probe of an endpoint, in order.
    pub http: BTreeMap<HttpEndpoint, Vec<HttpProbe>>,
    /// What came of the user's probes, in order.
    pub probes: Vec<ProbeRecord>,
}

impl StateRecord {
    /// The units at the end of the window, or at its beginning where the end was not seen.
    pub fn units(&self) -> Option<&BTreeMap<String, Unit>> {
        self.units_last.as_ref().or(self.units_first.as_ref())
    }

    /// What the journal has about a unit, in order.
    pub fn messages_of<'a>(&'a self, unit: &'a str) -> impl Iterator<Item = &'a JournalEntry> {
        let journal = self.journal.iter().flatten();
        journal.filter(move |e| e.unit.as_deref() == Some(unit))
    }

    /// The closure that the machine must run, if this is a record of the state.
    pub fn closure<'a>(&self, plan: &'a Plan, state: State) -> &'a ClosureFacts {
        plan.closure_of_look(state, self.occasion.as_deref(), self.booted())
    }

    /// What `/run/booted-system` resolves to.
    pub fn booted(&self) -> Option<&str> {
        self.identity.as_ref()?.booted.as_deref()
    }

    /// What waits or runs in systemd's queue, as `(unit, state)`; a job is `ID UNIT TYPE STATE` (systemctl(1), `list-jobs`).
    pub fn queue(&self) -> impl Iterator<Item = (&str, &str)> {
        self.jobs.iter().filter_map(|job| {
            let mut words = job.split_whitespace().skip(1);
            Some((words.next()?, words.nth(1)?))
        })
    }

    /// The state of a unit's job: `running` or `waiting`; `None` where it has none.
    pub fn job_state(&self, unit: &str) -> Option<&str> {
        self.queue().find(|(of, _)| *of == unit).map(|(_, is)| is)
    }

    /// The probe that decides about an endpoint: the last one of its last round.
    pub fn decisive_probe(&self, endpoint: &HttpEndpoint) -> Option<&HttpProbe> {
        // `max_by_key` gives the last of equals.
        self.http.get(endpoint)?.iter().max_by_key(|p| p.round)
    }
}

/// The store of the guest against the host's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSeen {
    /// Files and links.
    pub compared: u64,
    pub damaged: Vec<DamagedPath>,
    /// Damaged paths that are not among them.
    pub more: u64,
}

/// What the guest's clock said, and the host's at that moment, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    pub guest: i64,
    pub host: i64,
}

/// One answer, or none, of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpProbe {
    /// When the answer came, in milliseconds since the run began.
    pub at_ms: u64,
    pub round: u32,
    pub route: ProbeRoute,
    pub answer: HttpAnswer,
}

/// What a request of the user's came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeRecord {
    pub probe: Probe,
    pub endpoint: HttpEndpoint,
    pub route: ProbeRoute,
    pub answer: HttpAnswer,
    /// As it came: whoever prints it sanitises it.
    pub body: Option<String>,
    pub certificate: Option<Certificate>,
}

/// A command that a step ran in the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandRecord {
    pub step: Step,
    pub command: String,
    pub exit_code: i32,
    /// The last lines that it printed.
    pub output: Vec<String>,
}

/// Every step with its record: what began without having been planned, then what was planned, in order.
///
/// A step that is planned twice has its own record each time.
pub fn steps_in_order<'a>(plan: &Plan, run: &'a Run) -> Vec<(Step, Option<&'a StepRecord>)> {
    let mut left: Vec<&StepRecord> = run.steps.iter().collect();
    let planned: Vec<(Step, Option<&StepRecord>)> = plan
        .steps
        .iter()
        .map(|&step| {
            let at = left.iter().position(|record| record.step == step);
            (step, at.map(|at| left.remove(at)))
        })
        .collect();
    let unplanned = left.into_iter().map(|record| (record.step, Some(record)));
    unplanned.chain(planned).collect()
}

/// The state that a step leads to; `None` for provisioning, after which nothing is checked.
pub fn state_after(plan: &Plan, step: Step) -> Option<State> {
    match step {
        Step::Provision => None,
        Step::Boot if plan.baseline.is_some() => Some(State::Before),
        Step::Boot => Some(State::Booted),
        Step::Switch => Some(State::Switched),
        _ => step.state_after_reboot(),
    }
}
