//! Which scenarios there are, and the systems that each has. The rest of a scenario is for Nix and the harness.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

pub(super) struct Scenario {
    pub(super) name: String,
    pub(super) file: PathBuf,
    /// The keys of `[systems]`, sorted.
    pub(super) systems: Vec<String>,
}

/// The scenarios of these names, or all.
pub(super) fn select(directory: &Path, names: &[String]) -> anyhow::Result<Vec<Scenario>> {
    let known = names_in(directory)?;
    if let Some(unknown) = names.iter().find(|name| !known.contains(name)) {
        bail!(
            "there is no scenario {unknown}; there are: {}",
            known.join(", ")
        );
    }
    let mut wanted = if names.is_empty() {
        known
    } else {
        names.to_vec()
    };
    wanted.sort();
    wanted.dedup();
    wanted.iter().map(|name| read(directory, name)).collect()
}

fn names_in(directory: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)
        .with_context(|| format!("failed to list {}", directory.display()))?
    {
        let entry = entry?;
        if entry.path().join("scenario.toml").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn read(directory: &Path, name: &str) -> anyhow::Result<Scenario> {
    let file = directory.join(name).join("scenario.toml");
    let text =
        fs::read_to_string(&file).with_context(|| format!("failed to read {}", file.display()))?;
    let table: toml::Table = text
        .parse()
        .with_context(|| format!("failed to parse {}", file.display()))?;
    let systems: Vec<String> = match table.get("systems") {
        Some(toml::Value::Table(systems)) if !systems.is_empty() => {
            systems.keys().cloned().collect()
        }
        _ => bail!("{} has no [systems]", file.display()),
    };
    Ok(Scenario {
        name: name.to_owned(),
        file,
        systems,
    })
}
