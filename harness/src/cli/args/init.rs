use clap::Args;

use super::SourceArgs;
use crate::cli::configuration::HostArgs;

/// The closure that a configuration is proposed for.
#[derive(Debug, Args)]
pub(in crate::cli) struct InitArgs {
    /// The toplevel, or a link to one such as ./result
    #[arg(value_name = "CANDIDATE", required_unless_present = "closure")]
    pub(in crate::cli) candidate: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) source: SourceArgs,
    #[command(flatten)]
    pub(in crate::cli) host: HostArgs,
}
