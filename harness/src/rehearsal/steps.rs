//! The steps of a rehearsal: boot, switch, reboot, and a look at the state that each leads to.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use super::choose::BootRoute;
use super::continuity::{Continuity, Rhythm};
use super::deadlines::Deadlines;
use super::foretell::foretell;
use super::guest::{Guest, GuestTrouble};
use super::observe::{Look, look};
use super::provision::link_foreign_devices;
use super::recorder::Recorder;
use super::run::{Closures, KernelFiles, RunError, machine, skip};
use crate::fold;
use crate::vm::{BootSource, MachineSpec, Proof, Uefi};
use crate::vocabulary::{
    BootId, ByHand, ClosureFacts, Observation, Plan, State, Step, StepOutcome,
};

/// What all steps share.
pub(super) struct Steps<'a> {
    pub(super) plan: &'a Plan,
    pub(super) closures: &'a Closures,
    pub(super) route: BootRoute,
    /// The machine's firmware; `None` for SeaBIOS.
    pub(super) uefi: Option<Arc<Uefi>>,
    pub(super) proof: &'a Proof,
    pub(super) deadlines: Deadlines,
}

/// What one step leaves for the next.
#[derive(Default)]
struct Progressed {
    boot_id: Option<BootId>,
    ports: Vec<(u16, u16)>,
    switched: bool,
}

/// A step ends well, or with the guest's trouble.
type Stepped = Result<Result<(), GuestTrouble>, RunError>;

impl Steps<'_> {
    /// Powers the machine on, carries out every step, and powers it off whatever came of them.
    pub(super) async fn carry_out(
        &self,
        recorder: &mut Recorder<'_>,
        disk: OwnedFd,
    ) -> Result<(), RunError> {
        let Some(first) = self.plan.steps.first() else {
            return Ok(());
        };
        // The power-on belongs to the first step, whichever it is.
        recorder.record(Observation::StepStarted { step: *first })?;
        let continuity = Continuity::begin(Rhythm {
            began: recorder.began(),
            beat: self.deadlines.beat(),
            patience: self.deadlines.http(),
        });
        let installed = self.plan.baseline.as_ref().unwrap_or(&self.plan.candidate);
        continuity.ask(&installed.http);
        let spec = self.installed_machine();
        let mut guest = Guest::power_on(&spec, disk.try_clone()?, recorder, 1).await?;
        let result = self.one_by_one(&mut guest, &continuity, &disk).await;
        guest.power_off().await;
        result
    }

    async fn one_by_one(
        &self,
        guest: &mut Guest<'_, '_>,
        continuity: &Continuity,
        disk: &OwnedFd,
    ) -> Result<(), RunError> {
        let mut progressed = Progressed::default();
        continuity.through(&guest.forwarded_ports().await?);
        for (done, step) in self.plan.steps.iter().enumerate() {
            if done > 0 {
                guest
                    .recorder()
                    .record(Observation::StepStarted { step: *step })?;
            }
            let stepped = match step {
                Step::Boot | Step::Provision => self.boot(guest, &mut progressed).await?,
                Step::Switch => {
                    continuity.ask(&self.plan.candidate.http);
                    self.switch(guest, &mut progressed).await?
                }
                Step::WarmReboot => {
                    self.warm_reboot(guest, &mut progressed, continuity, disk)
                        .await?
                }
            };
            for observation in continuity.take() {
                guest.recorder().record(observation)?;
            }
            let outcome = match &stepped {
                Ok(()) => StepOutcome::Done,
                Err(trouble) => {
                    guest.keep_screen().await?;
                    trouble.outcome()
                }
            };
            guest.recorder().record(Observation::StepFinished {
                step: *step,
                outcome,
            })?;
            if stepped.is_err() {
                skip(&self.plan.steps[done + 1..], guest.recorder())?;
                break;
            }
        }
        Ok(())
    }

    async fn boot(&self, guest: &mut Guest<'_, '_>, progressed: &mut Progressed) -> Stepped {
        let boot_id = match guest.wait_for_boot(None, self.deadlines).await? {
            Ok(boot_id) => boot_id,
            Err(trouble) => return Ok(Err(trouble)),
        };
        progressed.boot_id = Some(boot_id);
        progressed.ports = guest.forwarded_ports().await?;
        let state = match self.plan.baseline {
            Some(_) => State::Before,
            None => State::Booted,
        };
        self.look(guest, progressed, state, None).await
    }

    /// As `nixos-rebuild switch` does it: the profile first, then the candidate's own `switch-to-configuration`.
    async fn switch(&self, guest: &mut Guest<'_, '_>, progressed: &mut Progressed) -> Stepped {
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
        self.look(guest, progressed, State::Switched, since).await
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

    async fn warm_reboot(
        &self,
        guest: &mut Guest<'_, '_>,
        progressed: &mut Progressed,
        continuity: &Continuity,
        disk: &OwnedFd,
    ) -> Stepped {
        guest.send_last(REBOOT).await?;
        if let BootRoute::Direct { .. } = self.route {
            if let Err(trouble) = guest.wait_for_exit(self.deadlines.power_off()).await? {
                return Ok(Err(trouble));
            }
            let spec = self.directly(&self.plan.candidate, &self.closures.candidate);
            guest.power_on_again(&spec, disk.try_clone()?).await?;
            continuity.through(&guest.forwarded_ports().await?);
        }
        let old = progressed.boot_id.take();
        let boot_id = match guest.wait_for_boot(old.as_ref(), self.deadlines).await? {
            Ok(boot_id) => boot_id,
            Err(trouble) => return Ok(Err(trouble)),
        };
        progressed.boot_id = Some(boot_id);
        progressed.ports = guest.forwarded_ports().await?;
        let state = if progressed.switched || self.plan.baseline.is_none() {
            State::Rebooted
        } else {
            State::Before
        };
        self.look(guest, progressed, state, None).await
    }

    async fn look(
        &self,
        guest: &mut Guest<'_, '_>,
        progressed: &mut Progressed,
        state: State,
        since: Option<u64>,
    ) -> Stepped {
        if let Err(trouble) = self.by_hand(guest, state).await? {
            return Ok(Err(trouble));
        }
        let window = Duration::from_secs(u64::from(self.plan.window_seconds));
        let looked = look(
            guest,
            &Look {
                state,
                closure: self.plan.closure_in(state),
                probes: &self.plan.probes,
                since,
                window: self.deadlines.scale(window),
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

    fn installed_machine(&self) -> MachineSpec {
        match self.route {
            BootRoute::Bootloader => machine(self.plan, self.proof, self.uefi.clone()),
            BootRoute::Direct { .. } => {
                let installed = self.plan.baseline.as_ref().unwrap_or(&self.plan.candidate);
                self.directly(installed, &self.closures.installed)
            }
        }
    }

    /// The machine with QEMU itself starting the kernel; a reboot ends it, since the next kernel may be another one.
    fn directly(&self, facts: &ClosureFacts, files: &KernelFiles) -> MachineSpec {
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

/// A reboot through firmware and bootloader: without the variables systemctl takes a loaded kernel or a tree at
/// `/run/nextroot` for it (systemd's `docs/ENVIRONMENT.md`), and without `-i` somebody's inhibitor may hold it up.
const REBOOT: &str =
    "SYSTEMCTL_SKIP_AUTO_KEXEC=1 SYSTEMCTL_SKIP_AUTO_SOFT_REBOOT=1 systemctl reboot -i";

/// What `nix-env --profile /nix/var/nix/profiles/system --set` leaves: a new generation, and the profile link on it.
fn set_profile(toplevel: &str) -> String {
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
