use serde::{Deserialize, Serialize};

use super::{
    BootId, Certificate, DamagedPath, HttpEndpoint, Inspected, Prediction, Probe, Replies, Reply,
    State, Step, Unproven,
};

/// One line of `observations.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// Milliseconds since the run began, on the host's monotonic clock.
    pub at_ms: u64,
    pub observation: Observation,
}

/// The picture of the screen of one boot, a PNG, by its name in the run's directory.
pub fn screen_file(boot: u32) -> String {
    format!("screen-{boot}.png")
}

/// A fact as it was seen, before anything is made of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", deny_unknown_fields)]
pub enum Observation {
    /// What the candidate's files prove: the first stage of a rehearsal.
    Inspected(Inspected),
    /// Which accelerator was proven, and why not a faster one.
    Accelerator {
        accelerator: Accelerator,
        reason: String,
        /// How many times slower than the reference machine; deadlines are multiplied by it.
        factor: f64,
        qemu: String,
    },
    StepStarted {
        step: Step,
    },
    StepFinished {
        step: Step,
        outcome: StepOutcome,
    },
    /// A QEMU process was started. `boot` counts the guest's boots from 1 within the run.
    PoweredOn {
        boot: u32,
        argv: Vec<String>,
    },
    /// A line of the serial console, control characters stripped.
    Console {
        boot: u32,
        line: String,
    },
    Stage {
        boot: u32,
        stage: Stage,
    },
    /// An asynchronous event of QMP, such as `RESET`, with its data as JSON text.
    Qemu {
        boot: u32,
        event: String,
        data: String,
    },
    QemuExited {
        boot: u32,
        status: String,
        stderr: String,
    },
    /// What the guest's screen showed when this boot was given up is in the run's directory, see [`screen_file`].
    Screen {
        boot: u32,
        /// Of the picture, in hex.
        sha256: String,
    },
    /// What the guest's screen showed in text mode, where its console said nothing and this line tells why the boot ends.
    ScreenText {
        boot: u32,
        line: String,
    },
    /// The guest's root shell greeted.
    ChannelOpened {
        boot: u32,
        boot_id: BootId,
        /// `virtio-serial` or `serial`.
        transport: String,
    },
    /// What the bootloader was going to start, before it did; `None` for the state after its installation on the fresh disk.
    Predicted {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        state: Option<State>,
        prediction: Prediction,
    },
    /// What the bootloader was going to start at this power-on, read from the disk before it.
    Foretold {
        boot: u32,
        prediction: Prediction,
    },
    /// What a command of the closure printed in the guest.
    Dumped {
        state: State,
        dump: Dump,
        exit_code: i32,
        output: String,
        /// The output was longer than the bound and its end is missing.
        truncated: bool,
    },
    /// The power was cut, and the disk rebuilt as one cut leaves it.
    PowerCut {
        cut: String,
        /// Writes of that time under power that are on the disk, and those that are not.
        kept: usize,
        lost: usize,
    },
    /// A specialisation was looked for in the boot menu; where that has it, it was chosen for the next boot.
    Specialisation {
        name: String,
        in_menu: bool,
    },
    /// A state is looked at that a rehearsal comes to more than once: what follows about it belongs to this look.
    Look {
        state: State,
        /// Which one it is: `cycle 2`, `cut at the last flush`, a specialisation's name.
        occasion: String,
    },
    /// The store in the guest against the host's: of both closures, the size and the content of each file, and where each link leads.
    StoreCompared {
        state: State,
        /// Files and links.
        compared: u64,
        /// No more than are worth naming.
        damaged: Vec<DamagedPath>,
        /// Damaged paths beyond those.
        more: u64,
    },
    /// What the bootloader installer or `switch-to-configuration` printed.
    CommandRan {
        step: Step,
        command: String,
        exit_code: i32,
        output: String,
    },
    /// The guest's clock and the host's, in seconds since 1970, asked for at one moment.
    Clock {
        state: State,
        guest: i64,
        host: i64,
    },
    Http {
        state: State,
        /// Rounds of one state count from 1; the last one decides.
        round: u32,
        endpoint: HttpEndpoint,
        route: ProbeRoute,
        answer: HttpAnswer,
    },
    /// What a request of the user's came to.
    Probed {
        state: State,
        probe: Probe,
        endpoint: HttpEndpoint,
        route: ProbeRoute,
        answer: HttpAnswer,
        /// The beginning of the body, where the probe expects one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<String>,
        /// `None` where the probe expects none, or was not made from outside over TLS.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        certificate: Option<Certificate>,
    },
    /// What one endpoint replied since this was recorded of it last, asked from outside at a fixed rate whatever the steps did meanwhile.
    Continuity {
        endpoint: HttpEndpoint,
        /// From one request to the next, where no reply took longer.
        beat_ms: u64,
        /// In order.
        runs: Vec<Replies>,
        /// Replies that are in no run, because there were too many.
        #[serde(default)]
        dropped: u64,
    },
    /// An earlier attempt of this run ended by a crash of QEMU itself, and is set aside.
    BegunAgain {
        reason: String,
    },
    /// Something that bootproof did to the test machine and the report has to tell.
    Note {
        text: String,
    },
    Unproven(Unproven),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Accelerator {
    Kvm,
    Tcg,
}

impl Accelerator {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kvm => "kvm",
            Self::Tcg => "tcg",
        }
    }
}

/// How far a boot got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    Firmware,
    Bootloader,
    Kernel,
    Initrd,
    Stage2,
    Sysinit,
    MultiUser,
}

impl Stage {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Firmware => "firmware",
            Self::Bootloader => "bootloader",
            Self::Kernel => "kernel",
            Self::Initrd => "initrd",
            Self::Stage2 => "stage 2",
            Self::Sysinit => "sysinit",
            Self::MultiUser => "multi-user",
        }
    }
}

/// What is dumped in every state. The commands are in `rehearsal/dumps.rs`, the parsers in `fold/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Dump {
    /// `KEY=VALUE` lines: `machine` (uname -m), `release` (uname -r), `boot_id`, `booted`, `current`, `profile` (resolved
    /// links), `system` (the file of the current system), `pid1` (hex of the first 20 bytes of /proc/1/exe), `cmdline`, `cpu` and `cpu_lm`
    /// (name, and `yes` for the flag `lm`, of /proc/cpuinfo).
    Identity,
    /// `systemctl is-system-running --wait`.
    SystemState,
    /// `systemctl list-jobs --no-legend --no-pager`, where the start did not finish.
    Jobs,
    /// `systemctl show` of every loaded unit, blocks apart by an empty line, at the beginning of the window.
    UnitsFirst,
    /// The same at its end.
    UnitsLast,
    /// `journalctl --boot --output=json`.
    Journal,
    /// `PATH=LINE`: the first line that `ldd` says of an executable which the journal names as refused; taken only where there is one.
    Ldd,
    /// `tcp LOCAL INODE` and `unix INODE PATH` of each listening socket (`/proc/net/{tcp,tcp6,unix}`, proc(5)), `cgroup FILE LINE` of
    /// each process, and its descriptors as `ls -l /proc/*/fd` has them, as far as they are sockets.
    Listeners,
    /// Two tables of local file systems at the end of the window: `df -lPkT`, then `df -lPiT`.
    FileSystems,
    /// Parts that begin with `== NAME`: `kernel` (uname -srvm), `machine-id`, `users` and `groups` (passwd(5) and group(5) without
    /// passwords), `modules` (names of `/proc/modules`), `mounts` (`/proc/1/mountinfo`, proc(5)).
    Fingerprint,
}

impl Dump {
    /// Whether a verdict depends on its being readable; the others only explain.
    pub fn is_decisive(self) -> bool {
        match self {
            Self::Jobs | Self::Ldd | Self::Listeners | Self::FileSystems | Self::Fingerprint => {
                false
            }
            Self::Identity
            | Self::SystemState
            | Self::UnitsFirst
            | Self::UnitsLast
            | Self::Journal => true,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "result", deny_unknown_fields)]
pub enum HttpAnswer {
    Status {
        code: u16,
        body_bytes: u64,
    },
    Refused,
    Reset,
    TimedOut,
    /// Any other trouble, such as a TLS handshake that failed.
    Failed {
        reason: String,
    },
}

impl HttpAnswer {
    /// The status; `None` where no answer came.
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Status { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// Whether nginx says that it did not reach what it passes the request on to.
    pub fn is_gateway_error(&self) -> bool {
        Reply::of(self).is_gateway_error()
    }

    /// `502`, `refused`.
    pub fn word(&self) -> String {
        Reply::of(self).word()
    }
}

/// From where an endpoint was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ProbeRoute {
    /// Through a forwarded port, as a client would.
    Outside,
    /// In the guest over loopback, where the VM's network cannot match.
    Inside,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "outcome", deny_unknown_fields)]
pub enum StepOutcome {
    Done,
    /// The guest did not do what the step asks for.
    GuestFailed {
        /// How far the boot got, where the step is one.
        stage: Option<Stage>,
        /// What ended the wait, in lower case: `kernel panic`, `emergency mode`, `no progress within 180 s`.
        reason: String,
        /// The last line of the console.
        last_line: Option<String>,
    },
    /// An earlier step failed.
    Skipped,
    /// bootproof could not carry it out, which says nothing about the closure.
    Unobservable {
        reason: String,
    },
    /// The guest has no such thing, such as a systemd without soft reboots.
    NotOffered {
        reason: String,
    },
}
