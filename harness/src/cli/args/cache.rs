use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::cli::configuration::HostArgs;
use crate::vocabulary::size;

/// Where finished disks are, to every command that needs one.
#[derive(Debug, Args)]
pub(in crate::cli) struct CacheArgs {
    /// Where finished disks are kept (default: $XDG_CACHE_HOME/bootproof)
    #[arg(long, value_name = "DIR", env = "BOOTPROOF_CACHE_DIR", global = true)]
    pub(in crate::cli) cache_dir: Option<PathBuf>,
    /// What they may take: 20G, 500M (default: cache_size of bootproof.toml, else 20G or a quarter of the file system)
    #[arg(
        long,
        value_name = "SIZE",
        env = "BOOTPROOF_CACHE_SIZE",
        value_parser = size::parse,
        global = true
    )]
    pub(in crate::cli) cache_size: Option<u64>,
}

/// What to do with the cache.
#[derive(Debug, Args)]
pub(in crate::cli) struct CacheCommand {
    #[command(subcommand)]
    pub(in crate::cli) action: Option<CacheAction>,
    #[command(flatten)]
    pub(in crate::cli) cache: CacheArgs,
    #[command(flatten)]
    pub(in crate::cli) host: HostArgs,
    #[arg(long, value_enum, default_value_t = CacheFormat::Human, global = true)]
    pub(in crate::cli) format: CacheFormat,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum CacheAction {
    /// Say what is there, what it takes and when it was last used (the default)
    List,
    /// Remove what no rehearsal uses now, and no kept run needs
    Clean {
        /// Only until what is left takes at most this: what was not used for longest goes first
        #[arg(long, value_name = "SIZE", value_parser = size::parse)]
        max_size: Option<u64>,
        /// The disks of kept runs too, which cannot be booted again by `bootproof debug` then
        #[arg(long)]
        all: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum CacheFormat {
    /// For people, on stdout
    Human,
    /// On stdout
    Json,
}
