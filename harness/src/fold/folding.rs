//! The fold itself: one pass over the observations, in their order.

use crate::vocabulary::{Dump, Observation, Recorded, State, Step, Unproven};

use super::dump::{self, RawDump};
use super::{
    AcceleratorRecord, BootRecord, Clock, CommandRecord, HttpProbe, ProbeRecord, Run, StateRecord,
    StepRecord, StoreSeen, sanitise,
};
use super::{inspected, quoted, switch};

/// How many lines of a command's output are kept.
const OUTPUT_LINES: usize = 200;

/// Folds a recording. Whether all that was planned was observed is for `check` to judge.
pub fn fold(observations: &[Recorded]) -> Run {
    let mut folding = Folding {
        run: Run {
            observations: observations.len(),
            ..Run::default()
        },
        boot: None,
        at_ms: 0,
        down_ms: None,
    };
    for recorded in observations {
        folding.add(recorded);
    }
    let mut run = folding.run;
    switch::keep_news(&mut run);
    run.boots.sort_by_key(|b| b.number);
    run
}

struct Folding {
    run: Run,
    /// The boot that was seen last.
    boot: Option<u32>,
    /// The time of the observation that is folded, and when the machine was last powered on, reset, or its QEMU ended.
    at_ms: u64,
    down_ms: Option<u64>,
}

impl Folding {
    fn add(&mut self, recorded: &Recorded) {
        let at_ms = recorded.at_ms;
        self.at_ms = at_ms;
        match &recorded.observation {
            Observation::Inspected(told) => self.run.inspected = Some(inspected::sanitised(told)),
            Observation::Accelerator {
                accelerator,
                reason,
                factor,
                qemu,
            } => {
                self.run.accelerator = Some(AcceleratorRecord {
                    accelerator: *accelerator,
                    reason: sanitise::line(reason),
                    factor: *factor,
                    qemu: sanitise::line(qemu),
                });
            }
            Observation::StepStarted { step } => {
                if *step == Step::Switch
                    && let Some(number) = self.boot
                {
                    self.boot(number).switch_begins();
                }
                self.run.steps.push(StepRecord::begun(*step, at_ms));
            }
            Observation::StepFinished { step, outcome } => {
                let record = self.step(*step, at_ms);
                record.outcome = Some(quoted::outcome(outcome));
                record.finished_ms = Some(at_ms);
            }
            Observation::Qemu { boot, event, .. } => {
                if event == "RESET" {
                    self.reset(at_ms);
                }
                self.boot(*boot);
            }
            Observation::PoweredOn { boot, .. } => {
                self.down_ms = Some(at_ms);
                self.boot(*boot);
            }
            Observation::Screen { boot, .. } => {
                self.boot(*boot);
            }
            Observation::Console { boot, line } | Observation::ScreenText { boot, line } => {
                let asked_for = self.panics();
                let boot = self.boot(*boot);
                if !asked_for {
                    boot.add_line(line);
                }
            }
            Observation::Stage { boot, stage } => self.boot(*boot).add_stage(*stage, at_ms),
            Observation::QemuExited {
                boot,
                status,
                stderr,
            } => {
                self.reset(at_ms);
                self.boot(*boot).exited(status, stderr);
            }
            Observation::ChannelOpened {
                boot,
                boot_id,
                transport,
            } => {
                let boot = self.boot(*boot);
                boot.boot_id = Some(boot_id.clone());
                boot.transport = Some(sanitise::line(transport));
            }
            Observation::Continuity {
                endpoint,
                beat_ms,
                runs,
                dropped,
            } => {
                let step = self.run.steps.len().checked_sub(1);
                let began = self.run.steps.last().map_or(0, |s| s.started_ms);
                let ledger = &mut self.run.ledger;
                ledger.add(endpoint, *beat_ms, (runs, *dropped), (step, began));
            }
            observation => self.add_of_state(observation, at_ms),
        }
    }

    /// What was seen through the shell and the network, once the guest was up.
    fn add_of_state(&mut self, observation: &Observation, at_ms: u64) {
        match observation {
            Observation::Dumped {
                state,
                dump,
                exit_code,
                output,
                truncated,
            } => {
                let raw = RawDump {
                    state: *state,
                    dump: *dump,
                    exit_code: *exit_code,
                    output,
                    truncated: *truncated,
                };
                if *dump == Dump::SystemState
                    && let Some(step) = self.run.steps.last_mut()
                {
                    step.settled_ms.get_or_insert(at_ms);
                }
                let trouble = dump::read(&raw, self.state(*state));
                self.run.unproven.extend(trouble);
            }
            Observation::Specialisation { name, in_menu } => {
                self.specialisation(sanitise::line(name), *in_menu);
            }
            Observation::Look { state, occasion } => self.look_again(*state, occasion),
            Observation::CommandRan {
                step,
                command,
                exit_code,
                output,
            } => self.run.commands.push(CommandRecord {
                step: *step,
                command: sanitise::line(command),
                exit_code: *exit_code,
                output: sanitise::last_lines(output, OUTPUT_LINES),
            }),
            Observation::Predicted { state, prediction } => {
                let told = Some(quoted::prediction(prediction));
                match state {
                    Some(state) => self.state(*state).next_boot = told,
                    None => self.run.installed = told,
                }
            }
            Observation::Foretold { boot, prediction } => {
                self.boot(*boot).foretold = Some(quoted::prediction(prediction));
            }
            Observation::StoreCompared {
                state,
                compared,
                damaged,
                more,
            } => {
                self.state(*state).store = Some(StoreSeen {
                    compared: *compared,
                    damaged: damaged.clone(),
                    more: *more,
                });
            }
            Observation::Clock { state, guest, host } => {
                self.state(*state).clock = Some(Clock {
                    guest: *guest,
                    host: *host,
                });
            }
            Observation::Http {
                state,
                round,
                endpoint,
                route,
                answer,
            } => {
                if *round == 1
                    && let Some(step) = self.run.steps.last_mut()
                {
                    step.settled_ms = Some(at_ms);
                }
                let probes = self.state(*state).http.entry(endpoint.clone()).or_default();
                probes.push(HttpProbe {
                    at_ms,
                    round: *round,
                    route: *route,
                    answer: answer.clone(),
                });
            }
            Observation::Probed {
                state,
                probe,
                endpoint,
                route,
                answer,
                body,
                certificate,
            } => self.state(*state).probes.push(ProbeRecord {
                probe: probe.clone(),
                endpoint: endpoint.clone(),
                route: *route,
                answer: answer.clone(),
                body: body.clone(),
                certificate: certificate.clone(),
            }),
            Observation::BegunAgain { reason } => {
                self.run.begun_again.push(sanitise::line(reason));
            }
            Observation::Note { text } => {
                let text = sanitise::line(text);
                if !self.run.notes.contains(&text) {
                    self.run.notes.push(text);
                }
            }
            Observation::Unproven(unproven) => self.run.unproven.push(Unproven {
                reason: sanitise::line(&unproven.reason),
                ..unproven.clone()
            }),
            // All others were taken by the caller.
            _ => {}
        }
    }

    fn boot(&mut self, number: u32) -> &mut BootRecord {
        self.boot = Some(number);
        let running = self.run.steps.last_mut().filter(|s| s.outcome.is_none());
        let step = running.map(|s| {
            s.boot = Some(number);
            s.step
        });
        let began_ms = self.down_ms.unwrap_or(self.at_ms);
        let boots = &mut self.run.boots;
        let at = boots
            .iter()
            .position(|b| b.number == number)
            .unwrap_or_else(|| {
                boots.push(BootRecord::new(number, step, began_ms));
                boots.len() - 1
            });
        &mut boots[at]
    }

    /// Whether what the console says is the panic that a step asked for, and no fault.
    fn panics(&self) -> bool {
        let last = self.run.steps.last();
        last.is_some_and(|s| s.step == Step::Panic && s.outcome.is_none() && s.reset_ms.is_none())
    }

    /// Notes that the machine of the running step went down.
    fn reset(&mut self, at_ms: u64) {
        self.down_ms = Some(at_ms);
        let running = self.run.steps.last_mut().filter(|s| s.outcome.is_none());
        if let Some(step) = running {
            step.reset_ms.get_or_insert(at_ms);
        }
    }

    /// The record of a step, made where its beginning was not recorded.
    fn step(&mut self, step: Step, at_ms: u64) -> &mut StepRecord {
        let steps = &mut self.run.steps;
        let at = steps
            .iter()
            .rposition(|s| s.step == step)
            .unwrap_or_else(|| {
                steps.push(StepRecord::begun(step, at_ms));
                steps.len() - 1
            });
        &mut steps[at]
    }

    fn specialisation(&mut self, name: String, in_menu: bool) {
        let known = &mut self.run.not_in_menu;
        match self.run.steps.last_mut() {
            Some(step) if in_menu => step.chosen = Some(name),
            _ if in_menu || known.contains(&name) => {}
            _ => known.push(name),
        }
    }

    fn look_again(&mut self, state: State, occasion: &str) {
        if let Some(record) = self.run.states.remove(&state) {
            self.run.earlier.push((state, record));
        }
        self.state(state).occasion = Some(sanitise::line(occasion));
    }

    fn state(&mut self, state: State) -> &mut StateRecord {
        let boot = self.boot;
        self.run.states.entry(state).or_insert_with(|| StateRecord {
            boot,
            ..StateRecord::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use crate::vocabulary::StepOutcome;

    #[test]
    fn a_recording_becomes_boots_steps_and_states() {
        let (_, observations) = testing::healthy();
        let run = fold(&observations);
        assert_eq!(run.unproven, []);
        assert_eq!(run.boots.len(), 2);
        assert_eq!(run.boots[1].step, Some(Step::WarmReboot));
        assert!(
            run.steps
                .iter()
                .all(|s| s.outcome == Some(StepOutcome::Done))
        );
        let states: Vec<State> = run.states.keys().copied().collect();
        assert_eq!(states, [State::Before, State::Switched, State::Rebooted]);
        assert_eq!(run.states[&State::Rebooted].boot, Some(2));
    }

    #[test]
    fn a_step_that_never_ended_has_no_outcome() {
        let (_, observations) = testing::healthy();
        let cut: Vec<Recorded> = observations.into_iter().take(4).collect();
        let run = fold(&cut);
        assert_eq!(run.steps[0].outcome, None);
    }
}
