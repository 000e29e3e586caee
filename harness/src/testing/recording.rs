use std::collections::BTreeMap;

use crate::fold::{Run, fold, state_after};
use crate::vocabulary::{
    Accelerator, BootId, Inspected, Observation, Plan, Recorded, Specialisation, Stage, State,
    Step, StepOutcome,
};

use super::plan::closure;
use super::{Guest, plan};

/// A rehearsal to be recorded, which a test changes before it asks for the observations.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    pub(crate) inspected: Inspected,
    pub(crate) guests: BTreeMap<State, Guest>,
    /// By the specialisations' names, in `specialised`.
    pub(crate) specialised: BTreeMap<String, Guest>,
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
            guests: plan
                .steps
                .iter()
                .filter_map(state)
                .filter(|state| *state != State::Specialised)
                .map(guest)
                .collect(),
            specialised: plan
                .specialisations
                .iter()
                .zip(&BOOT_IDS[1..])
                .map(|(specialisation, boot_id)| {
                    let mut guest = Guest::healthy(plan, State::Specialised, boot_id);
                    let toplevel = &specialisation.closure.toplevel;
                    for link in ["booted", "current"] {
                        guest.identity.insert(link, toplevel.to_string());
                    }
                    (specialisation.name.clone(), guest)
                })
                .collect(),
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
                Step::Specialisations => {
                    for name in plan.specialisations.iter().map(|known| &known.name) {
                        let Some(guest) = self.specialised.get(name) else {
                            continue;
                        };
                        let (name, state) = (name.clone(), State::Specialised);
                        boot += 1;
                        seen.push(Observation::Specialisation {
                            name: name.clone(),
                            in_menu: true,
                        });
                        self.observe_boot(boot, done, &mut seen);
                        if done {
                            let occasion = name;
                            seen.push(Observation::Look { state, occasion });
                            seen.extend(guest.observations(state));
                        }
                    }
                }
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

/// The candidate's specialisations of these names, booted after the switch.
pub(crate) fn specialised_recording(names: &[&str]) -> (Plan, Recording) {
    let specialisation = |(n, name): (usize, &&str)| Specialisation {
        name: (*name).to_owned(),
        closure: closure(&format!("/nix/store/{:032}-nixos-system-web-24.11", n + 1)),
    };
    let plan = Plan {
        steps: vec![Step::Boot, Step::Switch, Step::Specialisations],
        specialisations: names.iter().enumerate().map(specialisation).collect(),
        ..plan()
    };
    let recording = Recording::healthy(&plan);
    (plan, recording)
}

pub(crate) fn healthy() -> (Plan, Vec<Recorded>) {
    let (plan, recording) = healthy_recording();
    let observations = recording.observations_of(&plan);
    (plan, observations)
}
