//! Binary caches, by Nix, which checks every signature and hash.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::exported::not_started;
use crate::cli::{Failure, tell};
use crate::closure::Source;
use crate::offspring::die_with_parent;
use crate::vocabulary::StorePath;

/// Fetches the closures of those that are store paths and are not in the store at `root`.
pub(super) fn fetch<'a>(
    named: impl Iterator<Item = &'a str>,
    root: &Path,
    caches: &[String],
    keys: &[String],
) -> Result<(), Failure> {
    let here = Source::Store {
        root: root.to_owned(),
    };
    let missing: Vec<StorePath> = named
        .filter_map(|name| StorePath::parse(name.trim_end_matches('/')).ok())
        .filter(|path| here.host_path(path).symlink_metadata().is_err())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let from = caches.join(" ");
    tell(&format!("fetching {} from {from}\n", list(&missing)));
    let mut command = Command::new("nix-store");
    if root != Path::new("/") {
        // Nix takes a name without a slash for another kind of store.
        let root = fs::create_dir_all(root)
            .and_then(|()| root.canonicalize())
            .map_err(|error| format!("failed to make the store {}: {error}", root.display()))?;
        command.arg("--store").arg(root);
        command.args(["--option", "build-users-group", ""]);
    }
    command.args(["--option", "substituters", &from]);
    command.args(["--option", "extra-trusted-public-keys", &keys.join(" ")]);
    // What no cache has is not built.
    command.args(["--option", "max-jobs", "0", "--option", "builders", ""]);
    command
        .arg("--realise")
        .args(missing.iter().map(StorePath::as_str))
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    die_with_parent(&mut command);
    let status = command.status().map_err(|error| not_started(&error))?;
    match status.success() {
        true => Ok(()),
        false => Err(format!(
            "nix-store could not fetch {} from {from} ({status}; Nix says above why): name the cache's public key with \
             --cache-key, and fetch into a store of your own with --store DIR where the daemon does not trust you",
            list(&missing)
        )
        .into()),
    }
}

fn list(paths: &[StorePath]) -> String {
    let all: Vec<&str> = paths.iter().map(StorePath::as_str).collect();
    all.join(" and ")
}
