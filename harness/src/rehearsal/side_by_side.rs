//! Ways down and up that are gone side by side: each by a machine of its own, which goes on from the one that was switched.
//!
//! The machine is saved as it runs, and each way begins with a copy of it and of its disk: none is touched by what another one left, and none
//! has to be booted for it. Each makes a recording of its own; in the run's they stand one after another.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::sync::oneshot;

use super::choose::BootRoute;
use super::continuity::Continuity;
use super::guest::{Guest, Saved};
use super::recorder::{Origin, Progress, Recorder};
use super::run::RunError;
use super::run_disk::RunDisk;
use super::steps::{Progressed, Steps};
use crate::vocabulary::{Hold, Observation, Recorded, Step};

/// A short command in the guest's shell.
const CLOCK_SET: Duration = Duration::from_secs(60);

/// One way, and what is known when it begins.
struct Way {
    /// Counted from 1.
    number: u32,
    step: Step,
    progressed: Progressed,
}

impl Steps<'_> {
    /// The last steps of the plan, where each is to go on from the same machine.
    pub(super) fn gone_apart(&self) -> &[Step] {
        let is_offered = self.route == BootRoute::Bootloader && self.plan.hold.is_none();
        let steps = &self.plan.steps;
        let together = steps.iter().rposition(|step| !step.is_reboot());
        match together {
            Some(last) if self.plan.side_by_side && is_offered && last + 2 < steps.len() => {
                &steps[last + 1..]
            }
            _ => &[],
        }
    }

    /// Saves the machine, and goes every one of the ways from there.
    pub(super) async fn side_by_side(
        &self,
        guest: &mut Guest<'_, '_>,
        progressed: &Progressed,
        disk: &mut RunDisk,
        steps: &[Step],
    ) -> Result<(), RunError> {
        guest
            .recorder()
            .working("save the machine as it is, for each way down and up to go on from");
        let saved = guest.save(&disk.state()?).await?;
        let disk = &*disk;
        let text = format!(
            "each of {} ways down and up was gone from one and the same saved machine",
            steps.len()
        );
        guest.recorder().record(Observation::Note { text })?;
        let origin = guest.recorder().origin().clone();
        let progress = RefCell::new(guest.recorder().progress());
        let mut looks = progressed.looks.clone();
        let ways = steps.iter().zip(1..).map(|(step, number)| {
            let way = Way {
                number,
                step: *step,
                progressed: Progressed {
                    looks: looks.clone(),
                    ..progressed.clone()
                },
            };
            let state = self.state_after(*step, progressed);
            *looks.entry(state).or_default() += 1;
            self.go(way, &saved, &origin, &progress, disk)
        });
        let recorded: Vec<Vec<Recorded>> = stream::iter(ways.collect::<Vec<_>>())
            .buffered(self.machines)
            .try_collect()
            .await?;
        for (number, way) in (1..).zip(recorded) {
            guest.recorder().take_in(number, way)?;
        }
        Ok(())
    }

    /// One way, by a machine of its own.
    async fn go(
        &self,
        way: Way,
        saved: &Saved,
        origin: &Origin,
        progress: &RefCell<&mut dyn Progress>,
        disk: &RunDisk,
    ) -> Result<Vec<Recorded>, RunError> {
        let mut progress = Shared(progress);
        let mut recorder = Recorder::branch(origin, way.number, &mut progress)?;
        let uefi = self
            .uefi
            .as_ref()
            .map(|uefi| uefi.copy(recorder.directory()));
        let steps = Steps {
            uefi: uefi.transpose()?.map(Arc::new),
            route: self.route.clone(),
            continuity: Continuity::begin(self.continuity.rhythm()),
            ..*self
        };
        let mut disk = disk.copy().await?;
        let (spec, files) = disk.attach_saved(steps.next_machine())?;
        recorder.record(Observation::StepStarted { step: way.step })?;
        let mut guest = Guest::resume(saved, &spec, files, &mut recorder).await?;
        let mut progressed = way.progressed;
        progressed.ports = guest.forwarded_ports().await?;
        steps.continuity.ask(&self.plan.candidate.http);
        steps.continuity.through(&progressed.ports);
        // The guest's clock stood still while it was saved, which is no fault of its.
        let now = SystemTime::UNIX_EPOCH
            .elapsed()
            .map_or(0, |since| since.as_secs());
        let set = format!("date -s @{now}");
        // Where it cannot be set, the look at the state tells.
        let _ = guest.run("set its clock", &set, CLOCK_SET).await?;
        let done = steps
            .carry_out_one(way.step, &mut guest, &mut progressed, &mut disk)
            .await;
        guest.power_off().await;
        done?;
        Ok(recorder.finish())
    }
}

/// Several recordings tell of their progress in one place, one at a time: they are all of one thread.
struct Shared<'a, 'p>(&'a RefCell<&'p mut dyn Progress>);

impl Progress for Shared<'_, '_> {
    fn observed(&mut self, recorded: &Recorded) {
        self.0.borrow_mut().observed(recorded);
    }

    fn waiting(&mut self, what: &str, deadline: Duration) {
        self.0.borrow_mut().waiting(what, deadline);
    }

    fn working(&mut self, what: &str) {
        self.0.borrow_mut().working(what);
    }

    fn held(&mut self, hold: Hold, port: Option<u16>) -> oneshot::Receiver<()> {
        self.0.borrow_mut().held(hold, port)
    }
}
