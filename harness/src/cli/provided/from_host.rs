//! The baseline of a machine that runs: asked over ssh, and copied from there.

use std::path::Path;

use crate::cli::nix_copy::{self, Way};
use crate::cli::{Failure, tell};
use crate::closure::Source;
use crate::fold::sanitise;
use crate::shell::{self, Destination};
use crate::vocabulary::StorePath;

/// What the host runs.
pub(super) fn current_system(host: &Destination) -> Result<StorePath, Failure> {
    let output = shell::run(host, "readlink /run/current-system\n")
        .map_err(|error| sanitise::line(&error.to_string()))?;
    // A login may greet before the answer.
    let answer = output.stdout.lines().map(str::trim).next_back();
    StorePath::parse(answer.unwrap_or_default()).map_err(|_| {
        let complaint = sanitise::last_lines(&output.stderr, 3).join("; ");
        format!(
            "{host}: /run/current-system leads to no store path ({}): is it NixOS?",
            match (answer, complaint.as_str()) {
                (_, complaint) if !complaint.is_empty() => complaint.to_owned(),
                (Some(answer), _) => sanitise::line(answer),
                (None, _) => "it said nothing".to_owned(),
            }
        )
        .into()
    })
}

/// Copies the closure into a store, unless it is there.
pub(super) fn copy(host: &Destination, path: &StorePath, root: &Path) -> Result<(), Failure> {
    let here = Source::Store {
        root: root.to_owned(),
    };
    let Destination::Ssh(name) = host else {
        return Ok(());
    };
    if here.host_path(path).exists() {
        return Ok(());
    }
    // Nix takes a name without a slash for another kind of store.
    let root = root
        .canonicalize()
        .map_err(|error| format!("failed to open the store {}: {error}", root.display()))?;
    tell(&format!("copying the baseline {path} from {host}\n"));
    let status = nix_copy::command(&root, Way::From, name, &[])
        .arg(path.as_str())
        .status()
        .map_err(|error| nix_copy::not_started(&error))?;
    match status.success() {
        true => Ok(()),
        false => Err(format!(
            "nix-copy-closure could not copy {path} from {host} ({status}): nothing was looked at"
        )
        .into()),
    }
}
