//! The steps of a rehearsal: boot, switch, reboot, and a look at the state that each leads to.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::choose::BootRoute;
use super::continuity::Continuity;
use super::deadlines::Deadlines;
use super::guest::{Guest, GuestTrouble, TroubleKind};
use super::provision::link_foreign_devices;
use super::recorder::Recorder;
use super::run::{Closures, KernelFiles, RunError, machine, skip};
use super::run_disk::{RunDisk, Writes};
use crate::fold;
use crate::vm::{BootSource, MachineSpec, Proof, Uefi};
use crate::vocabulary::{BootId, ClosureFacts, Observation, Plan, State, Step, StepOutcome};

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
    /// The power cut that the disk is as left by.
    pub(super) cut: Option<String>,
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

    /// As `nixos-rebuild switch` does it: the profile first, then the candidate's own `switch-to-configuration`.
    async fn switch(
        &self,
        guest: &mut Guest<'_, '_>,
        progressed: &mut Progressed,
        disk: &RunDisk,
    ) -> Stepped {
        let since = match guest
            .run("tell its time", "date +%s", Duration::from_secs(60))
            .await?
        {
            Ok(answer) => answer.output.trim().parse().ok(),
            Err(trouble) => return Ok(Err(trouble)),
        };
        let toplevel = &self.plan.candidate.toplevel;
        // Without a bootloader that can be installed, all of the switch but the bootloader.
        let action = match self.route {
            BootRoute::Bootloader => "switch",
            BootRoute::Direct { .. } => "test",
        };
        let command = format!("{toplevel}/bin/switch-to-configuration {action}");
        let script = format!(
            "{}{}{command}",
            link_foreign_devices(self.plan),
            set_profile(toplevel.as_str())
        );
        let answer = match guest
            .run("switch to the candidate", &script, self.deadlines.switch())
            .await?
        {
            Ok(answer) => answer,
            Err(trouble) => return Ok(Err(trouble)),
        };
        let refused = fold::refused_by_own_checks(answer.exit_code, &answer.output);
        guest.recorder().record(Observation::CommandRan {
            step: Step::Switch,
            command,
            exit_code: answer.exit_code,
            output: answer.output,
        })?;
        if refused
            && self.route == BootRoute::Bootloader
            && let Err(trouble) = self.make_boot_default(guest).await?
        {
            return Ok(Err(trouble));
        }
        progressed.switched = true;
        self.look(guest, progressed, disk, State::Switched, since)
            .await
    }

    /// What NixOS advises where the candidate refuses to be switched to live: `boot` and a reboot, so that the reboot still
    /// shows the candidate.
    async fn make_boot_default(&self, guest: &mut Guest<'_, '_>) -> Stepped {
        let toplevel = &self.plan.candidate.toplevel;
        let command = format!("{toplevel}/bin/switch-to-configuration boot");
        let script = format!("{}{command}", link_foreign_devices(self.plan));
        let what = "make the candidate the boot default";
        let answer = match guest.run(what, &script, self.deadlines.install()).await? {
            Ok(answer) => answer,
            Err(trouble) => return Ok(Err(trouble)),
        };
        guest.recorder().record(Observation::Note {
            text: "the candidate refuses to be switched to live: `switch-to-configuration boot` was run for the reboot"
                .to_owned(),
        })?;
        guest.recorder().record(Observation::CommandRan {
            step: Step::Switch,
            command,
            exit_code: answer.exit_code,
            output: answer.output,
        })?;
        Ok(Ok(()))
    }

    /// Powers the machine on again, with the disk as it is now.
    pub(super) async fn power_on_again(
        &self,
        guest: &mut Guest<'_, '_>,
        disk: &mut RunDisk,
        writes: Writes,
    ) -> Result<(), RunError> {
        let foretold = self.foretell_power_on(disk).await?;
        let (spec, fds) = disk.attach(self.next_machine(), writes)?;
        guest.power_on_again(&spec, fds).await?;
        self.foretold(guest, foretold)
    }

    /// Waits until another boot than the last one is up.
    pub(super) async fn comes_up(
        &self,
        guest: &mut Guest<'_, '_>,
        progressed: &mut Progressed,
    ) -> Stepped {
        let old = progressed.boot_id.take();
        match guest.wait_for_boot(old.as_ref(), self.deadlines).await? {
            Ok(boot_id) => self.is_up(guest, progressed, boot_id).await?,
            Err(trouble) => return Ok(Err(trouble)),
        }
        Ok(Ok(()))
    }

    /// The machine is up, and can be reached: not before, since one that goes off at once is for the wait to tell.
    pub(super) async fn is_up(
        &self,
        guest: &mut Guest<'_, '_>,
        progressed: &mut Progressed,
        boot_id: BootId,
    ) -> Result<(), RunError> {
        progressed.boot_id = Some(boot_id);
        progressed.ports = guest.forwarded_ports().await?;
        self.continuity.through(&progressed.ports);
        Ok(())
    }

    fn installed_machine(&self) -> MachineSpec {
        match self.route {
            BootRoute::Bootloader => machine(self.plan, self.proof, self.uefi.clone()),
            BootRoute::Direct { .. } => {
                let installed = self.plan.baseline.as_ref().unwrap_or(&self.plan.candidate);
                self.directly(installed, &self.closures.installed)
            }
        }
    }

    /// The machine of every power-on after the first.
    pub(super) fn next_machine(&self) -> MachineSpec {
        match self.route {
            BootRoute::Bootloader => machine(self.plan, self.proof, self.uefi.clone()),
            BootRoute::Direct { .. } => {
                self.directly(&self.plan.candidate, &self.closures.candidate)
            }
        }
    }

    /// The machine with QEMU itself starting the kernel; a reboot ends it, since the next kernel may be another one.
    pub(super) fn directly(&self, facts: &ClosureFacts, files: &KernelFiles) -> MachineSpec {
        MachineSpec {
            boot: BootSource::Kernel {
                kernel: files.kernel.clone(),
                initrd: files.initrd.clone(),
                command_line: format!(
                    "init={}/init {}",
                    facts.toplevel,
                    facts.kernel_params.join(" ")
                ),
            },
            no_reboot: true,
            ..machine(self.plan, self.proof, None)
        }
    }
}

/// What `nix-env --profile /nix/var/nix/profiles/system --set` leaves: a new generation, and the profile link on it.
pub(super) fn set_profile(toplevel: &str) -> String {
    format!(
        "cd /nix/var/nix/profiles || exit 90
if [ \"$(readlink -f system)\" != {toplevel} ]; then
  n=1; while [ -e system-$n-link ] || [ -L system-$n-link ]; do n=$((n+1)); done
  ln -s {toplevel} system-$n-link && ln -s system-$n-link .system-new && mv -T .system-new system || exit 90
fi
cd /
"
    )
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn the_profile_gets_a_new_generation_and_only_one() {
        let directory = tempfile::tempdir().unwrap();
        let profiles = directory.path();
        let [old, new] = ["old", "new"].map(|name| {
            let path = profiles.join(name);
            fs::create_dir(&path).unwrap();
            fs::canonicalize(path).unwrap()
        });
        symlink(&old, profiles.join("system-1-link")).unwrap();
        symlink("system-1-link", profiles.join("system")).unwrap();
        let script = set_profile(new.to_str().unwrap())
            .replace("/nix/var/nix/profiles", profiles.to_str().unwrap());
        for _ in 0..2 {
            let status = std::process::Command::new("sh")
                .arg("-ec")
                .arg(&script)
                .status()
                .unwrap();
            assert!(status.success());
        }
        assert_eq!(fs::canonicalize(profiles.join("system")).unwrap(), new);
        assert_eq!(
            fs::read_link(profiles.join("system")).unwrap().to_str(),
            Some("system-2-link")
        );
        assert!(!profiles.join("system-3-link").exists());
    }
}
