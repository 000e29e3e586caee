//! The running guest: one owner of the VM, that records what happens and offers the waits that a rehearsal is made of.
//!
//! Every wait is for an event, watches QEMU's exit, and is bounded by a deadline.

mod boot;
mod down;
mod screen;
mod trouble;

use std::fs::File;
use std::future::Future;
use std::io;
use std::os::fd::AsFd as _;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

pub(super) use down::{Down, PanicSeen};

use super::dead_ends::PANIC;
use super::recorder::Recorder;
use super::senses::{Answer, Heard, Resumable, Senses};
use crate::vm::{MachineFds, MachineSpec, ShellPort, Vm, VmEvent, argv_text};
use crate::vocabulary::Observation;
pub use trouble::GuestError;
pub(super) use trouble::{GuestTrouble, TroubleKind, Waited};

/// A guest that is powered on.
pub(super) struct Guest<'a, 'p> {
    vm: Vm,
    recorder: &'a mut Recorder<'p>,
    senses: Senses,
    commands: u64,
}

/// What is known of a guest whose machine was saved.
pub(super) struct Saved {
    senses: Resumable,
    commands: u64,
}

/// What one event meant for whoever waits.
#[derive(Debug)]
pub(super) enum Happened {
    Heard(Heard),
    /// The machine starts over; this is the trouble of whoever waited for the boot that it ended.
    Reset(GuestTrouble),
    Exited(String),
}

impl<'a, 'p> Guest<'a, 'p> {
    /// Powers a machine on; `boot` is the number of its first boot.
    pub(super) async fn power_on(
        spec: &MachineSpec,
        files: impl Into<MachineFds>,
        recorder: &'a mut Recorder<'p>,
        boot: u32,
    ) -> Result<Self, GuestError> {
        powered_on(recorder, spec, boot)?;
        Ok(Self {
            senses: Senses::new(recorder, boot)?,
            vm: Vm::start(spec, files).await?,
            recorder,
            commands: 0,
        })
    }

    /// Stops the machine for good, and leaves its state in `file`, for others to go on from.
    pub(super) async fn save(&mut self, file: &File) -> Result<Saved, GuestError> {
        self.vm.save(file.as_fd()).await?;
        self.vm.cut_power().await;
        Ok(Saved {
            senses: self.senses.to_be_resumed(),
            commands: self.commands,
        })
    }

    /// Goes on with a saved machine.
    pub(super) async fn resume(
        saved: &Saved,
        spec: &MachineSpec,
        files: MachineFds,
        recorder: &'a mut Recorder<'p>,
    ) -> Result<Self, GuestError> {
        let place = recorder.place(&format!("qemu-{}", saved.senses.boot()), "txt");
        std::fs::write(place, argv_text(spec).join("\n") + "\n")?;
        Ok(Self {
            senses: Senses::resumed(&saved.senses, recorder)?,
            vm: Vm::start(spec, files).await?,
            recorder,
            commands: saved.commands,
        })
    }

    /// The number of the boot.
    pub(super) fn boot(&self) -> u32 {
        self.senses.boot()
    }

    pub(super) fn recorder(&mut self) -> &mut Recorder<'p> {
        self.recorder
    }

    /// Powers the machine on again, in a new QEMU, after [`Guest::wait_for_exit`].
    pub(super) async fn power_on_again(
        &mut self,
        spec: &MachineSpec,
        files: MachineFds,
    ) -> Result<(), GuestError> {
        self.senses.forget(self.recorder)?;
        powered_on(self.recorder, spec, self.senses.boot())?;
        self.vm = Vm::start(spec, files).await?;
        Ok(())
    }

    /// QEMU's loopback ports for the guest's: `(guest's, host's)`.
    pub(super) async fn forwarded_ports(&mut self) -> Result<Vec<(u16, u16)>, GuestError> {
        Ok(self.vm.forwarded_ports().await?)
    }

    /// Runs a script in the guest's shell.
    pub(super) async fn run(
        &mut self,
        what: &str,
        script: &str,
        deadline: Duration,
    ) -> Waited<Answer> {
        let Some(port) = self.senses.port() else {
            return Ok(Err(self
                .trouble(format!("no root shell to {what}"))
                .of_a_live_machine()));
        };
        self.recorder
            .waiting(&format!("the guest to {what}"), deadline);
        self.send(port, script).await?;
        let until = Instant::now() + deadline;
        loop {
            let Ok(happened) = timeout_at(until, self.pump()).await else {
                self.senses.abandon(port);
                let seconds = deadline.as_secs();
                let trouble = self.trouble(format!("no answer within {seconds} s to: {what}"));
                return Ok(Err(trouble.of_a_live_machine()));
            };
            let happened = happened?;
            if let Some(trouble) = self.panicked() {
                return Ok(Err(trouble));
            }
            match happened {
                Happened::Heard(Heard::Answered(answer)) => return Ok(Ok(answer)),
                Happened::Heard(Heard::Greeted(greeted, _)) if greeted == port => {
                    let trouble =
                        self.trouble(format!("the root shell was killed while it was to {what}"));
                    return Ok(Err(trouble.of_a_live_machine()));
                }
                Happened::Reset(trouble) => {
                    let reason = format!("{} while it was to {what}", trouble.reason);
                    return Ok(Err(GuestTrouble { reason, ..trouble }));
                }
                Happened::Exited(how) => {
                    return Ok(Err(self.trouble(format!(
                        "the machine went off ({how}) while it was to {what}"
                    ))));
                }
                Happened::Heard(_) => {}
            }
        }
    }

    /// Sends a script whose end nobody can wait for: it takes the shell away.
    pub(super) async fn send_last(&mut self, script: &str) -> Result<(), GuestError> {
        let port = self.senses.port().unwrap_or(ShellPort::Serial);
        self.send(port, script).await
    }

    /// The next thing that happens until then; `None` where nothing does.
    pub(super) async fn happens_until(
        &mut self,
        until: Instant,
        what: &str,
    ) -> Result<Option<Happened>, GuestError> {
        self.recorder
            .waiting(what, until.saturating_duration_since(Instant::now()));
        timeout_at(until, self.pump()).await.ok().transpose()
    }

    /// Waits until QEMU has ended.
    pub(super) async fn wait_for_exit(&mut self, deadline: Duration) -> Waited<()> {
        self.recorder.waiting("the machine to go off", deadline);
        let until = Instant::now() + deadline;
        loop {
            match timeout_at(until, self.pump()).await {
                Ok(happened) => {
                    if let Happened::Exited(_) = happened? {
                        return Ok(Ok(()));
                    }
                }
                Err(_) => {
                    let seconds = deadline.as_secs();
                    return Ok(Err(self.trouble(format!(
                        "the machine did not go off within {seconds} s"
                    ))));
                }
            }
        }
    }

    /// Lets the guest run while `work` goes on outside of it; ends early where the machine goes off.
    pub(super) async fn during<T>(&mut self, work: impl Future<Output = T>) -> Waited<T> {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return Ok(Ok(done)),
                happened = self.pump() => match happened? {
                    Happened::Exited(how) => {
                        return Ok(Err(self.trouble(format!("the machine went off ({how})"))));
                    }
                    Happened::Reset(trouble) => return Ok(Err(trouble)),
                    Happened::Heard(_) => {
                        if let Some(trouble) = self.panicked() {
                            return Ok(Err(trouble));
                        }
                    }
                },
            }
        }
    }

    /// Cuts the power: nobody is told, and whatever was under way is not finished.
    pub(super) async fn cut_power(&mut self) -> Result<(), GuestError> {
        self.vm.cut_power().await;
        let boot = self.senses.boot();
        self.recorder.record(Observation::QemuExited {
            boot,
            status: "the power was cut".to_owned(),
            stderr: String::new(),
        })?;
        Ok(())
    }

    /// Takes the power away.
    pub(super) async fn power_off(self) {
        self.vm.stop().await;
    }

    async fn send(&mut self, port: ShellPort, script: &str) -> Result<(), GuestError> {
        self.commands += 1;
        let boot = self.senses.boot();
        let nonce = format!("{}.{boot}.{}", std::process::id(), self.commands);
        let bytes = self.senses.command(port, script, &nonce);
        // A port that QEMU has closed shows as its exit, which every wait watches.
        let _ = self.vm.write_shell(port, &bytes).await;
        Ok(())
    }

    /// Takes in one event, records it, and tells what it meant. Safe to cancel.
    pub(super) async fn pump(&mut self) -> Result<Happened, GuestError> {
        let event = self.vm.next().await;
        let boot = self.senses.boot();
        Ok(match event {
            VmEvent::Console(bytes) => {
                self.senses.hear_console(self.recorder, &bytes)?;
                if self.senses.starved() {
                    return Err(GuestError::Starved { boot });
                }
                Happened::Heard(Heard::Nothing)
            }
            VmEvent::Shell(port, bytes) => {
                Happened::Heard(self.senses.hear_shell(self.recorder, port, &bytes)?)
            }
            VmEvent::Qmp { name, data } => {
                let data = data.to_string();
                let reset = name == "RESET";
                self.recorder.record(Observation::Qemu {
                    boot,
                    event: name,
                    data,
                })?;
                if reset {
                    let trouble = self.trouble("the machine was reset".to_owned());
                    self.senses.forget(self.recorder)?;
                    Happened::Reset(trouble)
                } else {
                    Happened::Heard(Heard::Nothing)
                }
            }
            VmEvent::Exited {
                status,
                stderr,
                crashed,
            } => {
                self.recorder.record(Observation::QemuExited {
                    boot,
                    status: status.clone(),
                    stderr: stderr.clone(),
                })?;
                if crashed {
                    return Err(GuestError::Crashed {
                        boot,
                        status,
                        stderr,
                    });
                }
                Happened::Exited(status)
            }
        })
    }

    /// A kernel that panicked runs nothing more, whether it is told to reset the machine or not.
    fn panicked(&self) -> Option<GuestTrouble> {
        let reason = self.senses.dead_end().filter(|end| *end == PANIC)?;
        Some(self.trouble(reason.to_owned()))
    }

    pub(super) fn trouble(&self, reason: String) -> GuestTrouble {
        GuestTrouble {
            kind: TroubleKind::Gone,
            stage: self.senses.stage(),
            reason,
            last_line: self.senses.last_line().map(str::to_owned),
        }
    }
}

/// Records the command line, and leaves it where a person finds it.
fn powered_on(recorder: &mut Recorder<'_>, spec: &MachineSpec, boot: u32) -> io::Result<()> {
    let argv = argv_text(spec);
    let place = recorder.directory().join(format!("qemu-{boot}.txt"));
    std::fs::write(place, argv.join("\n") + "\n")?;
    recorder.record(Observation::PoweredOn { boot, argv })
}
