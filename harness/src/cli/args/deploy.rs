use clap::Args;

use super::{BuildArgs, SourceArgs, Verbosity};
use crate::cli::configuration::HostArgs;

/// What to deploy, and where.
#[derive(Debug, Args)]
pub(in crate::cli) struct DeployArgs {
    /// The toplevel to deploy, or a link to one such as ./result; without it what the newest receipt proves upon what the host runs
    #[arg(value_name = "CANDIDATE", conflicts_with = "build_command")]
    pub(in crate::cli) candidate: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) build: BuildArgs,
    #[command(flatten)]
    pub(in crate::cli) host: HostArgs,
    /// Where ssh finds the host, as root; without it what `ssh` of the host says in bootproof.toml. NIX_SSHOPTS has options of ssh
    #[arg(long, value_name = "DESTINATION")]
    pub(in crate::cli) to: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) source: SourceArgs,
    /// Have the host fetch from its own binary caches what they have
    #[arg(long)]
    pub(in crate::cli) use_substitutes: bool,
    /// Have the host compare every file of the candidate with the hash that its store has, instead of trusting the record
    #[arg(long)]
    pub(in crate::cli) verify: bool,
    /// Deploy what the gate refuses, for this reason: it is recorded
    #[arg(long = "override", value_name = "REASON")]
    pub(in crate::cli) override_reason: Option<String>,
    /// Say what would be done, and stop
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    #[command(flatten)]
    pub(in crate::cli) verbosity: Verbosity,
    /// Deploy by this command, run here, in which {toplevel} stands for the store path; nothing is copied or activated but by it
    #[arg(last = true, value_name = "CMD")]
    pub(in crate::cli) command: Vec<String>,
}
