//! Whether a scenario has been built from what is there now.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use sha2::{Digest, Sha256};

use super::Layout;
use super::scenario::Scenario;

/// True where the stamp is that of the present sources and every closure is in the store.
pub(super) fn is_current(layout: &Layout, scenario: &Scenario) -> anyhow::Result<bool> {
    let built = scenario.systems.iter().all(|system| {
        fs::read_link(layout.closure_link(scenario, system))
            .is_ok_and(|toplevel| layout.on_host(&toplevel).exists())
    });
    let recorded = fs::read_to_string(stamp_file(layout, scenario)).unwrap_or_default();
    Ok(built && recorded == fingerprint(layout, scenario)?)
}

pub(super) fn write(layout: &Layout, scenario: &Scenario) -> anyhow::Result<()> {
    let file = stamp_file(layout, scenario);
    fs::create_dir_all(layout.root.join("stamps"))?;
    fs::write(&file, fingerprint(layout, scenario)?)
        .with_context(|| format!("failed to write {}", file.display()))
}

fn stamp_file(layout: &Layout, scenario: &Scenario) -> PathBuf {
    layout.root.join("stamps").join(&scenario.name)
}

/// A digest of everything that the closures are made from.
fn fingerprint(layout: &Layout, scenario: &Scenario) -> anyhow::Result<String> {
    let mut files = scenario.files.clone();
    files.push(layout.debs_lock.clone());
    collect_files(&layout.expressions, &mut files)?;
    files.sort();
    let mut digest = Sha256::new();
    for file in files {
        let content =
            fs::read(&file).with_context(|| format!("failed to read {}", file.display()))?;
        digest.update(file.file_name().unwrap_or_default().as_encoded_bytes());
        digest.update(content.len().to_le_bytes());
        digest.update(content);
    }
    Ok(hex(&digest.finalize()))
}

fn collect_files(directory: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(directory)
        .with_context(|| format!("failed to list {}", directory.display()))?
    {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            collect_files(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
