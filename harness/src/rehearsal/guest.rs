//! The running guest: one owner of the VM, that records what happens and offers the waits that a rehearsal is made of.
//!
//! Every wait is for an event, watches QEMU's exit, and is bounded by a deadline.

use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, timeout_at};

use super::console::{dead_end_of_screen, stage_of};
use super::deadlines::Deadlines;
use super::recorder::Recorder;
use super::senses::{Answer, Heard, Senses};
use crate::vm::{MachineSpec, ShellPort, Vm, VmError, VmEvent, argv_text};
use crate::vocabulary::{BootId, Observation, Stage, StepOutcome, screen_file};

/// A guest that is powered on.
pub(super) struct Guest<'a, 'p> {
    vm: Vm,
    recorder: &'a mut Recorder<'p>,
    senses: Senses,
    commands: u64,
}

/// What one event meant for whoever waits.
#[derive(Debug)]
pub(super) enum Happened {
    Heard(Heard),
    Reset,
    Exited(String),
}

/// Why the guest did not do what was waited for: a fact about it, not an error of the host.
#[derive(Debug, Clone)]
pub(super) struct GuestTrouble {
    pub(super) kind: TroubleKind,
    pub(super) stage: Option<Stage>,
    pub(super) reason: String,
    pub(super) last_line: Option<String>,
}

/// What a trouble says of the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TroubleKind {
    /// It went off, was reset, or cannot go on.
    Gone,
    /// Its shell did not do what it was asked for; the machine runs on, and may answer the next command.
    ShellOnly,
    /// Nothing that could be seen of it is wrong, and too little could be seen.
    Unseen,
}

impl GuestTrouble {
    /// The trouble is the shell's, and the machine runs on.
    fn of_a_live_machine(self) -> Self {
        self.of_kind(TroubleKind::ShellOnly)
    }

    fn of_kind(self, kind: TroubleKind) -> Self {
        Self { kind, ..self }
    }

    pub(super) fn machine_runs_on(&self) -> bool {
        self.kind == TroubleKind::ShellOnly
    }

    /// How a step ends that it happened to.
    pub(super) fn outcome(&self) -> StepOutcome {
        match self.kind {
            TroubleKind::Gone | TroubleKind::ShellOnly => StepOutcome::GuestFailed {
                stage: self.stage,
                reason: self.reason.clone(),
                last_line: self.last_line.clone(),
            },
            TroubleKind::Unseen => StepOutcome::Unobservable {
                reason: self.reason.clone(),
            },
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum GuestError {
    #[error(transparent)]
    Vm(#[from] VmError),
    #[error("failed to write the recording: {0}")]
    Record(#[from] io::Error),
    /// Not the guest's doing: QEMU 7.2 under TCG does it now and then at a reset, when one virtual CPU runs while another
    /// changes the memory map.
    #[error("QEMU itself crashed in boot {boot}, {status} {stderr}")]
    Crashed {
        boot: u32,
        status: String,
        stderr: String,
    },
    /// Not the guest's doing either: its emulated clock stood still.
    #[error(
        "the host gave QEMU too little time in boot {boot}: the guest's kernel found its timer not working (run fewer things beside it)"
    )]
    Starved { boot: u32 },
}

impl GuestError {
    /// Whether it says nothing about the closure and nothing about the host's set-up: another attempt may go well.
    pub(super) fn may_pass(&self) -> bool {
        matches!(self, Self::Crashed { .. } | Self::Starved { .. })
    }
}

/// A wait either gets what it waits for or tells the guest's trouble.
pub(super) type Waited<T> = Result<Result<T, GuestTrouble>, GuestError>;

/// So many boots in a row that end in the same stage are a loop. A healthy one may reboot once, after a repair of its file system.
const BOOT_LOOP_RELAPSES: u32 = 3;
/// A guest that resets so often without a sign of life is in a loop. SeaBIOS makes up to three resets of one reboot.
const BOOT_LOOP_RESETS: u32 = 12;

impl<'a, 'p> Guest<'a, 'p> {
    /// Powers a machine on; `boot` is the number of its first boot.
    pub(super) async fn power_on(
        spec: &MachineSpec,
        disk: OwnedFd,
        recorder: &'a mut Recorder<'p>,
        boot: u32,
    ) -> Result<Self, GuestError> {
        powered_on(recorder, spec, boot)?;
        Ok(Self {
            senses: Senses::new(recorder, boot)?,
            vm: Vm::start(spec, disk).await?,
            recorder,
            commands: 0,
        })
    }

    pub(super) fn recorder(&mut self) -> &mut Recorder<'p> {
        self.recorder
    }

    /// Powers the machine on again, in a new QEMU, after [`Guest::wait_for_exit`].
    pub(super) async fn power_on_again(
        &mut self,
        spec: &MachineSpec,
        disk: OwnedFd,
    ) -> Result<(), GuestError> {
        self.senses.forget(self.recorder)?;
        powered_on(self.recorder, spec, self.senses.boot())?;
        self.vm = Vm::start(spec, disk).await?;
        Ok(())
    }

    /// QEMU's loopback ports for the guest's: `(guest's, host's)`.
    pub(super) async fn forwarded_ports(&mut self) -> Result<Vec<(u16, u16)>, GuestError> {
        Ok(self.vm.forwarded_ports().await?)
    }

    /// Waits until a shell greets from a boot that is not `old`, or the boot shows that none will.
    pub(super) async fn wait_for_boot(
        &mut self,
        old: Option<&BootId>,
        deadlines: Deadlines,
    ) -> Waited<BootId> {
        let deadline = deadlines.boot();
        self.recorder.waiting("the guest's root shell", deadline);
        let until = Instant::now() + deadline;
        loop {
            let pause = until.min(Instant::now() + deadlines.screen());
            match timeout_at(pause, self.pump()).await {
                Ok(happened) => match happened? {
                    Happened::Heard(Heard::Greeted(_, boot_id)) if Some(&boot_id) != old => {
                        return Ok(Ok(boot_id));
                    }
                    Happened::Exited(how) => {
                        return Ok(Err(self.trouble(format!("the machine went off ({how})"))));
                    }
                    Happened::Reset => {
                        if let Some(trouble) = self.boot_loop() {
                            return Ok(Err(trouble));
                        }
                    }
                    Happened::Heard(_) => {}
                },
                Err(_) if Instant::now() >= until => return Ok(Err(self.no_shell(deadline))),
                Err(_) => {
                    if let Some(trouble) = self.read_screen().await? {
                        return Ok(Err(trouble));
                    }
                }
            }
            if let Some(reason) = self.senses.dead_end() {
                return Ok(Err(self.trouble(reason.to_owned())));
            }
            if let Some(trouble) = self.stalled(deadlines) {
                return Ok(Err(trouble));
            }
        }
    }

    /// A guest that starts over again and again without a shell.
    fn boot_loop(&self) -> Option<GuestTrouble> {
        let relapses = self.senses.relapses();
        if relapses.count >= BOOT_LOOP_RELAPSES {
            let times = relapses.count;
            let trouble = self.trouble(format!(
                "boot loop: it resets again and again ({times} times)"
            ));
            return Some(GuestTrouble {
                stage: relapses.stage,
                last_line: relapses.last_line.clone(),
                ..trouble
            });
        }
        (self.senses.silent_resets() > BOOT_LOOP_RESETS)
            .then(|| self.trouble("boot loop".to_owned()))
    }

    /// A boot that stays in one stage for longer than any healthy one.
    fn stalled(&self, deadlines: Deadlines) -> Option<GuestTrouble> {
        let budget = deadlines.stage(self.senses.stage())?;
        let seconds = budget.as_secs();
        (self.senses.in_stage_for()? > budget)
            .then(|| self.trouble(format!("no progress within {seconds} s")))
    }

    /// Firmware and bootloader may speak on the screen only: reads it while no kernel has spoken.
    async fn read_screen(&mut self) -> Result<Option<GuestTrouble>, GuestError> {
        let has_kernel = self.senses.stage() >= Some(Stage::Kernel);
        if has_kernel || self.senses.in_stage_for().is_none() {
            return Ok(None);
        }
        let lines = match self.vm.screen_text().await {
            Ok(lines) => lines,
            // A machine without a screen, or one that ends: its exit is an event of its own.
            Err(error) => {
                tracing::debug!(%error, "the screen could not be read");
                return Ok(None);
            }
        };
        let Some((reason, line)) = dead_end_of_screen(&lines) else {
            return Ok(None);
        };
        let shown = lines.iter().filter_map(|line| stage_of(line)).max();
        let boot = self.senses.boot();
        for line in &lines {
            let line = line.clone();
            self.recorder
                .record(Observation::ScreenText { boot, line })?;
        }
        Ok(Some(GuestTrouble {
            stage: shown.max(self.senses.stage()).or(Some(Stage::Firmware)),
            last_line: Some(line.to_owned()),
            ..self.trouble(reason.to_owned())
        }))
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
            match happened? {
                Happened::Heard(Heard::Answered(answer)) => return Ok(Ok(answer)),
                Happened::Heard(Heard::Greeted(greeted, _)) if greeted == port => {
                    let trouble =
                        self.trouble(format!("the root shell was killed while it was to {what}"));
                    return Ok(Err(trouble.of_a_live_machine()));
                }
                Happened::Reset => {
                    return Ok(Err(
                        self.trouble(format!("the machine was reset while it was to {what}"))
                    ));
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
                    Happened::Reset => return Ok(Err(self.trouble("the machine was reset".to_owned()))),
                    _ => {}
                },
            }
        }
    }

    /// Keeps what the guest's screen shows, where there is a machine yet: what a kernel says without a serial console, a person can
    /// read only there.
    pub(super) async fn keep_screen(&mut self) -> Result<(), GuestError> {
        let boot = self.senses.boot();
        let place = std::path::absolute(self.recorder.directory().join(screen_file(boot)))?;
        let without = |why: &dyn std::fmt::Display| Observation::Note {
            text: format!("there is no picture of the guest's screen: {why}"),
        };
        let observation = match self.vm.screendump(&place).await {
            Ok(()) => match sha256_of(&place) {
                Ok(sha256) => Observation::Screen { boot, sha256 },
                Err(error) => without(&error),
            },
            Err(refused @ VmError::Refused { .. }) => without(&refused),
            // Without a QEMU there is no screen; that it ended is in the recording.
            Err(error) => {
                tracing::debug!(%error, "no picture of the guest's screen");
                return Ok(());
            }
        };
        self.recorder.record(observation)?;
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
                    self.senses.forget(self.recorder)?;
                    Happened::Reset
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

    /// A boot whose shell never greeted has failed, unless its console shows that it came up, or neither console nor shell
    /// ever showed anything at all: then it is our sight that failed.
    fn no_shell(&self, deadline: Duration) -> GuestTrouble {
        let seconds = deadline.as_secs();
        if self.senses.stage() >= Some(Stage::MultiUser) {
            let reason =
                format!("the guest came up, but its root shell did not greet within {seconds} s");
            return self.trouble(reason).of_kind(TroubleKind::Unseen);
        }
        if !self.senses.ever_perceived() {
            let reason =
                format!("neither the console nor a root shell showed anything within {seconds} s");
            return self.trouble(reason).of_kind(TroubleKind::Unseen);
        }
        self.trouble(format!("no root shell within {seconds} s"))
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

fn sha256_of(file: &Path) -> io::Result<String> {
    let digest = Sha256::digest(std::fs::read(file)?);
    Ok(base16ct::lower::encode_string(&digest))
}

/// Records the command line, and leaves it where a person finds it.
fn powered_on(recorder: &mut Recorder<'_>, spec: &MachineSpec, boot: u32) -> io::Result<()> {
    let argv = argv_text(spec);
    let place = recorder.directory().join(format!("qemu-{boot}.txt"));
    std::fs::write(place, argv.join("\n") + "\n")?;
    recorder.record(Observation::PoweredOn { boot, argv })
}
