use std::path::PathBuf;

use clap::builder::RangedU64ValueParser;
use clap::{Args, ValueEnum};

use super::CacheArgs;

/// What a rehearsal is asked to take.
#[derive(Debug, Args)]
pub(in crate::cli) struct DoctorArgs {
    /// The memory of the target machine, in MiB
    #[arg(
        long,
        value_name = "MIB",
        default_value_t = 1024,
        value_parser = RangedU64ValueParser::<u32>::new().range(1..)
    )]
    pub(in crate::cli) memory: u32,
    #[command(flatten)]
    pub(in crate::cli) cache: CacheArgs,
    /// Where new run directories are made (default: $XDG_STATE_HOME/bootproof/runs)
    #[arg(long, value_name = "DIR", env = "BOOTPROOF_RUNS_DIR")]
    pub(in crate::cli) runs_dir: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = DoctorFormat::Human)]
    pub(in crate::cli) format: DoctorFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum DoctorFormat {
    /// For people, on stdout
    Human,
    /// On stdout
    Json,
}

/// Which run is booted again.
#[derive(Debug, Args)]
pub(in crate::cli) struct DebugArgs {
    /// The directory of the run
    pub(in crate::cli) run_dir: PathBuf,
    /// Begin with the root shell instead of the console, as soon as the guest offers one
    #[arg(long)]
    pub(in crate::cli) shell: bool,
    #[command(flatten)]
    pub(in crate::cli) cache: CacheArgs,
}

/// For which shell.
#[derive(Debug, Args)]
pub(in crate::cli) struct CompletionsArgs {
    /// The shell
    pub(in crate::cli) shell: clap_complete::Shell,
}

/// Where to.
#[derive(Debug, Args)]
pub(in crate::cli) struct ManArgs {
    /// The directory of the pages; made where it is not there
    pub(in crate::cli) directory: PathBuf,
}
