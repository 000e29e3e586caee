//! The machine of a run that is over, started again for a person: on an overlay of the disk that the run kept.
//!
//! Called by the command line, which owns the terminal. Nothing is recorded and nothing proven.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::choose::{BootRoute, boot_route};
use super::deadlines::Deadlines;
use super::devices::processor;
use super::firmware;
use super::run::machine;
use crate::image::{self, Again, Cache, NotKept};
use crate::vm::{self, BootSource, Proof, Shell, ShellEvent, ShellPort, Vm, VmError, VmEvent};
use crate::vocabulary::{Observation, Plan, Recorded};

/// Why the machine of a run cannot be started again.
#[derive(Debug, thiserror::Error)]
pub enum DebugError {
    #[error(transparent)]
    NotKept(#[from] NotKept),
    #[error(transparent)]
    Vm(#[from] VmError),
    #[error("failed to hand the disk to QEMU: {0}")]
    Io(#[from] io::Error),
    #[error(
        "the run started its kernel directly, and {} is not on this machine any more: rehearse again",
        path.display()
    )]
    NoKernel { path: PathBuf },
    #[error("the recording has no machine that booted: there is no state to go back to")]
    NothingBooted,
}

/// What happens in or to the machine.
#[derive(Debug)]
pub enum Happening {
    /// Bytes of the serial console, as the guest sent them.
    Console(Vec<u8>),
    /// A root shell is there, and nobody has opened it yet.
    Greeted,
    /// Bytes of the root shell that was opened.
    Shell(Vec<u8>),
    /// The answer to [`Session::command`].
    Answered { exit_code: i32, output: Vec<u8> },
    /// The guest was reset: its shells are gone.
    Reset,
    /// QEMU has ended, and how.
    Ended(String),
    /// Nothing that anybody waits for.
    Nothing,
}

/// A machine that a person has.
#[derive(Debug)]
pub struct Session {
    vm: Vm,
    _disk: Again,
    proof: Proof,
    virtio: Shell,
    serial: Shell,
    /// Where a shell of this boot greeted; a serial port, which can be a terminal, rather than the other.
    greeted: Option<ShellPort>,
    opened: Option<ShellPort>,
}

impl Session {
    /// Starts the machine of the run in `directory`.
    ///
    /// Must be called on the thread that lives as long as the session, as [`Vm::start`].
    ///
    /// # Errors
    /// When the run kept no disk, or the host cannot start the machine.
    pub async fn start(
        plan: &Plan,
        observations: &[Recorded],
        directory: &Path,
        cache: &Cache,
    ) -> Result<Self, DebugError> {
        let again = image::again(directory, cache)?;
        let boot = boot_source(plan, observations)?;
        let proof = vm::prove_accelerator(processor(&plan.target).0).await?;
        let uefi = match boot {
            BootSource::Disk => firmware::again(plan, directory)?,
            BootSource::Kernel { .. } => None,
        };
        let spec = vm::MachineSpec {
            boot,
            ..machine(plan, &proof, uefi)
        };
        let vm = Vm::start(&spec, again.disk.try_clone()?).await?;
        Ok(Self {
            vm,
            _disk: again,
            proof,
            virtio: Shell::default(),
            serial: Shell::default(),
            greeted: None,
            opened: None,
        })
    }

    /// How the guest is run, in words.
    pub fn accelerator(&self) -> String {
        format!("{}: {}", self.proof.accelerator.as_str(), self.proof.reason)
    }

    /// How long a boot up to the root shell may take here.
    pub fn patience(&self) -> Duration {
        Deadlines::new(self.proof.factor).boot()
    }

    /// The loopback ports behind the guest's: `(guest's, host's)`.
    ///
    /// # Errors
    /// When QEMU does not answer.
    pub async fn forwarded_ports(&mut self) -> Result<Vec<(u16, u16)>, VmError> {
        self.vm.forwarded_ports().await
    }

    /// The next thing that happens. Safe to cancel.
    pub async fn next(&mut self) -> Happening {
        match self.vm.next().await {
            VmEvent::Console(bytes) => Happening::Console(bytes),
            VmEvent::Shell(port, bytes) => self.hear(port, bytes),
            VmEvent::Qmp { name, .. } if name == "RESET" => {
                self.virtio.reset();
                self.serial.reset();
                (self.greeted, self.opened) = (None, None);
                Happening::Reset
            }
            VmEvent::Qmp { .. } => Happening::Nothing,
            VmEvent::Exited { status, stderr, .. } => {
                Happening::Ended(format!("{status} {stderr}").trim().to_owned())
            }
        }
    }

    /// Makes the root shell one for a person: on the serial port a terminal of `terminal`'s kind and size, with a prompt. Gives
    /// whether there is one.
    ///
    /// # Errors
    /// When QEMU has closed the port.
    pub async fn open_shell(&mut self, terminal: &TerminalKind) -> io::Result<bool> {
        let Some(port) = self.greeted else {
            return Ok(false);
        };
        if self.opened != Some(port) {
            self.opened = Some(port);
            let script = interactive(port, terminal);
            self.vm.write_shell(port, script.as_bytes()).await?;
        }
        Ok(true)
    }

    /// Has the root shell run `script`; [`Happening::Answered`] follows. Gives whether there is a shell.
    ///
    /// # Errors
    /// When QEMU has closed the port.
    pub async fn command(&mut self, script: &str) -> io::Result<bool> {
        let Some(port) = self.greeted else {
            return Ok(false);
        };
        let nonce = format!("{}.debug", std::process::id());
        let bytes = self.shell(port).command(script, &nonce);
        self.vm.write_shell(port, &bytes).await?;
        Ok(true)
    }

    /// Types at the console.
    ///
    /// # Errors
    /// When QEMU has closed the port, or the guest has not taken what was typed before for a while.
    pub async fn type_at_console(&mut self, bytes: &[u8]) -> io::Result<()> {
        taken(self.vm.write_console(bytes)).await
    }

    /// Types at the root shell that was opened.
    ///
    /// # Errors
    /// As [`Session::type_at_console`].
    pub async fn type_at_shell(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.opened {
            None => Ok(()),
            Some(ShellPort::Serial) => taken(self.vm.write_shell(ShellPort::Serial, bytes)).await,
            // No terminal turns the key into the end of a line there.
            Some(port) => {
                let lines: Vec<u8> = bytes
                    .iter()
                    .map(|byte| if *byte == b'\r' { b'\n' } else { *byte })
                    .collect();
                taken(self.vm.write_shell(port, &lines)).await
            }
        }
    }

    /// Takes the power away.
    pub async fn stop(self) {
        self.vm.stop().await;
    }

    fn shell(&mut self, port: ShellPort) -> &mut Shell {
        match port {
            ShellPort::Virtio => &mut self.virtio,
            ShellPort::Serial => &mut self.serial,
        }
    }

    fn hear(&mut self, port: ShellPort, bytes: Vec<u8>) -> Happening {
        // What one read brings is one shell's greeting, or one command's end.
        match self.shell(port).receive(&bytes).pop() {
            // A shell that greets again was ended, and has to be opened again.
            Some(ShellEvent::Greeted(_)) => {
                if self.opened == Some(port) {
                    self.opened = None;
                }
                if self.greeted.is_none() || port == ShellPort::Serial {
                    self.greeted = Some(port);
                }
                Happening::Greeted
            }
            Some(ShellEvent::Answered {
                exit_code, output, ..
            }) => Happening::Answered { exit_code, output },
            None if self.opened == Some(port) => Happening::Shell(bytes),
            None => Happening::Nothing,
        }
    }
}

/// What the person's terminal is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalKind {
    /// As in `TERM`.
    pub name: String,
    pub rows: u16,
    pub columns: u16,
}

/// A guest that takes nothing must not hold the person up.
async fn taken(write: impl Future<Output = io::Result<()>>) -> io::Result<()> {
    const PATIENCE: Duration = Duration::from_secs(2);
    tokio::time::timeout(PATIENCE, write)
        .await
        .unwrap_or_else(|_| Err(io::Error::other("the guest takes nothing that is typed")))
}

/// What turns the rehearsal's shell, which neither prompts nor tells its errors, into one for a person.
fn interactive(port: ShellPort, terminal: &TerminalKind) -> String {
    // What the environment says goes into a script of root's.
    let name: String = terminal
        .name
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "-_.+".contains(*c))
        .collect();
    let start = "exec 2>&1; cd; exec \"$(command -v bash || echo /bin/sh)\" -i\n";
    match port {
        ShellPort::Serial => format!(
            "stty sane rows {} cols {} 2>/dev/null; export TERM='{name}'; unset SYSTEMD_COLORS; {start}",
            terminal.rows, terminal.columns
        ),
        ShellPort::Virtio => start.to_owned(),
    }
}

/// What starts the guest: its bootloader, or the kernel that the run started last.
fn boot_source(plan: &Plan, observations: &[Recorded]) -> Result<BootSource, DebugError> {
    let last = observations.iter().rev().find_map(|recorded| {
        match &recorded.observation {
            // Boot 0 installs the bootloader.
            Observation::PoweredOn { boot: 1.., argv } => Some(argv),
            _ => None,
        }
    });
    let argv = last.ok_or(DebugError::NothingBooted)?;
    if boot_route(plan) == BootRoute::Bootloader {
        return Ok(BootSource::Disk);
    }
    let value = |option: &str| {
        let at = argv.iter().position(|arg| arg == option)?;
        argv.get(at + 1).cloned()
    };
    let file = |option: &str| {
        let path = PathBuf::from(value(option).ok_or(DebugError::NothingBooted)?);
        if path.is_file() {
            Ok(path)
        } else {
            Err(DebugError::NoKernel { path })
        }
    };
    Ok(BootSource::Kernel {
        kernel: file("-kernel")?,
        initrd: file("-initrd")?,
        command_line: value("-append").unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_a_terminal_is_no_command() {
        let terminal = TerminalKind {
            name: "xterm'; reboot #".to_owned(),
            rows: 24,
            columns: 80,
        };
        let script = interactive(ShellPort::Serial, &terminal);
        assert!(script.contains("TERM='xtermreboot'"), "{script}");
        assert!(script.contains("rows 24 cols 80") && script.ends_with('\n'));
        assert!(!interactive(ShellPort::Virtio, &terminal).contains("stty"));
    }
}
