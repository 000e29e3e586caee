//! The arguments.

mod approve;
mod audit;
mod build;
mod cache;
mod deploy;
mod gate;
mod help;
mod hosts;
mod init;
mod input;
mod inspect;
mod scenarios;
mod source;
mod target;
mod test;
mod tools;
mod verbosity;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(super) use approve::ApproveArgs;
pub(super) use audit::{AuditArgs, AuditFormat};
pub(super) use build::BuildArgs;
pub(super) use cache::{CacheAction, CacheArgs, CacheCommand, CacheFormat};
pub(super) use deploy::DeployArgs;
pub(super) use gate::{GateArgs, GateFormat, KeyArgs, KeyCommand};
pub(super) use hosts::{HostsArgs, HostsFormat};
pub(super) use init::InitArgs;
pub(super) use input::InputArgs;
pub(super) use inspect::{InspectArgs, InspectFormat};
pub(super) use scenarios::ScenarioArgs;
pub(super) use source::SourceArgs;
pub(super) use target::TargetArgs;
pub(super) use test::TestArgs;
pub(super) use tools::{CompletionsArgs, DebugArgs, DoctorArgs, DoctorFormat, ManArgs};

pub(super) use help::{FIRST_SCREEN, command};
pub(super) use verbosity::Verbosity;

/// Proves a NixOS closure, and rehearses its deploy and reboots in a VM, before it is deployed.
///
/// Exit codes: 0 pass, 1 fail, 2 bad usage or trouble of the host, 3 unproven.
#[derive(Debug, Parser)]
#[command(name = "bootproof", version)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Rehearse: boot the baseline, switch, reboot, and look at each state
    Test(Box<TestArgs>),
    /// Say in a second what a closure's files prove, without booting it
    Inspect(Box<InspectArgs>),
    /// Tell the report of a finished run again, from its recording
    Report(ReportArgs),
    /// Make the report of a run the one that later runs must equal
    Approve(Box<ApproveArgs>),
    /// Let a deploy through only with a receipt for exactly this closure
    Gate(Box<GateArgs>),
    /// Look at what the next boot of a live machine starts
    Audit(Box<AuditArgs>),
    /// Copy and activate exactly what a receipt proves
    Deploy(Box<DeployArgs>),
    /// Make a key that signs receipts, or tell the public half of one
    Key(KeyArgs),
    /// Write a first bootproof.toml for a closure, with comments
    Init(InitArgs),
    /// List the hosts of bootproof.toml, or one part of them
    Hosts(HostsArgs),
    /// Say whether a rehearsal can run here, and how long it takes
    Doctor(DoctorArgs),
    /// Boot the machine of a failed run again, with console and root shell
    Debug(DebugArgs),
    /// List the test disks that rehearsals share, and remove what is too much
    Cache(CacheCommand),
    /// Print a script that completes the command line in a shell
    Completions(CompletionsArgs),
    /// Write man pages
    Man(ManArgs),
}

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// The directory of the run
    pub(super) run_dir: PathBuf,
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(super) format: Format,
    #[command(flatten)]
    pub(super) verbosity: Verbosity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people, on stderr
    Human,
    /// report.json, on stdout
    Json,
    /// For a CI summary, on stdout
    Markdown,
    /// report.html, one self-contained page for a browser, on stdout
    Html,
    /// JUnit XML, for a CI system's page of tests, on stdout
    Junit,
    /// What the files show, as SARIF 2.1.0 for code scanning, on stdout
    Sarif,
    /// An object a line while it works, the verdict last, on stdout
    JsonLines,
    /// JSON without what differs between equal runs (times, boot ids, store hashes), on stdout
    Normalised,
}
