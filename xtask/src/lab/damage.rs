//! Damages files of the lab's store as a power cut does: the store's database still has the hash of what was built.

use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, bail};

use super::scenario::Scenario;
use super::{Layout, nix};

/// Cuts the scenario's files off. One that was cut off before stays as it is.
pub(super) fn inflict(layout: &Layout, scenario: &Scenario) -> anyhow::Result<()> {
    for damage in &scenario.damages {
        let part = nix::part(layout, scenario, damage)?;
        let file = layout.on_host(Path::new(&part)).join(&damage.path);
        cut_off(&file, damage.bytes)
            .with_context(|| format!("failed to damage {}", file.display()))?;
    }
    Ok(())
}

fn cut_off(file: &Path, bytes: u64) -> anyhow::Result<()> {
    let metadata = file.symlink_metadata()?;
    if !metadata.is_file() {
        bail!("it is no file");
    }
    if metadata.len() == bytes {
        return Ok(());
    }
    if metadata.len() < bytes {
        bail!("it has only {} bytes", metadata.len());
    }
    let mode = metadata.permissions();
    fs::set_permissions(file, Permissions::from_mode(mode.mode() | 0o200))?;
    let open = OpenOptions::new().write(true).open(file)?;
    open.set_len(bytes)?;
    // A store's files all have the same time, and the damage shall show by content only.
    open.set_modified(metadata.modified()?)?;
    fs::set_permissions(file, mode)?;
    Ok(())
}
