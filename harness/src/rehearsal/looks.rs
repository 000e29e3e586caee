//! The look at a state, with what comes before and after it: what is done by hand, which of several looks it is, and what will boot next.

use std::time::Duration;

use super::choose::BootRoute;
use super::foretell::foretell;
use super::guest::{Guest, Waited};
use super::observe::{Look, look};
use super::run::RunError;
use super::run_disk::RunDisk;
use super::steps::{Progressed, Stepped, Steps};
use crate::fold;
use crate::vocabulary::{ByHand, ClosureFacts, Observation, State, Step};

impl Steps<'_> {
    pub(super) async fn look(
        &self,
        guest: &mut Guest<'_, '_>,
        progressed: &mut Progressed,
        disk: &RunDisk,
        state: State,
        since: Option<u64>,
    ) -> Stepped {
        progressed.written = disk.written()?;
        if let Err(trouble) = self.by_hand(guest, state).await? {
            return Ok(Err(trouble));
        }
        self.tell_occasion(guest, progressed, state)?;
        let closure = match self
            .closure_of_look(guest, state, progressed.occasion.as_deref())
            .await?
        {
            Ok(closure) => closure,
            Err(trouble) => return Ok(Err(trouble)),
        };
        // What starts again and again does so without a power cut too.
        let is_brief = state == State::CutInSwitch;
        let seconds = if is_brief {
            0
        } else {
            self.plan.window_seconds
        };
        let window = Duration::from_secs(u64::from(seconds));
        let looked = look(
            guest,
            &Look {
                state,
                closure,
                probes: if is_brief { &[] } else { &self.plan.probes },
                since,
                start: self.deadlines.startup(self.plan.start_seconds),
                window: self.deadlines.watch(window),
                deadlines: self.deadlines,
                ports: &progressed.ports,
            },
        )
        .await?;
        if looked.is_ok()
            && self.route == BootRoute::Bootloader
            && let Err(trouble) = self.foretell(guest, state).await?
        {
            return Ok(Err(trouble));
        }
        match self.plan.hold.filter(|hold| hold.state == state) {
            Some(hold) if looked.is_ok() => {
                Ok(guest.hold(hold, &progressed.ports).await?.map(|boot| {
                    progressed.boot_id = boot.or(progressed.boot_id.take());
                }))
            }
            _ => Ok(looked),
        }
    }

    /// The closure whose endpoints are asked for: after a power cut in a switch it is the guest's to say which one booted.
    async fn closure_of_look(
        &self,
        guest: &mut Guest<'_, '_>,
        state: State,
        occasion: Option<&str>,
    ) -> Waited<&ClosureFacts> {
        if state != State::CutInSwitch {
            return Ok(Ok(self.plan.closure_of_look(state, occasion, None)));
        }
        const BOOTED: &str = "readlink -f /run/booted-system";
        let deadline = Duration::from_secs(60);
        let booted = match guest.run("say what booted", BOOTED, deadline).await? {
            Ok(answer) => answer.output.trim().to_owned(),
            Err(trouble) if trouble.machine_runs_on() => String::new(),
            Err(gone) => return Ok(Err(gone)),
        };
        let of_look = self.plan.closure_of_look(state, occasion, Some(&booted));
        Ok(Ok(of_look))
    }

    /// Reads the bootloader's files as they are now: what the next boot will be compared with.
    async fn foretell(&self, guest: &mut Guest<'_, '_>, state: State) -> Stepped {
        Ok(match foretell(guest, Some(state), self.deadlines).await? {
            Ok(foretold) => {
                guest.recorder().record(foretold)?;
                Ok(())
            }
            Err(trouble) => Err(trouble),
        })
    }

    /// Tells which look this is, where there is more than one at the state.
    fn tell_occasion(
        &self,
        guest: &mut Guest<'_, '_>,
        progressed: &mut Progressed,
        state: State,
    ) -> Result<(), RunError> {
        let looks = progressed.looks.entry(state).or_default();
        *looks += 1;
        let occasion = progressed
            .occasion
            .clone()
            .or_else(|| (*looks > 1 || self.is_repeated(state)).then(|| format!("cycle {looks}")));
        if let Some(occasion) = occasion {
            let look = Observation::Look { state, occasion };
            guest.recorder().record(look)?;
        }
        Ok(())
    }

    /// Whether more than one step leads to the state; what comes before a switch leads to the baseline's.
    fn is_repeated(&self, state: State) -> bool {
        let steps = &self.plan.steps;
        let switch = steps.iter().position(|step| *step == Step::Switch);
        let leads_to_it = |(at, step): &(usize, &Step)| {
            let reached = fold::state_after(self.plan, **step);
            let is_before = switch.is_some_and(|switch| *at < switch);
            reached.map(|state| if is_before { State::Before } else { state }) == Some(state)
        };
        steps.iter().enumerate().filter(leads_to_it).count() > 1
    }

    /// What the plan has an operator do in this state.
    async fn by_hand(&self, guest: &mut Guest<'_, '_>, state: State) -> Stepped {
        let commands = self.plan.by_hand.iter().filter(|hand| hand.state == state);
        for ByHand { command, .. } in commands {
            let what = "do what is done by hand";
            let answer = match guest.run(what, command, self.deadlines.switch()).await? {
                Ok(answer) => answer,
                Err(trouble) => return Ok(Err(trouble)),
            };
            guest.recorder().record(Observation::Note {
                text: match answer.exit_code {
                    0 => format!("by hand in {state}: {command}"),
                    code => format!("by hand in {state}: {command} (exit code {code})"),
                },
            })?;
        }
        Ok(Ok(()))
    }
}
