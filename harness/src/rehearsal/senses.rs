//! What is known of the boot that runs: its console, how far it is, and who greeted on which port.
//!
//! Fed by the guest with what its VM tells, it writes everything down before it makes something of it. At a reset it forgets:
//! nothing that an old boot said counts for the new one.

use std::fs::File;
use std::io::{self, Write as _};
use std::time::Duration;

use tokio::time::Instant;

use super::console::{Lines, stage_after};
use super::dead_ends::{PANIC, dead_end_of};
use super::host_fault::is_starved;
use super::recorder::Recorder;
use crate::vm::{Shell, ShellEvent, ShellPort};
use crate::vocabulary::{BootId, Observation, Stage};

/// The senses for one guest, over all its boots.
pub(super) struct Senses {
    /// The boot that runs now, counted from 1 over the whole run.
    boot: u32,
    console: File,
    console_bytes: usize,
    lines: Lines,
    last_line: Option<String>,
    stage: Option<Stage>,
    /// When it came to that stage, or was powered on.
    since: Instant,
    dead_end: Option<&'static str>,
    starved: bool,
    silent_resets: u32,
    relapses: Relapses,
    spoke: bool,
    /// Whether a shell of this boot greeted, whatever became of it.
    greeted: bool,
    /// Whether any boot of this guest printed anything on its console, or greeted.
    ever_perceived: bool,
    virtio: Channel,
    serial: Channel,
}

/// A boot that goes on in another machine.
#[derive(Debug)]
pub(super) struct Resumable {
    boot: u32,
    stage: Option<Stage>,
    /// Of which boot a shell greeted, on each port.
    virtio: Option<BootId>,
    serial: Option<BootId>,
}

/// Boots in a row that started over by themselves, each as far as the one before.
#[derive(Debug, Clone, Default)]
pub(super) struct Relapses {
    pub(super) count: u32,
    pub(super) stage: Option<Stage>,
    /// The last line of the console of the latest of them.
    pub(super) last_line: Option<String>,
}

impl Relapses {
    /// Counts a boot that came to `stage` and started over. One that nobody saw is the firmware's own, which resets a machine more than
    /// once for one reboot.
    fn and(self, stage: Option<Stage>, last_line: Option<&str>) -> Self {
        if stage.is_none() {
            return self;
        }
        Self {
            count: if self.stage == stage {
                self.count + 1
            } else {
                1
            },
            stage,
            last_line: last_line.map(str::to_owned),
        }
    }
}

/// One of the shell's ports: its protocol, and who greeted on it.
#[derive(Default)]
struct Channel {
    shell: Shell,
    boot_id: Option<BootId>,
}

/// What a shell's bytes meant.
#[derive(Debug)]
pub(super) enum Heard {
    Nothing,
    Greeted(ShellPort, BootId),
    Answered(Answer),
}

/// What a command in the guest printed.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) exit_code: i32,
    pub(super) output: String,
    pub(super) truncated: bool,
}

/// The kernel's last word before it resets the machine (`kernel/reboot.c`).
const FAREWELL: &str = "reboot: Restarting system";

/// A guest that prints without end must not fill the host's disk.
const CONSOLE_LIMIT: usize = 64 << 20;

impl Resumable {
    pub(super) fn boot(&self) -> u32 {
        self.boot
    }
}

impl Senses {
    /// For a machine whose first boot has the number `boot`.
    ///
    /// # Errors
    /// When the console's file cannot be made.
    pub(super) fn new(recorder: &Recorder<'_>, boot: u32) -> io::Result<Self> {
        recorder.boot_is(boot);
        let place = recorder.directory().join(format!("console-{boot}.log"));
        Ok(Self::with(boot, File::create(place)?))
    }

    /// With the file that has the raw console of the boot, as it comes.
    fn with(boot: u32, console: File) -> Self {
        Self {
            boot,
            console,
            console_bytes: 0,
            lines: Lines::default(),
            last_line: None,
            stage: None,
            since: Instant::now(),
            dead_end: None,
            starved: false,
            silent_resets: 0,
            relapses: Relapses::default(),
            spoke: false,
            greeted: false,
            ever_perceived: false,
            virtio: Channel::default(),
            serial: Channel::default(),
        }
    }

    /// What whoever goes on with this boot in another machine has to know of it.
    pub(super) fn to_be_resumed(&self) -> Resumable {
        Resumable {
            boot: self.boot,
            stage: self.stage,
            virtio: self.virtio.boot_id.clone(),
            serial: self.serial.boot_id.clone(),
        }
    }

    /// For a boot that greeted in another machine, and goes on in this one.
    ///
    /// # Errors
    /// When the console's file cannot be made.
    pub(super) fn resumed(from: &Resumable, recorder: &Recorder<'_>) -> io::Result<Self> {
        let channel = |boot_id: &Option<BootId>| Channel {
            boot_id: boot_id.clone(),
            shell: Shell::default(),
        };
        let place = recorder.place(&format!("console-{}", from.boot), "log");
        Ok(Self {
            stage: from.stage,
            spoke: true,
            greeted: true,
            ever_perceived: true,
            virtio: channel(&from.virtio),
            serial: channel(&from.serial),
            ..Self::with(from.boot, File::create(place)?)
        })
    }

    pub(super) fn boot(&self) -> u32 {
        self.boot
    }

    /// How far the boot is, as its console told.
    pub(super) fn stage(&self) -> Option<Stage> {
        self.stage
    }

    /// How long it has been in its stage; `None` once somebody greeted, because a shutdown is in none.
    pub(super) fn in_stage_for(&self) -> Option<Duration> {
        (!self.greeted).then(|| self.since.elapsed())
    }

    /// Boots that started over by themselves, up to now.
    pub(super) fn relapses(&self) -> &Relapses {
        &self.relapses
    }

    pub(super) fn last_line(&self) -> Option<&str> {
        self.last_line.as_deref()
    }

    /// What the console said that ends this boot.
    pub(super) fn dead_end(&self) -> Option<&'static str> {
        self.dead_end
    }

    /// Whether the boot ended for want of the host's processors.
    pub(super) fn starved(&self) -> bool {
        self.starved
    }

    /// Resets since somebody last greeted, or the machine was powered on.
    pub(super) fn silent_resets(&self) -> u32 {
        self.silent_resets
    }

    /// Whether console or shell ever showed anything, in any boot of this guest.
    pub(super) fn ever_perceived(&self) -> bool {
        self.ever_perceived
    }

    /// The best port on which a shell of this boot greeted.
    pub(super) fn port(&self) -> Option<ShellPort> {
        if self.virtio.boot_id.is_some() {
            Some(ShellPort::Virtio)
        } else {
            self.serial.boot_id.as_ref().map(|_| ShellPort::Serial)
        }
    }

    /// Gives a port up whose shell does not answer: its answer may still come, and must not be taken for another's.
    pub(super) fn abandon(&mut self, port: ShellPort) {
        self.channel(port).boot_id = None;
    }

    /// The bytes that make the shell on `port` run `script`.
    pub(super) fn command(&mut self, port: ShellPort, script: &str, nonce: &str) -> Vec<u8> {
        self.channel(port).shell.command(script, nonce)
    }

    /// Takes in what the console delivered.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub(super) fn hear_console(
        &mut self,
        recorder: &mut Recorder<'_>,
        bytes: &[u8],
    ) -> io::Result<()> {
        self.spoke = true;
        let room = CONSOLE_LIMIT
            .saturating_sub(self.console_bytes)
            .min(bytes.len());
        self.console.write_all(&bytes[..room])?;
        self.console_bytes += room;
        self.ever_perceived = true;
        for line in self.lines.feed(bytes) {
            recorder.record(Observation::Console {
                boot: self.boot,
                line: line.clone(),
            })?;
            if let Some(stage) = stage_after(self.stage, &line) {
                self.stage = Some(stage);
                self.since = Instant::now();
                recorder.record(Observation::Stage {
                    boot: self.boot,
                    stage,
                })?;
            }
            self.dead_end = self.dead_end.or(dead_end_of(&line));
            self.starved |= is_starved(&line);
            // What came before it tells why.
            if !line.contains(FAREWELL) {
                self.last_line = Some(line);
            }
        }
        // A prompt has no end of line; a panic's line is whole before anything is made of it.
        let prompt = dead_end_of(&self.lines.partial()).filter(|end| *end != PANIC);
        self.dead_end = self.dead_end.or(prompt);
        Ok(())
    }

    /// Takes in what a shell's port delivered.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub(super) fn hear_shell(
        &mut self,
        recorder: &mut Recorder<'_>,
        port: ShellPort,
        bytes: &[u8],
    ) -> io::Result<Heard> {
        let mut heard = Heard::Nothing;
        for event in self.channel(port).shell.receive(bytes) {
            heard = match event {
                ShellEvent::Greeted(boot_id) => {
                    recorder.record(Observation::ChannelOpened {
                        boot: self.boot,
                        boot_id: boot_id.clone(),
                        transport: port.as_str().to_owned(),
                    })?;
                    self.channel(port).boot_id = Some(boot_id.clone());
                    self.spoke = true;
                    self.greeted = true;
                    self.ever_perceived = true;
                    self.silent_resets = 0;
                    self.relapses = Relapses::default();
                    Heard::Greeted(port, boot_id)
                }
                ShellEvent::Answered {
                    exit_code,
                    output,
                    truncated,
                } => Heard::Answered(Answer {
                    exit_code,
                    output: String::from_utf8_lossy(&output).into_owned(),
                    truncated,
                }),
            };
        }
        Ok(heard)
    }

    /// The guest starts over. A boot that said nothing at all gives its number to the next one: SeaBIOS resets a machine
    /// up to three times for one reboot.
    ///
    /// # Errors
    /// When the next console's file cannot be made.
    pub(super) fn forget(&mut self, recorder: &Recorder<'_>) -> io::Result<()> {
        let silent_resets = self.silent_resets + 1;
        let ever_perceived = self.ever_perceived;
        let relapses = self.relapsed();
        if self.spoke {
            *self = Self::new(recorder, recorder.next_boot())?;
        }
        self.since = Instant::now();
        self.relapses = relapses;
        self.ever_perceived = ever_perceived;
        self.virtio = Channel::default();
        self.serial = Channel::default();
        self.silent_resets = silent_resets;
        Ok(())
    }

    /// The relapses up to the end of this boot. One that greeted was told to reboot.
    fn relapsed(&self) -> Relapses {
        if self.greeted {
            return Relapses::default();
        }
        let known = self.relapses.clone();
        known.and(self.stage, self.last_line())
    }

    fn channel(&mut self, port: ShellPort) -> &mut Channel {
        match port {
            ShellPort::Virtio => &mut self.virtio,
            ShellPort::Serial => &mut self.serial,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boots_that_end_in_the_same_stage_are_counted_and_the_firmwares_resets_are_not() {
        let initrd = Some(Stage::Initrd);
        let relapses = Relapses::default()
            .and(initrd, Some("fsck finished, rebooting..."))
            .and(None, None)
            .and(initrd, Some("fsck finished, rebooting..."));
        assert_eq!((relapses.count, relapses.stage), (2, initrd));
        assert_eq!(
            relapses.last_line.as_deref(),
            Some("fsck finished, rebooting...")
        );
    }

    #[test]
    fn a_boot_that_comes_further_is_no_relapse_of_the_one_before() {
        let relapses = Relapses::default()
            .and(Some(Stage::Initrd), None)
            .and(Some(Stage::Stage2), None);
        assert_eq!(relapses.count, 1);
    }
}
