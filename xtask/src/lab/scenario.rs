//! Which scenarios there are, and the systems that each has. The rest of a scenario is for Nix and the harness.

use std::path::{Path, PathBuf};

use anyhow::Context;
use bootproof::scenario::{self, Mutation, SystemSpec};

pub(super) struct Scenario {
    pub(super) name: String,
    /// Its `scenario.toml`, and that of its base.
    pub(super) files: Vec<PathBuf>,
    /// The keys of `[systems]`, sorted.
    pub(super) systems: Vec<String>,
    pub(super) damages: Vec<Damage>,
}

/// A file that is cut off once its store path is registered.
pub(super) struct Damage {
    pub(super) system: String,
    pub(super) part: String,
    /// Below the part.
    pub(super) path: String,
    pub(super) bytes: u64,
}

/// The scenarios of these names, or all.
pub(super) fn select(directory: &Path, names: &[String]) -> anyhow::Result<Vec<Scenario>> {
    let mut wanted = if names.is_empty() {
        scenario::names(directory)?
    } else {
        names.to_vec()
    };
    wanted.sort();
    wanted.dedup();
    wanted
        .into_iter()
        .map(|name| read(directory, name))
        .collect()
}

fn read(directory: &Path, name: String) -> anyhow::Result<Scenario> {
    let read = scenario::Scenario::read(directory, &name)
        .with_context(|| format!("failed to read the scenario {name}"))?;
    let of = |name: &String| scenario::file(directory, name);
    Ok(Scenario {
        files: [&name]
            .into_iter()
            .chain(&read.base)
            .map(of)
            .collect::<Result<_, _>>()?,
        damages: damages(&read),
        systems: read.systems.into_keys().collect(),
        name,
    })
}

fn damages(scenario: &scenario::Scenario) -> Vec<Damage> {
    let of_system = |(system, spec): (&String, &SystemSpec)| {
        let damage = |mutation: &Mutation| match mutation {
            Mutation::Damage { part, path, bytes } => Some(Damage {
                system: system.clone(),
                part: part.to_string(),
                path: path.clone(),
                bytes: *bytes,
            }),
            _ => None,
        };
        spec.mutations
            .iter()
            .flatten()
            .filter_map(damage)
            .collect::<Vec<_>>()
    };
    scenario.systems.iter().flat_map(of_system).collect()
}
