use clap::Args;

/// What is built before it is looked at, and what was meant to be.
#[derive(Debug, Args)]
pub(in crate::cli) struct BuildArgs {
    /// Look at what this command builds: run by `sh -c`; the last line of its stdout that is a store path, or a link to one
    #[arg(long, value_name = "CMD", conflicts_with = "closure")]
    pub(in crate::cli) build_command: Option<String>,
    /// What you mean: a host of a flake, or the full attribute path of a toplevel; built with `nix build`
    #[arg(long, value_name = "REF#HOST", conflicts_with = "closure")]
    pub(in crate::cli) flake: Option<String>,
}
