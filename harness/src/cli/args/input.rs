use std::path::PathBuf;

use clap::Args;

use crate::shell::Destination;

/// What a Nix host can name, and fetch, beside a path.
#[derive(Debug, Default, Args)]
pub(in crate::cli) struct InputArgs {
    /// The candidate is this generation of the system profile, as `nixos-rebuild list-generations` counts them
    #[arg(long, value_name = "N", conflicts_with_all = ["build_command", "closure", "exported"])]
    pub(in crate::cli) generation: Option<u32>,
    /// The candidate is this specialisation of what is named
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) specialisation: Option<String>,
    /// The baseline is what this host runs: asked over ssh, and copied from there. NIX_SSHOPTS has options of ssh
    #[arg(long, value_name = "DESTINATION", conflicts_with_all = ["baseline", "closure", "exported"])]
    pub(in crate::cli) from_host: Option<Destination>,
    /// Fetch a named store path that is not here from this binary cache, such as file:///srv/cache
    #[arg(long, value_name = "URL", conflicts_with_all = ["closure", "exported"])]
    pub(in crate::cli) from_cache: Vec<String>,
    /// A public key that this cache signs with, beside those that Nix is configured with
    #[arg(long, value_name = "NAME:KEY", requires = "from_cache")]
    pub(in crate::cli) cache_key: Vec<String>,
    /// A file that `nix-store --export` wrote of the whole closure; imported into a store of its own in the cache directory
    #[arg(long, value_name = "FILE", conflicts_with_all = ["closure", "store", "build_command", "flake"])]
    pub(in crate::cli) exported: Vec<PathBuf>,
}
