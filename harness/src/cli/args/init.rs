use clap::Args;

use super::SourceArgs;
use crate::cli::configuration::HostArgs;

/// The closure that a configuration is proposed for.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bootproof init ./result
      Write bootproof.toml for the host of this build, with what it can be asked for and the secrets that it reads.
  bootproof init --closure ./closure --host web --config hosts/web.toml")]
pub(in crate::cli) struct InitArgs {
    /// The toplevel, or a link to one such as ./result
    #[arg(value_name = "CANDIDATE", required_unless_present = "closure")]
    pub(in crate::cli) candidate: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) source: SourceArgs,
    #[command(flatten)]
    pub(in crate::cli) host: HostArgs,
}
