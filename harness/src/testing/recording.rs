use std::collections::BTreeMap;

use crate::fold::{Run, fold, state_after};
use crate::vocabulary::{
    Accelerator, BootId, Inspected, Observation, Plan, Recorded, Stage, State, Step, StepOutcome,
};

use super::{Guest, plan};

/// A rehearsal to be recorded, which a test changes before it asks for the observations.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    pub(crate) inspected: Inspected,
    pub(crate) guests: BTreeMap<State, Guest>,
    pub(crate) steps: Vec<(Step, StepOutcome)>,
    /// Exit code and output of `switch-to-configuration switch`.
    pub(crate) switch: (i32, String),
    /// What else was observed, at the end.
    pub(crate) more: Vec<Observation>,
    /// A line of the console, for each boot that fails.
    pub(crate) console: Vec<String>,
}

const BOOT_IDS: [&str; 4] = [
    "0c6cbd2a-6d4c-4f9e-a5c1-6f6f4d1f0a11",
    "5a1de1c1-98c4-4b3f-bd3e-0d5f24a0b222",
    "6b2ef2d2-a9d5-4c40-8e4f-1e6035b1c333",
    "7c3f03e3-bae6-4d51-9f50-2f7146c2d444",
];

impl Recording {
    pub(crate) fn healthy(plan: &Plan) -> Self {
        let state = |step: &Step| state_after(plan, *step);
        let guest = |state: State| {
            let boot = usize::from(state.is_after_a_reboot());
            (state, Guest::healthy(plan, state, BOOT_IDS[boot]))
        };
        Self {
            inspected: Inspected {
                units: 41,
                commands: 60,
                ..Inspected::default()
            },
            guests: plan.steps.iter().filter_map(state).map(guest).collect(),
            steps: plan
                .steps
                .iter()
                .map(|step| (*step, StepOutcome::Done))
                .collect(),
            switch: (0, "activating the configuration...\n".to_owned()),
            more: Vec::new(),
            console: Vec::new(),
        }
    }

    pub(crate) fn guest(&mut self, state: State) -> &mut Guest {
        self.guests.get_mut(&state).expect("a planned state")
    }

    pub(crate) fn append_journal(&mut self, state: State, line: &str) {
        self.guest(state).journal.push(line.to_owned());
    }

    /// Has a step end otherwise, and those after it skipped.
    pub(crate) fn fail_step(&mut self, step: Step, outcome: StepOutcome) {
        let at = self.steps.iter().position(|(s, _)| *s == step).unwrap();
        self.steps[at].1 = outcome;
        for later in &mut self.steps[at + 1..] {
            later.1 = StepOutcome::Skipped;
        }
    }

    pub(crate) fn run(&self, plan: &Plan) -> Run {
        fold(&self.observations_of(plan))
    }

    pub(crate) fn observations(&self) -> Vec<Recorded> {
        self.observations_of(&plan())
    }

    pub(crate) fn observations_of(&self, plan: &Plan) -> Vec<Recorded> {
        let mut seen = vec![
            Observation::Inspected(self.inspected.clone()),
            Observation::Accelerator {
                accelerator: Accelerator::Tcg,
                reason: "/dev/kvm cannot be opened".to_owned(),
                factor: 1.5,
                qemu: "QEMU emulator version 7.2.0".to_owned(),
            },
        ];
        let mut boot = 0;
        for (step, outcome) in &self.steps {
            seen.push(Observation::StepStarted { step: *step });
            let done = *outcome == StepOutcome::Done;
            match step {
                _ if *outcome == StepOutcome::Skipped => {}
                Step::SoftReboot => {}
                step if step.starts_a_kernel() || (step.cuts_power() && !done) => {
                    boot += 1;
                    self.observe_boot(boot, done, &mut seen);
                }
                _ => seen.push(Observation::CommandRan {
                    step: *step,
                    command: format!("{}/bin/switch-to-configuration switch", super::CANDIDATE),
                    exit_code: self.switch.0,
                    output: self.switch.1.clone(),
                }),
            }
            seen.push(Observation::StepFinished {
                step: *step,
                outcome: outcome.clone(),
            });
            let guest = state_after(plan, *step).and_then(|s| Some((s, self.guests.get(&s)?)));
            if let Some((state, guest)) = guest.filter(|_| done) {
                seen.extend(guest.observations(state));
            }
        }
        seen.extend(self.more.iter().cloned());
        (0..)
            .step_by(500)
            .zip(seen)
            .map(|(at_ms, observation)| Recorded { at_ms, observation })
            .collect()
    }

    fn observe_boot(&self, boot: u32, done: bool, seen: &mut Vec<Observation>) {
        let argv = vec!["qemu-system-x86_64".to_owned()];
        seen.push(Observation::PoweredOn { boot, argv });
        let stages = [Stage::Kernel, Stage::Initrd, Stage::Stage2];
        for stage in stages {
            seen.push(Observation::Stage { boot, stage });
        }
        if !done {
            for line in self.console.iter().cloned() {
                seen.push(Observation::Console { boot, line });
            }
            return;
        }
        seen.push(Observation::ChannelOpened {
            boot,
            boot_id: BootId::parse(BOOT_IDS[boot as usize - 1]).unwrap(),
            transport: "virtio-serial".to_owned(),
        });
    }
}

pub(crate) fn healthy_recording() -> (Plan, Recording) {
    let plan = plan();
    let recording = Recording::healthy(&plan);
    (plan, recording)
}

pub(crate) fn healthy() -> (Plan, Vec<Recorded>) {
    let (plan, recording) = healthy_recording();
    let observations = recording.observations_of(&plan);
    (plan, observations)
}
