//! The running guest: one owner of the VM, that records what happens and offers the waits that a rehearsal is made of.
//!
//! Every wait is for an event, watches QEMU's exit, and is bounded by a deadline.

use std::fs::File;
use std::future::Future;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::console::{Lines, dead_end_of, stage_after};
use super::recorder::Recorder;
use crate::vm::{MachineSpec, Shell, ShellEvent, ShellPort, Vm, VmError, VmEvent, argv_text};
use crate::vocabulary::{BootId, Observation, Stage, StepOutcome};

/// A guest that is powered on.
pub(super) struct Guest<'a, 'p> {
    vm: Vm,
    recorder: &'a mut Recorder<'p>,
    /// The boot that runs now, counted from 1 over the whole run.
    boot: u32,
    console: File,
    lines: Lines,
    last_line: Option<String>,
    stage: Option<Stage>,
    /// What the console said that ends this boot.
    dead_end: Option<&'static str>,
    /// Resets since somebody last greeted.
    silent_resets: u32,
    spoke: bool,
    virtio: Channel,
    serial: Channel,
    commands: u64,
}

/// One of the shell's ports: its protocol, and who greeted on it.
#[derive(Default)]
struct Channel {
    shell: Shell,
    boot_id: Option<BootId>,
}

/// What one event meant for whoever waits.
#[derive(Debug)]
enum Happened {
    Nothing,
    Greeted(BootId),
    Answered(Answer),
    Reset,
    Exited(String),
}

/// What a command in the guest printed.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) exit_code: i32,
    pub(super) output: String,
    pub(super) truncated: bool,
}

/// Why the guest did not do what was waited for: a fact about it, not an error of the host.
#[derive(Debug, Clone)]
pub(super) struct GuestTrouble {
    /// The machine runs on, and may answer the next command.
    pub(super) alive: bool,
    pub(super) stage: Option<Stage>,
    pub(super) reason: String,
    pub(super) last_line: Option<String>,
}

impl GuestTrouble {
    /// How a step ends that it happened to.
    pub(super) fn outcome(&self) -> StepOutcome {
        StepOutcome::GuestFailed {
            stage: self.stage,
            reason: self.reason.clone(),
            last_line: self.last_line.clone(),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum GuestError {
    #[error(transparent)]
    Vm(#[from] VmError),
    #[error("failed to write the recording: {0}")]
    Record(#[from] io::Error),
}

/// A wait either gets what it waits for or tells the guest's trouble.
pub(super) type Waited<T> = Result<Result<T, GuestTrouble>, GuestError>;

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
        let console = console_file(recorder, boot)?;
        powered_on(recorder, spec, boot)?;
        let vm = Vm::start(spec, disk).await?;
        Ok(Self {
            vm,
            recorder,
            boot,
            console,
            lines: Lines::default(),
            last_line: None,
            stage: None,
            dead_end: None,
            silent_resets: 0,
            spoke: false,
            virtio: Channel::default(),
            serial: Channel::default(),
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
        self.reset()?;
        self.silent_resets = 0;
        powered_on(self.recorder, spec, self.boot)?;
        self.vm = Vm::start(spec, disk).await?;
        Ok(())
    }

    /// QEMU's loopback ports for the guest's: `(guest's, host's)`.
    pub(super) async fn forwarded_ports(&mut self) -> Result<Vec<(u16, u16)>, GuestError> {
        Ok(self.vm.forwarded_ports().await?)
    }

    /// Waits until a shell greets from a boot that is not `old`.
    pub(super) async fn wait_for_boot(
        &mut self,
        old: Option<&BootId>,
        deadline: Duration,
    ) -> Waited<BootId> {
        self.recorder.waiting("the guest's root shell", deadline);
        let until = Instant::now() + deadline;
        loop {
            match timeout_at(until, self.pump()).await {
                Ok(happened) => match happened? {
                    Happened::Greeted(boot_id) if Some(&boot_id) != old => return Ok(Ok(boot_id)),
                    Happened::Exited(how) => {
                        return Ok(Err(self.trouble(format!("the machine went off ({how})"))));
                    }
                    Happened::Reset if self.silent_resets > BOOT_LOOP_RESETS => {
                        return Ok(Err(self.trouble("boot loop".to_owned())));
                    }
                    _ => {}
                },
                Err(_) => {
                    let seconds = deadline.as_secs();
                    return Ok(Err(
                        self.trouble(format!("no root shell within {seconds} s"))
                    ));
                }
            }
            if let Some(reason) = self.dead_end {
                return Ok(Err(self.trouble(reason.to_owned())));
            }
        }
    }

    /// Runs a script in the guest's shell.
    pub(super) async fn run(
        &mut self,
        what: &str,
        script: &str,
        deadline: Duration,
    ) -> Waited<Answer> {
        let port = if self.virtio.boot_id.is_some() {
            ShellPort::Virtio
        } else if self.serial.boot_id.is_some() {
            ShellPort::Serial
        } else {
            let trouble = self.trouble(format!("no root shell to {what}"));
            return Ok(Err(GuestTrouble {
                alive: true,
                ..trouble
            }));
        };
        self.recorder
            .waiting(&format!("the guest to {what}"), deadline);
        self.send(port, script).await?;
        let until = Instant::now() + deadline;
        loop {
            match timeout_at(until, self.pump()).await {
                Ok(happened) => match happened? {
                    Happened::Answered(answer) => return Ok(Ok(answer)),
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
                    Happened::Greeted(_) | Happened::Nothing => {}
                },
                Err(_) => {
                    // Its answer may still come, and must not be taken for that of the next command.
                    self.channel(port).boot_id = None;
                    let seconds = deadline.as_secs();
                    return Ok(Err(
                        self.trouble(format!("no answer within {seconds} s to: {what}"))
                    ));
                }
            }
        }
    }

    /// Sends a script whose end nobody can wait for: it takes the shell away.
    pub(super) async fn send_last(&mut self, script: &str) -> Result<(), GuestError> {
        let port = if self.virtio.boot_id.is_some() {
            ShellPort::Virtio
        } else {
            ShellPort::Serial
        };
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

    /// Takes the power away.
    pub(super) async fn power_off(self) {
        self.vm.stop().await;
    }

    async fn send(&mut self, port: ShellPort, script: &str) -> Result<(), GuestError> {
        self.commands += 1;
        let nonce = format!("{}.{}.{}", std::process::id(), self.boot, self.commands);
        let bytes = self.channel(port).shell.command(script, &nonce);
        // A port that QEMU has closed shows as its exit, which every wait watches.
        let _ = self.vm.write_shell(port, &bytes).await;
        Ok(())
    }

    /// Takes in one event, records it, and tells what it meant.
    async fn pump(&mut self) -> Result<Happened, GuestError> {
        match self.vm.next().await {
            VmEvent::Console(bytes) => {
                self.console.write_all(&bytes)?;
                self.hear(&bytes)?;
                Ok(Happened::Nothing)
            }
            VmEvent::Shell(port, bytes) => self.listen(port, &bytes),
            VmEvent::Qmp { name, data } => {
                self.recorder.record(Observation::Qemu {
                    boot: self.boot,
                    event: name.clone(),
                    data: data.to_string(),
                })?;
                if name != "RESET" {
                    return Ok(Happened::Nothing);
                }
                self.reset()?;
                Ok(Happened::Reset)
            }
            VmEvent::Exited { status, stderr } => {
                self.recorder.record(Observation::QemuExited {
                    boot: self.boot,
                    status: status.clone(),
                    stderr,
                })?;
                Ok(Happened::Exited(status))
            }
        }
    }

    fn hear(&mut self, bytes: &[u8]) -> Result<(), GuestError> {
        self.spoke = true;
        for line in self.lines.feed(bytes) {
            self.recorder.record(Observation::Console {
                boot: self.boot,
                line: line.clone(),
            })?;
            if let Some(stage) = stage_after(self.stage, &line) {
                self.stage = Some(stage);
                self.recorder.record(Observation::Stage {
                    boot: self.boot,
                    stage,
                })?;
            }
            self.dead_end = self.dead_end.or(dead_end_of(&line));
            self.last_line = Some(line);
        }
        self.dead_end = self.dead_end.or(dead_end_of(&self.lines.partial()));
        Ok(())
    }

    fn listen(&mut self, port: ShellPort, bytes: &[u8]) -> Result<Happened, GuestError> {
        let mut happened = Happened::Nothing;
        for event in self.channel(port).shell.receive(bytes) {
            happened = match event {
                ShellEvent::Greeted(boot_id) => {
                    self.recorder.record(Observation::ChannelOpened {
                        boot: self.boot,
                        boot_id: boot_id.clone(),
                        transport: port.as_str().to_owned(),
                    })?;
                    self.channel(port).boot_id = Some(boot_id.clone());
                    self.spoke = true;
                    self.silent_resets = 0;
                    Happened::Greeted(boot_id)
                }
                ShellEvent::Answered {
                    exit_code,
                    output,
                    truncated,
                } => Happened::Answered(Answer {
                    exit_code,
                    output: String::from_utf8_lossy(&output).into_owned(),
                    truncated,
                }),
            };
        }
        Ok(happened)
    }

    /// The guest starts over: nothing that the old boot said counts for the new one.
    fn reset(&mut self) -> Result<(), GuestError> {
        self.virtio = Channel::default();
        self.serial = Channel::default();
        self.silent_resets += 1;
        self.dead_end = None;
        if self.spoke {
            self.boot += 1;
            self.console = console_file(self.recorder, self.boot)?;
            self.spoke = false;
            self.lines.clear();
            self.last_line = None;
            self.stage = None;
        }
        Ok(())
    }

    fn channel(&mut self, port: ShellPort) -> &mut Channel {
        match port {
            ShellPort::Virtio => &mut self.virtio,
            ShellPort::Serial => &mut self.serial,
        }
    }

    fn trouble(&self, reason: String) -> GuestTrouble {
        GuestTrouble {
            alive: false,
            stage: self.stage,
            reason,
            last_line: self.last_line.clone(),
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

/// The raw console of each boot, as it came.
fn console_file(recorder: &Recorder<'_>, boot: u32) -> io::Result<File> {
    File::create(recorder.directory().join(format!("console-{boot}.log")))
}
