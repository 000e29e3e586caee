use clap::Args;

use super::SourceArgs;
use crate::cli::configuration::HostArgs;

/// What to deploy, and where.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bootproof deploy --host web
      What was proven last upon what web runs now: copied, activated, and proven to be there.
  bootproof deploy --host web ./result --dry-run
      Would this be let through, and what would be done?")]
pub(in crate::cli) struct DeployArgs {
    /// The toplevel to deploy, or a link to one such as ./result; without it what the newest receipt proves upon what the host runs
    #[arg(value_name = "CANDIDATE")]
    pub(in crate::cli) candidate: Option<String>,
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
    /// Say what would be done, and stop
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
}
