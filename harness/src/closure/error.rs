use std::io;
use std::path::PathBuf;

use crate::vocabulary::StorePath;

/// Why a closure cannot be used: a mistake of the user or the host, never a fault of the guest.
#[derive(Debug, thiserror::Error)]
pub enum ClosureError {
    #[error(
        "toplevel `{0}` does not exist: build it first, or name the store it is in with `--store`"
    )]
    NotFound(String),
    #[error(
        "toplevel `{path}` is outside the store `{store}`: give a store path, or a link to one"
    )]
    OutsideStore { path: String, store: String },
    #[error("`{path}` lies below the store path `{store_path}`: give the toplevel itself")]
    BelowStorePath { path: String, store_path: StorePath },
    #[error(
        "`{path}` is no store path: expected /nix/store/<32 characters of hash>-<name>, or a link to one"
    )]
    Malformed { path: String },
    #[error("`{0}` leads through too many symbolic links: give the store path itself")]
    LinkLoop(String),
    #[error(
        "`{path}` is no bootable NixOS toplevel (it has no {missing}): give the output of `config.system.build.toplevel`"
    )]
    NotAToplevel { path: StorePath, missing: String },
    #[error(
        "`{0}` is no closure directory: it has neither `registration` nor `store-paths`, as `closureInfo` writes them"
    )]
    NoClosureFiles(PathBuf),
    #[error("no path in `{0}` is a bootable NixOS toplevel: name one with `--toplevel`")]
    NoToplevel(PathBuf),
    #[error("`{dir}` holds several toplevels, name one with `--toplevel`: {}", list(.candidates))]
    SeveralToplevels {
        dir: PathBuf,
        candidates: Vec<StorePath>,
    },
    #[error("`{file}`, line {line}: {reason}: write it again with `closureInfo`")]
    Registration {
        file: PathBuf,
        line: usize,
        reason: &'static str,
    },
    #[error("`{path}` belongs to the closure but is not at `{host_path}`: copy the whole closure")]
    Incomplete { path: StorePath, host_path: PathBuf },
    #[error("toplevel `{0}` is not among the paths that `{1}` lists")]
    NotListed(StorePath, PathBuf),
    #[error(
        "`nix-store` did not answer within {0} s: look for a process that holds the store's database (another build, a garbage \
         collection), and try again"
    )]
    NixSilent(u64),
    #[error(
        "the store has no record of the hash of {0}: a receipt needs a Nix store with its database, or a closure directory with \
         the `registration` of closureInfo"
    )]
    NoHash(StorePath),
    #[error("the closure has more than {0} store paths, which is more than bootproof reads")]
    TooLarge(usize),
    #[error("cannot read `{path}`")]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl ClosureError {
    /// An adapter for `map_err` that names the path.
    pub(super) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}

fn list(paths: &[StorePath]) -> String {
    paths
        .iter()
        .map(StorePath::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}
