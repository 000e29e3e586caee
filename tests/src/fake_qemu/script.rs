//! What a fake QEMU does, step by step: written by a test, read by the binary.

use serde::{Deserialize, Serialize};

/// A list of acts for each of the machines that a rehearsal starts.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// The tiny guest that proves an accelerator.
    pub proof: Vec<Act>,
    /// The machine whose kernel QEMU starts: it installs the bootloader.
    pub provision: Vec<Act>,
    /// The machine that boots from its disk.
    pub boot: Vec<Act>,
}

/// Which machine this process is asked to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Proof,
    Provision,
    Boot,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proof => "proof",
            Self::Provision => "provision",
            Self::Boot => "boot",
        }
    }
}

impl Script {
    pub fn acts(&self, role: Role) -> &[Act] {
        match role {
            Role::Proof => &self.proof,
            Role::Provision => &self.provision,
            Role::Boot => &self.boot,
        }
    }
}

/// One thing that the fake does. After the last one it exits with 0, as QEMU does when a guest powers off.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// The two words of the tiny guest, and the exit code that isa-debug-exit makes.
    ProveAccelerator,
    /// Opens the monitor, and goes on when it was negotiated.
    OpenMonitor,
    /// Opens the monitor, and refuses to negotiate, with this reason.
    RefuseMonitor(String),
    /// Prints on the first serial port.
    Console(String),
    /// Waits until this was typed at the first serial port.
    HearConsole(String),
    /// Prints on the second serial port, the other one that has a root shell.
    Serial(String),
    /// Waits until this was typed at the second serial port.
    HearSerial(String),
    /// The root shell greets from the boot with this id.
    GreetShell(String),
    /// Answers the shell's commands until one reboots the machine or powers it off, or an answer is the last.
    Serve(Vec<Answer>),
    /// The guest resets the machine.
    Reset,
    /// The same, again and again, with a text on the console each time.
    ResetForEver(String),
    Exit {
        code: i32,
        stderr: String,
    },
    /// A fault of QEMU's own ends it by a signal, until that has happened so often.
    CrashAtMost(usize),
    /// From now on SIGTERM and the monitor's `quit` do nothing.
    IgnoreRequestsToEnd,
    /// From now on the monitor refuses to draw the screen.
    RefusePictures,
    /// Says that it hangs, and does.
    Hang,
}

/// What the guest's shell prints for a command.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// A part of the command; the first answer whose part is found counts.
    pub to: String,
    pub output: String,
    pub exit_code: i32,
    /// Nothing of this list is answered after it.
    pub last: bool,
}

impl Answer {
    pub fn new(to: impl Into<String>, output: impl Into<String>) -> Self {
        Self {
            to: to.into(),
            output: output.into(),
            exit_code: 0,
            last: false,
        }
    }

    /// After this answer the next act begins: the guest has become another one.
    #[must_use]
    pub fn as_last(self) -> Self {
        Self { last: true, ..self }
    }
}
