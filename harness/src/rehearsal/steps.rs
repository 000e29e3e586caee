//! The steps of a rehearsal: boot, switch, reboot, and a look at the state that each leads to.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::choose::BootRoute;
use super::continuity::Continuity;
use super::deadlines::Deadlines;
use super::guest::{Guest, GuestTrouble, TroubleKind};
use super::recorder::Recorder;
use super::run::{Closures, RunError, skip};
use super::run_disk::{RunDisk, Writes};
use crate::vm::{Proof, Uefi};
use crate::vocabulary::{BootId, Observation, Plan, State, Step, StepOutcome};

/// What all steps share.
pub(super) struct Steps<'a> {
    pub(super) plan: &'a Plan,
    pub(super) closures: &'a Closures,
    pub(super) route: BootRoute,
    /// The machine's firmware; `None` for SeaBIOS.
    pub(super) uefi: Option<Arc<Uefi>>,
    pub(super) proof: &'a Proof,
    pub(super) deadlines: Deadlines,
    /// Asks the endpoints while the machine runs.
    pub(super) continuity: Continuity,
    /// How many machines may run at once, where several can.
    pub(super) machines: usize,
}

/// What one step leaves for the next.
#[derive(Clone, Default)]
pub(super) struct Progressed {
    pub(super) boot_id: Option<BootId>,
    pub(super) ports: Vec<(u16, u16)>,
    pub(super) switched: bool,
    /// How often each state was looked at.
    pub(super) looks: BTreeMap<State, u32>,
    /// How much was written to the disk when the last look began.
    pub(super) written: usize,
    /// What tells the next look from others at its state: the power cut that the disk is as left by, or the specialisation that is booted.
    pub(super) occasion: Option<String>,
}

/// A step ends well, or with the guest's trouble.
pub(super) type Stepped = Result<Result<(), GuestTrouble>, RunError>;

impl Steps<'_> {
    /// Powers the machine on, carries out every step, and powers it off whatever came of them.
    pub(super) async fn carry_out(
        &self,
        recorder: &mut Recorder<'_>,
        disk: &mut RunDisk,
    ) -> Result<(), RunError> {
        let Some(first) = self.plan.steps.first() else {
            return Ok(());
        };
        // The power-on belongs to the first step, whichever it is.
        recorder.record(Observation::StepStarted { step: *first })?;
        let installed = self.plan.baseline.as_ref().unwrap_or(&self.plan.candidate);
        self.continuity.ask(&installed.http);
        let apart = self.gone_apart();
        if self.plan.side_by_side && apart.is_empty() {
            let text = "the ways down and up were not gone side by side: there are not two of them, the guest is held, or QEMU itself starts \
                        its kernel";
            recorder.record(Observation::Note {
                text: text.to_owned(),
            })?;
        }
        let foretold = self.foretell_power_on(disk).await?;
        let (spec, fds) = disk.attach(self.installed_machine(), Writes::Stay)?;
        let mut guest = Guest::power_on(&spec, fds, recorder, 1).await?;
        self.foretold(&mut guest, foretold)?;
        let together = self.plan.steps.len() - apart.len();
        let mut progressed = Progressed::default();
        let result = self
            .one_by_one(together, &mut guest, &mut progressed, disk)
            .await;
        let result = match result {
            Ok(true) if !apart.is_empty() => {
                self.side_by_side(&mut guest, &progressed, disk, apart)
                    .await
            }
            result => result.map(drop),
        };
        guest.power_off().await;
        result
    }

    /// Carries out the first `count` steps, of which the first has begun; `false` where one of them ended the rehearsal.
    async fn one_by_one(
        &self,
        count: usize,
        guest: &mut Guest<'_, '_>,
        progressed: &mut Progressed,
        disk: &mut RunDisk,
    ) -> Result<bool, RunError> {
        for (done, step) in self.plan.steps.iter().enumerate().take(count) {
            if done > 0 {
                guest
                    .recorder()
                    .record(Observation::StepStarted { step: *step })?;
            }
            if !self.carry_out_one(*step, guest, progressed, disk).await? {
                skip(&self.plan.steps[done + 1..], guest.recorder())?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Carries out a step that has begun; `false` where nothing can come after it.
    pub(super) async fn carry_out_one(
        &self,
        step: Step,
        guest: &mut Guest<'_, '_>,
        progressed: &mut Progressed,
        disk: &mut RunDisk,
    ) -> Result<bool, RunError> {
        let stepped = match step {
            Step::Boot | Step::Provision => self.boot(guest, progressed, disk).await?,
            Step::Switch => {
                self.continuity.ask(&self.plan.candidate.http);
                self.switch(guest, progressed, disk).await?
            }
            Step::PowerCutInSwitch => self.cut_power_in_switch(guest, progressed, disk).await?,
            Step::Specialisations => self.specialisations(guest, progressed, disk).await?,
            cut if cut.cuts_power() => self.cut_power(cut, guest, progressed, disk).await?,
            reboot => self.reboot(reboot, guest, progressed, disk).await?,
        };
        for observation in self.continuity.take() {
            guest.recorder().record(observation)?;
        }
        let outcome = match &stepped {
            Ok(()) => StepOutcome::Done,
            Err(trouble) if trouble.kind == TroubleKind::NotOffered => trouble.outcome(),
            Err(trouble) => {
                guest.keep_screen().await?;
                trouble.outcome()
            }
        };
        guest
            .recorder()
            .record(Observation::StepFinished { step, outcome })?;
        let goes_on = match stepped {
            Ok(()) => true,
            Err(trouble) => trouble.kind == TroubleKind::NotOffered,
        };
        Ok(goes_on)
    }

    async fn boot(
        &self,
        guest: &mut Guest<'_, '_>,
        progressed: &mut Progressed,
        disk: &RunDisk,
    ) -> Stepped {
        if let Err(trouble) = self.comes_up(guest, progressed).await? {
            return Ok(Err(trouble));
        }
        let state = match self.plan.baseline {
            Some(_) => State::Before,
            None => State::Booted,
        };
        self.look(guest, progressed, disk, state, None).await
    }
}
