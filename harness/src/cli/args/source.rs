use std::path::{Path, PathBuf};

use clap::Args;

use crate::closure::Source;

/// Where closures are, to every command that reads one.
#[derive(Debug, Args)]
pub(in crate::cli) struct SourceArgs {
    /// The root of a chroot store that holds the toplevels, as in `nix-store --store ROOT`
    #[arg(
        long,
        value_name = "ROOT",
        default_value = "/",
        conflicts_with = "closure"
    )]
    pub(in crate::cli) store: PathBuf,
    /// A directory with closureInfo's files (store-paths, registration) and the store paths
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) closure: Option<PathBuf>,
}

impl SourceArgs {
    /// The arguments again, for a command that a person can copy: ` --store ROOT`, ` --closure DIR`, or nothing.
    pub(in crate::cli) fn words(&self) -> String {
        match &self.closure {
            Some(dir) => format!(" --closure {}", dir.display()),
            None if self.store != Path::new("/") => format!(" --store {}", self.store.display()),
            None => String::new(),
        }
    }

    /// The closure directory where one is named, else the store.
    pub(in crate::cli) fn source(&self) -> Source {
        match &self.closure {
            Some(dir) => Source::Directory { dir: dir.clone() },
            None => Source::Store {
                root: self.store.clone(),
            },
        }
    }
}
