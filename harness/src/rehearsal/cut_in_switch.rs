//! The power cut in a deploy: the deploy is made, the power goes, and the disk is rebuilt as cuts at several of its points would have left it;
//! each must boot one of the two generations, with that one's store whole. Afterwards the deploy was never begun.

use super::choose::BootRoute;
use super::deploy_parts::{self, CopiedBy, DeployPart};
use super::dumps;
use super::guest::{Down, Guest, GuestTrouble, TroubleKind, Waited};
use super::provision::link_foreign_devices;
use super::run::RunError;
use super::run_disk::{RunDisk, Writes};
use super::steps::{Progressed, Stepped, Steps, set_profile};
use super::store_files::StoreFiles;
use crate::image::{Cut, Part};
use crate::vocabulary::{Observation, Stage, State, Step, Unproven};

use std::time::Duration;

/// A short question to the guest's shell.
const QUESTION: Duration = Duration::from_secs(60);

/// A part of the deploy that was gone through, and the firmware's variables after it, which no power cut takes back.
struct Gone {
    part: Part,
    variables: Option<Vec<u8>>,
}

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
        let begin = disk.written()?;
        let gone = match self.deploy(guest, disk, begin).await? {
            Ok(gone) => gone,
            Err(trouble) => return Ok(Err(trouble)),
        };
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
        let started = dumps::system_state(self.deadlines.startup());
        let deadline = self.deadlines.scale(started.deadline);
        Ok(
            match guest.run(started.what, &started.script, deadline).await? {
                Err(gone) if !gone.machine_runs_on() => Err(gone),
                _ => Ok(()),
            },
        )
    }

    async fn comes_up(&self, guest: &mut Guest<'_, '_>, progressed: &mut Progressed) -> Stepped {
        let old = progressed.boot_id.take();
        match guest.wait_for_boot(old.as_ref(), self.deadlines).await? {
            Ok(boot_id) => self.is_up(guest, progressed, boot_id).await?,
            Err(trouble) => return Ok(Err(trouble)),
        }
        Ok(Ok(()))
    }

    /// Goes through the parts of the deploy, as far as that goes: what ends it is for the switch itself to tell.
    async fn deploy(
        &self,
        guest: &mut Guest<'_, '_>,
        disk: &RunDisk,
        begin: usize,
    ) -> Result<Result<Vec<Gone>, GuestTrouble>, RunError> {
        let mut gone: Vec<Gone> = Vec::new();
        let parts = match self.prepare(guest).await? {
            Ok(Some(parts)) => parts,
            Ok(None) => return Ok(Ok(gone)),
            Err(trouble) => return Ok(Err(trouble)),
        };
        let mut end = begin;
        for DeployPart {
            name,
            at,
            what,
            script,
        } in parts
        {
            let ran = guest.run(what, &script, self.deadlines.switch()).await?;
            end = disk.written()?.max(end);
            gone.push(Gone {
                part: Part { name, end, at },
                variables: self.variables()?,
            });
            let failed = match ran {
                Ok(answer) => {
                    let failed = (answer.exit_code != 0)
                        .then(|| format!("it ended with {}", answer.exit_code));
                    guest.recorder().record(Observation::CommandRan {
                        step: Step::PowerCutInSwitch,
                        command: what.to_owned(),
                        exit_code: answer.exit_code,
                        output: answer.output,
                    })?;
                    failed
                }
                Err(trouble) => Some(trouble.reason),
            };
            if let Some(reason) = failed {
                let text = format!(
                    "the deploy in which the power was cut went no further than to {what}: {reason}"
                );
                guest.recorder().record(Observation::Note { text })?;
                break;
            }
        }
        Ok(Ok(gone))
    }

    /// Takes what only the candidate has out of the store; `None` where that does not go, which leaves nothing to be cut.
    async fn prepare(&self, guest: &mut Guest<'_, '_>) -> Waited<Option<Vec<DeployPart>>> {
        let closures = self.closures;
        let new: Vec<String> = closures
            .of_candidate
            .difference(&closures.of_installed)
            .cloned()
            .collect();
        let asked = guest.run("say whether it has Nix", deploy_parts::WHICH_COPY, QUESTION);
        let by = match asked.await? {
            Ok(answer) if answer.output.trim() == "nix" => CopiedBy::Nix,
            Ok(_) => CopiedBy::Tools,
            Err(trouble) => return Ok(Err(trouble)),
        };
        if !new.is_empty() {
            let script = deploy_parts::take_out(&new, by);
            let what = "take the candidate out of its store";
            let reason = match guest.run(what, &script, self.deadlines.switch()).await? {
                Ok(answer) if answer.exit_code == 0 => None,
                Ok(answer) => Some(answer.output.lines().last().unwrap_or("no word").to_owned()),
                Err(trouble) if trouble.machine_runs_on() => Some(trouble.reason),
                Err(gone) => return Ok(Err(gone)),
            };
            if let Some(reason) = reason {
                guest.recorder().unproven(Unproven {
                    state: Some(State::CutInSwitch),
                    subject: Step::PowerCutInSwitch.as_str().to_owned(),
                    reason: format!("the guest did not {what}, to have it copied anew: {reason}"),
                    decisive: true,
                })?;
                return Ok(Ok(None));
            }
        }
        let toplevel = self.plan.candidate.toplevel.as_str();
        let links = link_foreign_devices(self.plan);
        let parts = deploy_parts::parts(toplevel, &new, by, &set_profile(toplevel), &links);
        Ok(Ok(Some(parts)))
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
            progressed.cut = None;
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
        let (kept, lost) = disk.lost(cut)?;
        let cut_name = cut.name.clone();
        guest.recorder().record(Observation::PowerCut {
            cut: cut_name,
            kept,
            lost,
        })?;
        guest
            .recorder()
            .working("rebuild the disk as the cut left it");
        disk.rebuild(cut).await?;
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
        progressed.cut = Some(cut.name.clone());
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

    fn variables(&self) -> Result<Option<Vec<u8>>, RunError> {
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
