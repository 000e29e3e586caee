use clap::{Args, ValueEnum};

use crate::cli::configuration::HostArgs;
use crate::cli::partition::Partition;

/// Which hosts to list.
#[derive(Debug, Args)]
pub(in crate::cli) struct HostsArgs {
    #[command(flatten)]
    pub(in crate::cli) host: HostArgs,
    /// Only part K of N: a name is always in the same part, and in no other
    #[arg(long, value_name = "hash:K/N")]
    pub(in crate::cli) partition: Option<Partition>,
    #[arg(long, value_enum, default_value_t = HostsFormat::Lines)]
    pub(in crate::cli) format: HostsFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum HostsFormat {
    /// One name a line
    Lines,
    /// An array of names
    Json,
}
