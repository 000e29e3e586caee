//! The power cut in a deploy: the deploy is made, the power goes, and the disk is rebuilt as cuts at several of its points would have left it;
//! each must boot one of the two generations, with that one's store whole. Afterwards the deploy was never begun.

use super::choose::BootRoute;
use super::doomed_deploy::Gone;
use super::dumps;
use super::guest::{Down, Guest, GuestTrouble, TroubleKind};
use super::power_cut::rebuild;
use super::run::RunError;
use super::run_disk::{RunDisk, Writes};
use super::steps::{Progressed, Stepped, Steps};
use super::store_files::StoreFiles;
use crate::image::{Cut, Part};
use crate::vocabulary::{Observation, Stage, State};

impl Steps<'_> {
    pub(super) async fn cut_power_in_switch(
        &self,
        guest: &mut Guest<'_, '_>,
        progressed: &mut Progressed,
        disk: &mut RunDisk,
    ) -> Stepped {
        if let BootRoute::Direct { .. } = self.route {
            let reason =
                "its bootloader cannot be rehearsed, so that no cut shows what it would start";
            let trouble = guest.trouble(reason.to_owned());
            return Ok(Err(trouble.of_kind(TroubleKind::NotOffered)));
        }
        // Machines come and go, none of which owes anybody a service.
        self.continuity.ask(&[]);
        let variables = self.variables()?;
        if let Err(trouble) = self.start_over(guest, progressed, disk).await? {
            return Ok(Err(trouble));
        }
        let parts = match self.prepare_deploy(guest).await? {
            Ok(parts) => parts,
            Err(trouble) => return Ok(Err(trouble)),
        };
        let begin = disk.written()?;
        let gone = self.deploy(guest, disk, parts).await?;
        guest.cut_power().await?;
        let looked = self
            .look_at_cuts(guest, progressed, disk, begin, &gone)
            .await?;
        if let Err(trouble) = looked {
            return Ok(Err(trouble));
        }
        // As it was powered off in order, before the deploy.
        guest
            .recorder()
            .working("rebuild the disk as it was before the deploy");
        let nothing = Cut {
            kept: 0,
            name: "before it was powered on".to_owned(),
        };
        disk.rebuild(&nothing).await?;
        self.set_variables(variables.as_deref())?;
        self.power_on_again(guest, disk, Writes::Stay).await?;
        if let Err(trouble) = self.comes_up(guest, progressed).await? {
            return Ok(Err(trouble));
        }
        let installed = self.plan.baseline.as_ref().unwrap_or(&self.plan.candidate);
        self.continuity.ask(&installed.http);
        self.look(guest, progressed, disk, State::Before, None)
            .await
    }

    /// Powers the machine off in order and on again, so that all that comes is under one power, and waits for the end of its start.
    async fn start_over(
        &self,
        guest: &mut Guest<'_, '_>,
        progressed: &mut Progressed,
        disk: &mut RunDisk,
    ) -> Stepped {
        match self.power_down(guest).await? {
            Ok(Down::Off) => {}
            Ok(Down::StartsOver) => {
                let reason = "the machine started over instead of going off".to_owned();
                return Ok(Err(guest.trouble(reason)));
            }
            Err(trouble) => return Ok(Err(trouble)),
        }
        self.power_on_again(guest, disk, Writes::Stay).await?;
        if let Err(trouble) = self.comes_up(guest, progressed).await? {
            return Ok(Err(trouble));
        }
        let started = dumps::system_state(self.deadlines.startup(self.plan.start_seconds));
        let deadline = self.deadlines.scale(started.deadline);
        Ok(
            match guest.run(started.what, &started.script, deadline).await? {
                Err(gone) if !gone.machine_runs_on() => Err(gone),
                _ => Ok(()),
            },
        )
    }

    /// Boots each disk that a cut leaves, and looks at it.
    async fn look_at_cuts(
        &self,
        guest: &mut Guest<'_, '_>,
        progressed: &mut Progressed,
        disk: &mut RunDisk,
        begin: usize,
        gone: &[Gone],
    ) -> Stepped {
        let parts: Vec<Part> = gone.iter().map(|gone| gone.part).collect();
        let points = disk.cut_points(begin, &parts)?;
        for name in points.unwritten {
            let text = format!(
                "power cut {name}: nothing had reached the disk since the cut before it, so it is the same disk"
            );
            guest.recorder().record(Observation::Note { text })?;
        }
        if points.cuts.is_empty() {
            return Ok(Ok(()));
        }
        guest
            .recorder()
            .working("read the closures, to compare the guest's store with them");
        let closures = self.closures.clone();
        let files = tokio::task::spawn_blocking(move || StoreFiles::read(&closures)).await??;
        for cut in &points.cuts {
            let of = gone.iter().find(|gone| cut.kept <= gone.part.end);
            self.set_variables(of.and_then(|gone| gone.variables.as_deref()))?;
            let looked = self.look_at_cut(guest, progressed, disk, cut, &files).await;
            progressed.occasion = None;
            if let Err(trouble) = looked? {
                let reason = format!("{}; power {}", trouble.reason, cut.name);
                return Ok(Err(GuestTrouble { reason, ..trouble }));
            }
            guest.cut_power().await?;
        }
        Ok(Ok(()))
    }

    async fn look_at_cut(
        &self,
        guest: &mut Guest<'_, '_>,
        progressed: &mut Progressed,
        disk: &mut RunDisk,
        cut: &Cut,
        files: &StoreFiles,
    ) -> Stepped {
        rebuild(cut, guest, disk).await?;
        self.power_on_again(guest, disk, Writes::Go).await?;
        if let Err(trouble) = self.comes_up(guest, progressed).await? {
            let boots_then = trouble.stage < Some(Stage::Stage2)
                && trouble.kind == TroubleKind::Gone
                && self.boots_once_replayed(guest, progressed, disk).await?;
            if !boots_then {
                return Ok(Err(trouble));
            }
            let text = format!(
                "power {}: the machine did not come up ({}) until a kernel that was started directly had replayed the journal of the file \
                 system, which the bootloader reads without: in such a moment of any write to /boot the machine needs somebody to start it so",
                cut.name, trouble.reason
            );
            guest.recorder().record(Observation::Note { text })?;
        }
        progressed.occasion = Some(cut.name.clone());
        let state = State::CutInSwitch;
        if let Err(trouble) = self.look(guest, progressed, disk, state, None).await? {
            return Ok(Err(trouble));
        }
        Ok(files
            .compare(guest, self.closures, state, self.deadlines)
            .await?)
    }

    /// Whether the machine boots by itself when a kernel has mounted its file systems. A bootloader that reads one with a journal sees what is in
    /// place, which amid the writes of what the journal has already may be anything, whatever was installed and whoever installed it.
    async fn boots_once_replayed(
        &self,
        guest: &mut Guest<'_, '_>,
        progressed: &mut Progressed,
        disk: &mut RunDisk,
    ) -> Result<bool, RunError> {
        guest.keep_screen().await?;
        guest.cut_power().await?;
        let installed = self.plan.baseline.as_ref().unwrap_or(&self.plan.candidate);
        let spec = self.directly(installed, &self.closures.installed);
        let (spec, fds) = disk.attach(spec, Writes::OnTheRebuilt)?;
        guest.power_on_again(&spec, fds).await?;
        if self.comes_up(guest, progressed).await?.is_err() {
            return Ok(false);
        }
        let off = self.power_down(guest).await?;
        if off.is_err() {
            return Ok(false);
        }
        self.power_on_again(guest, disk, Writes::Go).await?;
        Ok(self.comes_up(guest, progressed).await?.is_ok())
    }

    pub(super) fn variables(&self) -> Result<Option<Vec<u8>>, RunError> {
        Ok(self
            .uefi
            .as_ref()
            .map(|uefi| uefi.variables())
            .transpose()?)
    }

    fn set_variables(&self, variables: Option<&[u8]>) -> Result<(), RunError> {
        if let (Some(uefi), Some(variables)) = (&self.uefi, variables) {
            uefi.set_variables(variables)?;
        }
        Ok(())
    }
}
