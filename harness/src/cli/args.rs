//! The arguments.

use std::path::PathBuf;

use clap::builder::RangedU64ValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

use super::configuration::HostArgs;
use super::size;
use crate::vocabulary::{DiskBus, System, TargetMachine};

/// Proves a NixOS closure, and rehearses its deploy and reboots in a VM, before it is deployed.
///
/// Exit codes: 0 pass, 1 fail, 2 bad usage or trouble of the host, 3 unproven.
#[derive(Debug, Parser)]
#[command(name = "bootproof", version, max_term_width = 100)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Rehearse: boot the baseline, switch to the candidate, reboot, and look at each state.
    Test(Box<TestArgs>),
    /// Read the closure's files and say what they prove, in a second and without booting anything.
    Inspect(Box<InspectArgs>),
    /// Tell the report of a finished run again, from its recording.
    Report(ReportArgs),
    /// Let a deploy through only with a receipt for exactly this closure, baseline and machine.
    Gate(Box<GateArgs>),
    /// Make a key that signs receipts, or tell the public half of one.
    Key(KeyArgs),
}

/// What to rehearse: a closure, or scenarios of the lab.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bootproof test --toplevel ./result --baseline /run/current-system
      Would this build survive its deploy and a reboot on the machine it is built on?
  bootproof test --toplevel ./result --expect-system x86_64-linux
      Boot it and reboot it, without a baseline.
  bootproof test --closure ./closure
      The same from a directory made with nixpkgs' closureInfo, on a machine without Nix.")]
pub(super) struct TestArgs {
    /// The candidate: a NixOS toplevel in a Nix store, or a link to one such as ./result
    #[arg(long, value_name = "PATH", conflicts_with = "scenario")]
    pub(super) toplevel: Option<String>,
    /// The toplevel that the machine runs now; without it nothing can be called latent
    #[arg(long, value_name = "PATH", conflicts_with = "scenario")]
    pub(super) baseline: Option<String>,
    /// The root of a chroot store that holds the toplevels, as in `nix-store --store ROOT`
    #[arg(
        long,
        value_name = "ROOT",
        default_value = "/",
        conflicts_with = "closure"
    )]
    pub(super) store: PathBuf,
    /// A directory with closureInfo's files (store-paths, registration) and the store paths
    #[arg(long, value_name = "DIR", conflicts_with = "scenario")]
    pub(super) closure: Option<PathBuf>,
    /// The platform that you mean to deploy; without it the baseline's
    #[arg(long, value_name = "SYSTEM")]
    pub(super) expect_system: Option<String>,

    /// Rehearse these scenarios of the lab (default: all of them)
    #[arg(long, value_name = "NAME", num_args = 1.., conflicts_with = "TargetArgs")]
    pub(super) scenario: Vec<String>,
    /// The directory of the scenarios
    #[arg(long, value_name = "DIR", default_value = "scenarios")]
    pub(super) scenarios: PathBuf,
    /// Where the lab built the scenarios' closures
    #[arg(long, value_name = "DIR")]
    pub(super) lab: Option<PathBuf>,

    #[command(flatten)]
    pub(super) target: TargetArgs,
    /// A CPU model of QEMU's that has what the target machine's CPU has
    #[arg(long, value_name = "MODEL", conflicts_with = "scenario")]
    pub(super) cpu: Option<String>,
    /// The target machine's memory, in MiB
    #[arg(long, value_name = "MIB", conflicts_with = "scenario", value_parser = at_least_one())]
    pub(super) memory: Option<u32>,
    /// The target machine's CPUs
    #[arg(long, value_name = "N", conflicts_with = "scenario", value_parser = at_least_one())]
    pub(super) cores: Option<u32>,

    #[command(flatten)]
    pub(super) host: HostArgs,
    /// Sign a receipt of the rehearsal with this secret key, in Nix's format, for the gate: into the configuration's receipts
    #[arg(
        long,
        value_name = "FILE",
        env = "BOOTPROOF_KEY",
        conflicts_with = "scenario"
    )]
    pub(super) key: Option<PathBuf>,

    /// Where the recording goes; must not hold one yet (default: a new directory)
    #[arg(long, value_name = "DIR")]
    pub(super) run_dir: Option<PathBuf>,
    /// Where finished disks are kept (default: $XDG_CACHE_HOME/bootproof)
    #[arg(long, value_name = "DIR", env = "BOOTPROOF_CACHE_DIR")]
    pub(super) cache_dir: Option<PathBuf>,
    /// Where new run directories are made (default: $XDG_STATE_HOME/bootproof/runs)
    #[arg(long, value_name = "DIR", env = "BOOTPROOF_RUNS_DIR")]
    pub(super) runs_dir: Option<PathBuf>,
    /// Leave the disk of the run in its directory
    #[arg(long)]
    pub(super) keep: bool,
    /// Say what would be done, how long it takes and how much disk, and stop there
    #[arg(long)]
    pub(super) dry_run: bool,
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(super) format: Format,
}

/// What is told of the machine that will run the closure, to a rehearsal and to an inspection alike.
#[derive(Debug, Args)]
pub(super) struct TargetArgs {
    /// What the target machine's CPU runs: x86_64-linux (default) or i686-linux for a 32-bit one
    #[arg(long, value_name = "SYSTEM")]
    pub(super) target_system: Option<String>,
    /// The bus of the target machine's disk (default: what the initrd drives and the bootloader's device is called)
    #[arg(long, value_enum, value_name = "BUS")]
    pub(super) disk: Option<DiskArgument>,
    /// What is free on the target machine's /boot, as df(1) says it: 180M, 1.5G, or bytes: is there room for one more kernel?
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    pub(super) boot_free: Option<u64>,
    /// What the target machine's /boot has in all
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    pub(super) boot_size: Option<u64>,
}

impl TargetArgs {
    /// The machine: `known`, with what is told laid over it.
    ///
    /// # Errors
    /// For a platform that bootproof has no rules for.
    pub(super) fn machine(&self, known: TargetMachine) -> Result<TargetMachine, String> {
        let system = match self.target_system.clone().map(System::from) {
            None => known.system.clone(),
            Some(System::Other(system)) => {
                return Err(format!(
                    "--target-system {system}: bootproof knows x86_64-linux and i686-linux machines"
                ));
            }
            Some(system) => system,
        };
        Ok(TargetMachine {
            system,
            disk_bus: self.disk.map(Into::into).or(known.disk_bus),
            boot_free_mib: self.boot_free.map(size::mib).or(known.boot_free_mib),
            boot_size_mib: self.boot_size.map(size::mib).or(known.boot_size_mib),
            ..known
        })
    }
}

/// A machine without memory or processors is refused here, and not by QEMU when its disk has been built.
fn at_least_one() -> RangedU64ValueParser<u32> {
    RangedU64ValueParser::new().range(1..)
}

/// What to inspect, and what to hold it against.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bootproof inspect ./result --baseline /run/current-system
      What would this build change here, and would it survive a reboot by its files?
  bootproof inspect ./result --disk nvme --boot-free 180M
      Would it find its disk on that machine, and does one more kernel fit on its /boot?
  bootproof inspect ./result --expect-system x86_64-linux --format json
      For a deploy script.
  bootproof inspect --build-command 'deploy-tool build web' --flake .#web
      Does the deploy tool build what the flake means?")]
pub(super) struct InspectArgs {
    /// A NixOS toplevel in a Nix store, or a link to one such as ./result
    #[arg(
        value_name = "TOPLEVEL",
        required_unless_present_any = ["closure", "build_command", "flake"],
        conflicts_with = "build_command"
    )]
    pub(super) toplevel: Option<String>,
    /// Inspect what this command builds: run by `sh -c`; the last line of its stdout that is a store path, or a link to one
    #[arg(long, value_name = "CMD", conflicts_with = "closure")]
    pub(super) build_command: Option<String>,
    /// What you mean: a host of a flake, or the full attribute path of a toplevel; built with `nix build`
    #[arg(long, value_name = "REF#HOST", conflicts_with_all = ["closure", "meant"])]
    pub(super) flake: Option<String>,
    /// What you mean: a toplevel that must be the very one that is inspected
    #[arg(long, value_name = "PATH")]
    pub(super) meant: Option<String>,
    /// The toplevel that the machine runs now: tells what changes, and which platform is expected
    #[arg(long, value_name = "PATH")]
    pub(super) baseline: Option<String>,
    /// The root of a chroot store that holds the toplevels, as in `nix-store --store ROOT`
    #[arg(
        long,
        value_name = "ROOT",
        default_value = "/",
        conflicts_with = "closure"
    )]
    pub(super) store: PathBuf,
    /// A directory with closureInfo's files (store-paths, registration) and the store paths
    #[arg(long, value_name = "DIR")]
    pub(super) closure: Option<PathBuf>,
    /// The platform that you mean to deploy; without it the baseline's
    #[arg(long, value_name = "SYSTEM")]
    pub(super) expect_system: Option<String>,
    /// Compare every file with the hash that the store recorded; takes as long as reading the whole closure
    #[arg(long)]
    pub(super) verify_contents: bool,
    #[command(flatten)]
    pub(super) target: TargetArgs,
    #[arg(long, value_enum, default_value_t = InspectFormat::Human)]
    pub(super) format: InspectFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum InspectFormat {
    /// For people, on stderr
    Human,
    /// On stdout
    Json,
    /// For a CI summary, on stdout
    Markdown,
}

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// The directory of the run
    pub(super) run_dir: PathBuf,
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(super) format: Format,
}

/// What is about to be deployed, and where.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  toplevel=$(bootproof gate ./result --host web --baseline $(ssh web readlink /run/current-system)) &&
    nix copy --to ssh://web $toplevel && …
      The path that is printed is the one that was proven: deploy it, and not the link.
  bootproof gate ./result --host web --baseline /nix/store/…-nixos-system-web-24.11 --verify
      Read every file of the closure again too.")]
pub(super) struct GateArgs {
    /// The toplevel that is about to be deployed, or a link to one such as ./result
    #[arg(value_name = "CANDIDATE")]
    pub(super) candidate: String,
    #[command(flatten)]
    pub(super) host: HostArgs,
    /// The toplevel that the machine runs now; it need not be in this store
    #[arg(long, value_name = "PATH")]
    pub(super) baseline: Option<String>,
    /// The machine runs no NixOS yet
    #[arg(long, conflicts_with = "baseline")]
    pub(super) no_baseline: bool,
    /// The root of a chroot store that holds the candidate, as in `nix-store --store ROOT`
    #[arg(
        long,
        value_name = "ROOT",
        default_value = "/",
        conflicts_with = "closure"
    )]
    pub(super) store: PathBuf,
    /// A directory with closureInfo's files (store-paths, registration) and the store paths
    #[arg(long, value_name = "DIR")]
    pub(super) closure: Option<PathBuf>,
    /// Compare every file of the candidate with the hash that the store recorded, instead of trusting the record
    #[arg(long)]
    pub(super) verify: bool,
    #[arg(long, value_enum, default_value_t = GateFormat::Human)]
    pub(super) format: GateFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum GateFormat {
    /// For people, on stderr; the path that may be deployed on stdout
    Human,
    /// On stdout
    Json,
}

/// Keys have Nix's own format: those of a binary cache serve too.
#[derive(Debug, Args)]
pub(super) struct KeyArgs {
    #[command(subcommand)]
    pub(super) command: KeyCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Write a new secret key to a file, and print its public half
    Generate {
        /// What the key is called, such as ci.example.org-1
        name: String,
        /// The file of the secret key, which must not exist yet
        file: PathBuf,
    },
    /// Print the public half of a secret key
    Public {
        /// The file of the secret key
        file: PathBuf,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people, on stderr
    Human,
    /// report.json, on stdout
    Json,
    /// For a CI summary, on stdout
    Markdown,
    /// JSON without what differs between equal runs (times, boot ids, store hashes), on stdout
    Normalised,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum DiskArgument {
    Virtio,
    Sata,
    Scsi,
    Nvme,
}

impl From<DiskArgument> for DiskBus {
    fn from(argument: DiskArgument) -> Self {
        match argument {
            DiskArgument::Virtio => Self::Virtio,
            DiskArgument::Sata => Self::Sata,
            DiskArgument::Scsi => Self::Scsi,
            DiskArgument::Nvme => Self::Nvme,
        }
    }
}
