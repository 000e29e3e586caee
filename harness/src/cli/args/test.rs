use std::path::PathBuf;

use clap::builder::RangedU64ValueParser;
use clap::{Args, ValueEnum};

use super::{
    BuildArgs, CacheArgs, Format, InputArgs, ScenarioArgs, SourceArgs, TargetArgs, Verbosity,
};
use crate::cli::approval::ApprovedArgs;
use crate::cli::configuration::HostArgs;
use crate::rehearsal::MOST_CYCLES;
use crate::vocabulary::{State, Step};

/// What to rehearse: a closure, or scenarios of the lab.
#[derive(Debug, Args)]
pub(in crate::cli) struct TestArgs {
    /// The candidate: a NixOS toplevel in a Nix store, or a link to one such as ./result
    #[arg(
        long,
        value_name = "PATH",
        conflicts_with_all = ["scenario", "build_command", "generation"]
    )]
    pub(in crate::cli) toplevel: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) build: BuildArgs,
    #[command(flatten)]
    pub(in crate::cli) input: InputArgs,
    /// The toplevel that the machine runs now; without it nothing can be called latent
    #[arg(long, value_name = "PATH", conflicts_with = "scenario")]
    pub(in crate::cli) baseline: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) source: SourceArgs,
    /// The platform that you mean to deploy; without it the baseline's
    #[arg(long, value_name = "SYSTEM")]
    pub(in crate::cli) expect_system: Option<String>,

    #[command(flatten)]
    pub(in crate::cli) lab: ScenarioArgs,

    #[command(flatten)]
    pub(in crate::cli) target: TargetArgs,
    /// A CPU model of QEMU's that has what the target machine's CPU has
    #[arg(long, value_name = "MODEL", conflicts_with = "scenario")]
    pub(in crate::cli) cpu: Option<String>,
    /// The target machine's memory, in MiB
    #[arg(long, value_name = "MIB", conflicts_with = "scenario", value_parser = at_least_one())]
    pub(in crate::cli) memory: Option<u32>,
    /// The target machine's CPUs
    #[arg(long, value_name = "N", conflicts_with = "scenario", value_parser = at_least_one())]
    pub(in crate::cli) cores: Option<u32>,

    /// What is done to the machine, in this order: boot, switch, and ways down and up: warm-reboot, cold-reboot, soft-reboot, reset,
    /// panic, power-cut, power-cut-in-boot, rollback, specialisations, and before the switch power-cut-in-switch (default: a boot, a switch, a warm reboot, and
    /// what the host's policy demands)
    #[arg(long, value_name = "STEP", value_delimiter = ',', value_parser = step, conflicts_with = "scenario")]
    pub(in crate::cli) steps: Option<Vec<Step>>,
    /// Go each way down and up after the switch from a copy of the switched machine, as many at once as cores and memory bear (`--jobs`),
    /// instead of one after another
    #[arg(long, conflicts_with = "scenario")]
    pub(in crate::cli) side_by_side: bool,
    /// Make the reboots after the switch so often
    #[arg(long, value_name = "N", conflicts_with = "scenario", value_parser = cycles())]
    pub(in crate::cli) cycles: Option<u32>,

    #[command(flatten)]
    pub(in crate::cli) host: HostArgs,
    #[command(flatten)]
    pub(in crate::cli) approved: ApprovedArgs,
    /// Approve the report, whatever its verdict: later runs of the host that differ fail
    #[arg(long, conflicts_with_all = ["scenario", "hold"])]
    pub(in crate::cli) approve: bool,
    /// Sign a receipt of the rehearsal with this secret key, in Nix's format, for the gate: into the configuration's receipts (no scenario has one)
    #[arg(long, value_name = "FILE", env = "BOOTPROOF_KEY")]
    pub(in crate::cli) key: Option<PathBuf>,

    /// Where the recording goes; must not hold one yet (default: a new directory)
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) run_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) cache: CacheArgs,
    /// Where new run directories are made (default: $XDG_STATE_HOME/bootproof/runs)
    #[arg(long, value_name = "DIR", env = "BOOTPROOF_RUNS_DIR")]
    pub(in crate::cli) runs_dir: Option<PathBuf>,
    /// Leave the guest to you in this state, until you press Enter: it proves nothing then
    #[arg(long, value_name = "STATE", value_enum, conflicts_with = "scenario")]
    pub(in crate::cli) hold: Option<HeldState>,
    /// With --hold: the guest's port that is reached from this machine
    #[arg(long, value_name = "PORT", default_value_t = 22, requires = "hold")]
    pub(in crate::cli) hold_port: u16,
    /// Leave the disk of the run in its directory for `bootproof debug`, as is done anyway where the verdict is not pass
    #[arg(long)]
    pub(in crate::cli) keep: bool,
    /// Say what would be done, how long it takes and how much disk, and stop there
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(in crate::cli) format: Format,
    #[command(flatten)]
    pub(in crate::cli) verbosity: Verbosity,
}

/// The states that a guest can be held in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum HeldState {
    Before,
    Switched,
    Booted,
    Rebooted,
}

impl From<HeldState> for State {
    fn from(state: HeldState) -> Self {
        match state {
            HeldState::Before => Self::Before,
            HeldState::Switched => Self::Switched,
            HeldState::Booted => Self::Booted,
            HeldState::Rebooted => Self::Rebooted,
        }
    }
}

/// A step by its name.
fn step(name: &str) -> Result<Step, String> {
    let known = [Step::Boot, Step::Switch, Step::PowerCutInSwitch]
        .into_iter()
        .chain(Step::REBOOTS);
    known
        .clone()
        .find(|step| step.as_str() == name)
        .ok_or_else(|| {
            let names: Vec<&str> = known.map(Step::as_str).collect();
            format!("the steps are {}", names.join(", "))
        })
}

fn cycles() -> RangedU64ValueParser<u32> {
    RangedU64ValueParser::new().range(1..=u64::from(MOST_CYCLES))
}

/// A machine without memory or processors is refused here, and not by QEMU when its disk has been built.
fn at_least_one() -> RangedU64ValueParser<u32> {
    RangedU64ValueParser::new().range(1..)
}
