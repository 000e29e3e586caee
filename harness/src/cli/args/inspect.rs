use clap::{Args, ValueEnum};

use super::{BuildArgs, InputArgs, SourceArgs, TargetArgs, Verbosity};

/// What to inspect, and what to hold it against.
#[derive(Debug, Args)]
pub(in crate::cli) struct InspectArgs {
    /// A NixOS toplevel in a Nix store, or a link to one such as ./result
    #[arg(
        value_name = "TOPLEVEL",
        required_unless_present_any = ["closure", "build_command", "flake", "generation", "exported"],
        conflicts_with_all = ["build_command", "generation"]
    )]
    pub(in crate::cli) toplevel: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) build: BuildArgs,
    #[command(flatten)]
    pub(in crate::cli) input: InputArgs,
    /// What you mean: a toplevel that must be the very one that is inspected
    #[arg(long, value_name = "PATH", conflicts_with = "flake")]
    pub(in crate::cli) meant: Option<String>,
    /// The toplevel that the machine runs now: tells what changes, and which platform is expected
    #[arg(long, value_name = "PATH")]
    pub(in crate::cli) baseline: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) source: SourceArgs,
    /// The platform that you mean to deploy; without it the baseline's
    #[arg(long, value_name = "SYSTEM")]
    pub(in crate::cli) expect_system: Option<String>,
    /// Compare every file with the hash that the store recorded; takes as long as reading the whole closure
    #[arg(long)]
    pub(in crate::cli) verify_contents: bool,
    #[command(flatten)]
    pub(in crate::cli) target: TargetArgs,
    #[arg(long, value_enum, default_value_t = InspectFormat::Human)]
    pub(in crate::cli) format: InspectFormat,
    #[command(flatten)]
    pub(in crate::cli) verbosity: Verbosity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum InspectFormat {
    /// For people, on stderr
    Human,
    /// On stdout
    Json,
    /// For a CI summary, on stdout
    Markdown,
    /// JUnit XML, for a CI system's page of tests, on stdout
    Junit,
    /// SARIF 2.1.0, for code scanning, on stdout
    Sarif,
    /// An object a line, the verdict last, on stdout
    JsonLines,
}
