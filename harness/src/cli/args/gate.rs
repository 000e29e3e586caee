use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{BuildArgs, InputArgs, SourceArgs, Verbosity};
use crate::cli::configuration::HostArgs;

/// What is about to be deployed, and where.
#[derive(Debug, Args)]
pub(in crate::cli) struct GateArgs {
    /// The toplevel that is about to be deployed, or a link to one such as ./result
    #[arg(
        value_name = "CANDIDATE",
        required_unless_present_any = ["build_command", "flake", "generation", "exported"],
        conflicts_with_all = ["build_command", "generation"]
    )]
    pub(in crate::cli) candidate: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) build: BuildArgs,
    #[command(flatten)]
    pub(in crate::cli) input: InputArgs,
    #[command(flatten)]
    pub(in crate::cli) host: HostArgs,
    /// The toplevel that the machine runs now; it need not be in this store
    #[arg(long, value_name = "PATH")]
    pub(in crate::cli) baseline: Option<String>,
    /// The machine runs no NixOS yet
    #[arg(long, conflicts_with_all = ["baseline", "from_host"])]
    pub(in crate::cli) no_baseline: bool,
    #[command(flatten)]
    pub(in crate::cli) source: SourceArgs,
    /// Compare every file of the candidate with the hash that the store recorded, instead of trusting the record
    #[arg(long)]
    pub(in crate::cli) verify: bool,
    #[arg(long, value_enum, default_value_t = GateFormat::Human)]
    pub(in crate::cli) format: GateFormat,
    #[command(flatten)]
    pub(in crate::cli) verbosity: Verbosity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum GateFormat {
    /// For people, on stderr; the path that may be deployed on stdout
    Human,
    /// On stdout
    Json,
}

/// Keys have Nix's own format: those of a binary cache serve too.
#[derive(Debug, Args)]
pub(in crate::cli) struct KeyArgs {
    #[command(subcommand)]
    pub(in crate::cli) command: KeyCommand,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum KeyCommand {
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
