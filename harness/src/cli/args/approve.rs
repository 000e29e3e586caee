use std::path::PathBuf;

use clap::Args;

use crate::cli::approval::ApprovedArgs;
use crate::cli::configuration::HostArgs;

/// Which run is approved, and for which host.
#[derive(Debug, Args)]
pub(in crate::cli) struct ApproveArgs {
    /// The directory of the run
    pub(in crate::cli) run_dir: PathBuf,
    #[command(flatten)]
    pub(in crate::cli) host: HostArgs,
    #[command(flatten)]
    pub(in crate::cli) approved: ApprovedArgs,
}
