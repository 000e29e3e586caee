//! The QEMU process and its streams, as one source of events with one owner.
//!
//! The process dies with its owner: by [`Vm::stop`] in order, by `Drop` at a panic, and by the kernel's parent-death
//! signal when the owner is killed.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use command_fds::CommandFdExt as _;
use command_fds::FdMapping;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::net::unix::OwnedWriteHalf;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use super::argv::{CHILD_FDS, argv};
use super::machine::MachineSpec;
use super::qmp::{self, Message};
use super::shell::ShellPort;
use super::streams::{Incoming, read_bytes, read_qmp, read_stderr, socket_pair};
use crate::offspring::die_with_parent;

/// What happened in or to the machine.
#[derive(Debug)]
pub enum VmEvent {
    /// Bytes of the first serial port.
    Console(Vec<u8>),
    /// Bytes of one of the shell's ports.
    Shell(ShellPort, Vec<u8>),
    /// An event of QMP's.
    Qmp { name: String, data: Value },
    /// The process ended; nothing follows.
    Exited {
        status: String,
        stderr: String,
        /// A signal ended it that nobody of ours sent: a fault of QEMU or the host, and none of the guest.
        crashed: bool,
    },
}

#[derive(Debug, thiserror::Error)]
pub enum VmError {
    #[error(
        "failed to start {program}: {source} (install it with `apt-get install qemu-system-x86`)"
    )]
    Start { program: String, source: io::Error },
    #[error("{program} ended before it could be controlled, {status}: {stderr}")]
    EndedEarly {
        program: String,
        status: String,
        stderr: String,
    },
    #[error("QEMU refused `{command}`: {reason}")]
    Refused { command: String, reason: String },
    #[error("QEMU did not answer on its monitor within {} s", .0.as_secs())]
    Silent(Duration),
    #[error("failed to talk to QEMU: {0}")]
    Io(#[from] io::Error),
}

/// What a machine keeps, by open files of this process.
#[derive(Debug)]
pub struct MachineFds {
    /// The disk.
    pub image: OwnedFd,
    /// Where what is written to it is logged; there is one where the machine's spec says so.
    pub write_log: Option<OwnedFd>,
    /// What a machine that resumes is read from, by [`Vm::save`].
    pub state: Option<OwnedFd>,
}

impl From<OwnedFd> for MachineFds {
    fn from(image: OwnedFd) -> Self {
        Self {
            image,
            write_log: None,
            state: None,
        }
    }
}

/// A running QEMU.
#[derive(Debug)]
pub struct Vm {
    program: String,
    child: Child,
    pub(super) events: mpsc::Receiver<Incoming>,
    pub(super) waiting: VecDeque<VmEvent>,
    stderr: Arc<Mutex<String>>,
    pub(super) qmp: OwnedWriteHalf,
    shell_virtio: OwnedWriteHalf,
    shell_serial: OwnedWriteHalf,
    /// A rehearsal types nothing at the console, but closing this half would unplug it.
    console: OwnedWriteHalf,
    pub(super) next_id: u64,
    version: String,
}

impl Vm {
    /// Starts QEMU with `files` and waits until its monitor answers, and a saved machine goes on.
    ///
    /// Must be called on the thread that lives as long as the run: the kernel binds the parent-death signal to it.
    ///
    /// # Errors
    /// When the program is missing, or ends or falls silent before its monitor answers.
    pub async fn start(spec: &MachineSpec, files: impl Into<MachineFds>) -> Result<Self, VmError> {
        let program = spec.binary.program().to_owned();
        Self::start_program(program, spec, files.into()).await
    }

    async fn start_program(
        program: String,
        spec: &MachineSpec,
        files: MachineFds,
    ) -> Result<Self, VmError> {
        let (qmp, qmp_child) = socket_pair()?;
        let (console, console_child) = socket_pair()?;
        let (virtio, virtio_child) = socket_pair()?;
        let (serial, serial_child) = socket_pair()?;
        let mut command = Command::new(&program);
        command
            .args(argv(spec, CHILD_FDS))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        let mapping = |parent_fd, child_fd| FdMapping {
            parent_fd,
            child_fd,
        };
        let mut mappings = vec![
            mapping(qmp_child, CHILD_FDS.qmp),
            mapping(console_child, CHILD_FDS.console),
            mapping(virtio_child, CHILD_FDS.shell_virtio),
            mapping(serial_child, CHILD_FDS.shell_serial),
            mapping(files.image, CHILD_FDS.disk),
        ];
        mappings.extend(files.write_log.map(|log| mapping(log, CHILD_FDS.write_log)));
        mappings.extend(files.state.map(|state| mapping(state, CHILD_FDS.state)));
        if let Some(uefi) = &spec.uefi {
            mappings.push(mapping(uefi.code.try_clone()?.into(), CHILD_FDS.firmware));
            let variables = uefi.variables.try_clone()?.into();
            mappings.push(mapping(variables, CHILD_FDS.firmware_variables));
        }
        command
            .fd_mappings(mappings)
            .map_err(|collision| io::Error::other(collision.to_string()))?;
        die_with_parent(command.as_std_mut());
        let mut child = command.spawn().map_err(|source| VmError::Start {
            program: program.clone(),
            source,
        })?;
        // The command holds the child's ends of the sockets: as long as it lives, QEMU's exit closes nothing.
        drop(command);

        let (sender, events) = mpsc::channel(256);
        let stderr = Arc::new(Mutex::new(String::new()));
        let (qmp_read, qmp) = qmp.into_split();
        let (virtio_read, shell_virtio) = virtio.into_split();
        let (serial_read, shell_serial) = serial.into_split();
        let (console_read, console) = console.into_split();
        tokio::spawn(read_qmp(qmp_read, sender.clone()));
        tokio::spawn(read_bytes(console_read, sender.clone(), VmEvent::Console));
        let on = |port| move |bytes| VmEvent::Shell(port, bytes);
        tokio::spawn(read_bytes(
            virtio_read,
            sender.clone(),
            on(ShellPort::Virtio),
        ));
        tokio::spawn(read_bytes(
            serial_read,
            sender.clone(),
            on(ShellPort::Serial),
        ));
        if let Some(pipe) = child.stderr.take() {
            tokio::spawn(read_stderr(pipe, Arc::clone(&stderr), sender));
        }
        let mut vm = Self {
            program,
            child,
            events,
            waiting: VecDeque::new(),
            stderr,
            qmp,
            shell_virtio,
            shell_serial,
            console,
            next_id: 0,
            version: String::new(),
        };
        vm.version = vm.negotiate().await?;
        if spec.resumes {
            vm.resume().await?;
        }
        Ok(vm)
    }

    /// QEMU's own version, such as `7.2.22`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The next thing that happens; after [`VmEvent::Exited`] the same again. Safe to cancel.
    pub async fn next(&mut self) -> VmEvent {
        if let Some(event) = self.waiting.pop_front() {
            return event;
        }
        loop {
            match self.events.recv().await {
                Some(Incoming::Event(event)) => return event,
                Some(Incoming::Qmp(Message::Event { name, data })) => {
                    return VmEvent::Qmp { name, data };
                }
                Some(Incoming::Qmp(other)) => {
                    tracing::debug!(?other, "unexpected line on the monitor")
                }
                None => return self.exited().await,
            }
        }
    }

    /// Sends bytes to one of the shell's ports.
    ///
    /// # Errors
    /// When QEMU has closed the port.
    pub async fn write_shell(&mut self, port: ShellPort, bytes: &[u8]) -> io::Result<()> {
        match port {
            ShellPort::Virtio => self.shell_virtio.write_all(bytes).await,
            ShellPort::Serial => self.shell_serial.write_all(bytes).await,
        }
    }

    /// Types at the first serial port.
    ///
    /// # Errors
    /// When QEMU has closed the port.
    pub async fn write_console(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.console.write_all(bytes).await
    }

    /// Ends QEMU: by its monitor, then SIGTERM, then SIGKILL to its group; returns when it is reaped.
    pub async fn stop(mut self) {
        const GRACE: Duration = Duration::from_secs(3);
        let line = qmp::request(u64::MAX >> 1, "quit", Value::Null);
        let asked = self.qmp.write_all(line.as_bytes()).await.is_ok();
        if asked && tokio::time::timeout(GRACE, self.child.wait()).await.is_ok() {
            return;
        }
        self.signal(Signal::TERM);
        if tokio::time::timeout(GRACE, self.child.wait()).await.is_ok() {
            return;
        }
        self.signal(Signal::KILL);
        let _ = self.child.wait().await;
    }

    /// Ends QEMU at once, as a power cut ends a machine; returns when it is reaped.
    pub async fn cut_power(&mut self) {
        self.signal(Signal::KILL);
        let _ = self.child.wait().await;
    }

    fn signal(&self, signal: Signal) {
        let group = self
            .child
            .id()
            .and_then(|id| Pid::from_raw(id.cast_signed()));
        if let Some(group) = group {
            let _ = kill_process_group(group, signal);
        }
    }

    pub(super) async fn ended_early(&mut self) -> VmError {
        match self.exited().await {
            VmEvent::Exited { status, stderr, .. } => VmError::EndedEarly {
                program: self.program.clone(),
                status,
                stderr,
            },
            other => VmError::Io(io::Error::other(format!("unexpected {other:?}"))),
        }
    }

    async fn exited(&mut self) -> VmEvent {
        let (status, crashed) = match self.child.wait().await {
            Ok(status) => (status.to_string(), status.signal().is_some()),
            Err(error) => (error.to_string(), false),
        };
        let stderr = self.stderr.lock().map(|text| text.trim().to_owned());
        VmEvent::Exited {
            status,
            stderr: stderr.unwrap_or_default(),
            crashed,
        }
    }
}

impl Drop for Vm {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        // The runtime may end with us: wait for the death, so that tokio reaps the child instead of leaving it to init.
        if let Some(pid) = self
            .child
            .id()
            .and_then(|id| Pid::from_raw(id.cast_signed()))
        {
            let _ = waitid(
                WaitId::Pid(pid),
                WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
            );
        }
    }
}
