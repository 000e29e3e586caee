use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::{Mutation, Scenario, SystemSpec};

const FILE: &str = "scenario.toml";

#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    #[error("there is no scenario `{name}` in {}: there are {known}", directory.display())]
    Unknown {
        name: String,
        directory: PathBuf,
        known: String,
    },
    #[error("failed to read {}: {source}", path.display())]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{} is no scenario: {source}", path.display())]
    Malformed {
        path: PathBuf,
        source: Box<toml::de::Error>,
    },
    #[error("{} and {} are scenarios of one name", first.display(), second.display())]
    SameName { first: PathBuf, second: PathBuf },
    #[error("{} has the base `{base}`, which has a base itself: name that one", path.display())]
    BaseOfBase { path: PathBuf, base: String },
    #[error("{} names the system `{system}`, which its [systems] have not", path.display())]
    NoSuchSystem { path: PathBuf, system: String },
    #[error("{} has the specialisation `{name}` {what}", path.display())]
    Specialisation {
        path: PathBuf,
        name: String,
        what: &'static str,
    },
    #[error("{} has format version {found}, this version of bootproof reads 1", path.display())]
    Version { path: PathBuf, found: u32 },
}

impl Scenario {
    /// Reads the scenario of this name, which is below `directory` or below a group in it.
    ///
    /// # Errors
    /// When there is no such scenario, or the file or that of its base is not one.
    pub fn read(directory: &Path, name: &str) -> Result<Self, ScenarioError> {
        let path = file(directory, name)?;
        let own = read_table(&path)?;
        let group = group_of(directory, &path);
        let Some(base) = own.get("base").and_then(Value::as_str) else {
            return finish(own, path, group);
        };
        let base_path = file(directory, base)?;
        let under = read_table(&base_path)?;
        if under.contains_key("base") {
            let base = base.to_owned();
            return Err(ScenarioError::BaseOfBase { path, base });
        }
        finish(based(own, under), path, group)
    }
}

/// The directory below `directory` that groups scenarios, where the one of this file is in one.
fn group_of(directory: &Path, file: &Path) -> Option<String> {
    let group = file
        .parent()?
        .parent()
        .filter(|group| *group != directory)?;
    Some(group.file_name()?.to_string_lossy().into_owned())
}

/// The file of the scenario of this name.
///
/// # Errors
/// When there is none, or the directory cannot be read.
pub fn file(directory: &Path, name: &str) -> Result<PathBuf, ScenarioError> {
    let all = all(directory)?;
    match all.iter().find(|(known, _)| known == name) {
        Some((_, path)) => Ok(path.clone()),
        None => Err(ScenarioError::Unknown {
            name: name.to_owned(),
            directory: directory.to_owned(),
            known: all
                .into_iter()
                .map(|(name, _)| name)
                .collect::<Vec<_>>()
                .join(", "),
        }),
    }
}

/// The names of all scenarios below `directory`: its own, and then those of its groups, each sorted.
///
/// # Errors
/// When the directory cannot be read, or two scenarios have one name.
pub fn names(directory: &Path) -> Result<Vec<String>, ScenarioError> {
    Ok(all(directory)?.into_iter().map(|(name, _)| name).collect())
}

/// A directory with a `scenario.toml` is a scenario; one without may group some.
fn all(directory: &Path) -> Result<Vec<(String, PathBuf)>, ScenarioError> {
    let is_scenario = |directory: &PathBuf| directory.join(FILE).is_file();
    let (mut found, groups): (Vec<_>, Vec<_>) =
        directories(directory)?.into_iter().partition(is_scenario);
    for group in groups {
        found.extend(directories(&group)?.into_iter().filter(is_scenario));
    }
    let mut scenarios: Vec<(String, PathBuf)> = Vec::new();
    for directory in found {
        let name = directory.file_name().unwrap_or_default().to_string_lossy();
        let path = directory.join(FILE);
        if let Some((_, first)) = scenarios.iter().find(|(known, _)| *known == name) {
            let first = first.clone();
            return Err(ScenarioError::SameName {
                first,
                second: path,
            });
        }
        scenarios.push((name.into_owned(), path));
    }
    Ok(scenarios)
}

fn directories(directory: &Path) -> Result<BTreeSet<PathBuf>, ScenarioError> {
    let io_error = |source| ScenarioError::Io {
        path: directory.to_owned(),
        source,
    };
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(directory).map_err(io_error)? {
        let path = entry.map_err(io_error)?.path();
        if path.is_dir() {
            found.insert(path);
        }
    }
    Ok(found)
}

fn read_table(path: &Path) -> Result<Table, ScenarioError> {
    let text = std::fs::read_to_string(path).map_err(|source| ScenarioError::Io {
        path: path.to_owned(),
        source,
    })?;
    toml::from_str(&text).map_err(malformed(path))
}

/// The base's machine, rehearsal and systems, with what the scenario itself says laid over them, key by key.
fn based(mut own: Table, base: Table) -> Table {
    for (key, under) in base {
        let Value::Table(mut under) = under else {
            continue;
        };
        let over = match own.remove(&key) {
            Some(Value::Table(over)) => over,
            None if key == "expect" => continue,
            None => Table::new(),
            Some(other) => {
                own.insert(key, other);
                continue;
            }
        };
        let laid = match key.as_str() {
            "expect" => over,
            "systems" => {
                for (name, system) in over {
                    lay_over(&mut under, name, system);
                }
                under
            }
            _ => {
                under.extend(over);
                under
            }
        };
        own.insert(key, Value::Table(laid));
    }
    own
}

fn lay_over(systems: &mut Table, name: String, system: Value) {
    match (systems.get_mut(&name), system) {
        (Some(Value::Table(under)), Value::Table(over)) => under.extend(over),
        (_, system) => {
            systems.insert(name, system);
        }
    }
}

fn finish(table: Table, path: PathBuf, group: Option<String>) -> Result<Scenario, ScenarioError> {
    let mut scenario: Scenario = table.try_into().map_err(malformed(&path))?;
    if scenario.format_version != 1 {
        return Err(ScenarioError::Version {
            path,
            found: scenario.format_version,
        });
    }
    scenario.tags.extend(group);
    let rehearsal = &scenario.rehearsal;
    let likes = scenario.systems.values().filter_map(|s| s.like.as_ref());
    let named = rehearsal
        .baseline
        .iter()
        .chain([&rehearsal.candidate])
        .chain(&scenario.inspection.meant)
        .chain(likes);
    for system in named {
        if !scenario.systems.contains_key(system) {
            return Err(ScenarioError::NoSuchSystem {
                path,
                system: system.clone(),
            });
        }
    }
    let specialisations = scenario.systems.values().flat_map(|s| &s.specialisations);
    for (name, spec) in specialisations.flatten() {
        if let Some(what) = refused_of_specialisation(spec) {
            let name = name.clone();
            return Err(ScenarioError::Specialisation { path, name, what });
        }
    }
    Ok(scenario)
}

/// What the lab does not build.
fn refused_of_specialisation(spec: &SystemSpec) -> Option<&'static str> {
    let mutations = spec.mutations.iter().flatten();
    let is_damaged = mutations
        .into_iter()
        .any(|mutation| matches!(mutation, Mutation::Damage { .. }));
    if spec.specialisations.is_some() {
        Some("with specialisations of its own, which NixOS gives no entries: name them beside it")
    } else if spec.like.is_some() {
        Some("that is `like` another system: it is the one that it belongs to")
    } else if is_damaged {
        Some("that is damaged, which only a system can be")
    } else {
        None
    }
}

fn malformed(path: &Path) -> impl FnOnce(toml::de::Error) -> ScenarioError {
    let path = path.to_owned();
    |source| ScenarioError::Malformed {
        path,
        source: Box::new(source),
    }
}

#[cfg(test)]
mod tests;
