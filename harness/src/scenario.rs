//! `scenario.toml`: the systems that the lab builds, the machine, the steps, and what must come out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::vocabulary::{Step, System, TargetMachine, Verdict};

/// A regression scenario. The lab's Nix expressions read the same file; unknown keys are refused here.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub format_version: u32,
    pub summary: String,
    pub target: TargetMachine,
    pub rehearsal: Rehearsal,
    pub systems: BTreeMap<String, SystemSpec>,
    pub expect: Expectation,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rehearsal {
    pub expect_system: System,
    /// A key of `systems`.
    pub baseline: Option<String>,
    /// A key of `systems`.
    pub candidate: String,
    pub steps: Vec<Step>,
}

/// What the lab builds. Keys that are absent are those of the system named by `like`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemSpec {
    pub like: Option<String>,
    pub kernel: Option<Architecture>,
    pub userland: Option<Architecture>,
    pub kernel_params: Option<Vec<String>>,
    pub grub_device: Option<String>,
    pub root_label: Option<String>,
    pub initrd_modules: Option<Vec<String>>,
    pub tools: Option<Vec<String>>,
    pub network: Option<NetworkSpec>,
    pub services: Option<Vec<ServiceSpec>>,
    pub virtual_hosts: Option<Vec<VirtualHostSpec>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Architecture {
    #[serde(rename = "x86_64")]
    X86_64,
    I686,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSpec {
    pub interface: Option<String>,
    pub address: Option<String>,
    pub firewall_tcp_ports: Option<Vec<u16>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceSpec {
    pub name: String,
    pub arch: Option<Architecture>,
    pub port: u16,
    pub page: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VirtualHostSpec {
    pub name: String,
    pub service: String,
}

/// What must come out: the verdict, and exactly these findings and gaps.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    pub verdict: Verdict,
    /// `STATE/CHECK/SUBJECT`.
    pub findings: Vec<String>,
    /// `STATE/SUBJECT`, or `SUBJECT` for what concerns the whole rehearsal.
    #[serde(default)]
    pub unproven: Vec<String>,
}

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
    #[error("{} names the system `{system}`, which its [systems] have not", path.display())]
    NoSuchSystem { path: PathBuf, system: String },
    #[error("{} has format version {found}, this version of bootproof reads 1", path.display())]
    Version { path: PathBuf, found: u32 },
}

impl Scenario {
    /// Reads `directory/NAME/scenario.toml`.
    ///
    /// # Errors
    /// When there is no such scenario, or the file is not one.
    pub fn read(directory: &Path, name: &str) -> Result<Self, ScenarioError> {
        let path = directory.join(name).join(FILE);
        let known = names(directory)?;
        if !known.iter().any(|n| n == name) {
            return Err(ScenarioError::Unknown {
                name: name.to_owned(),
                directory: directory.to_owned(),
                known: known.join(", "),
            });
        }
        let text = std::fs::read_to_string(&path).map_err(|source| ScenarioError::Io {
            path: path.clone(),
            source,
        })?;
        Self::parse(&text, &path)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, ScenarioError> {
        let path = path.to_owned();
        let scenario: Self = match toml::from_str(text) {
            Ok(scenario) => scenario,
            Err(source) => {
                return Err(ScenarioError::Malformed {
                    path,
                    source: Box::new(source),
                });
            }
        };
        if scenario.format_version != 1 {
            return Err(ScenarioError::Version {
                path,
                found: scenario.format_version,
            });
        }
        let rehearsal = &scenario.rehearsal;
        let likes = scenario.systems.values().filter_map(|s| s.like.as_ref());
        let named = rehearsal
            .baseline
            .iter()
            .chain([&rehearsal.candidate])
            .chain(likes);
        for system in named {
            if !scenario.systems.contains_key(system) {
                return Err(ScenarioError::NoSuchSystem {
                    path,
                    system: system.clone(),
                });
            }
        }
        Ok(scenario)
    }
}

const FILE: &str = "scenario.toml";

/// The names of all scenarios below `directory`, sorted.
///
/// # Errors
/// When the directory cannot be read.
pub fn names(directory: &Path) -> Result<Vec<String>, ScenarioError> {
    let io_error = |source| ScenarioError::Io {
        path: directory.to_owned(),
        source,
    };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(io_error)? {
        let entry = entry.map_err(io_error)?;
        if entry.path().join(FILE).is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCENARIO: &str = r#"
format_version = 1
summary = "x"
[target]
system = "x86_64-linux"
[rehearsal]
expect_system = "x86_64-linux"
baseline = "old"
candidate = "new"
steps = ["boot", "switch", "warm-reboot"]
[systems.old]
kernel = "x86_64"
[systems.new]
like = "old"
kernel = "i686"
[expect]
verdict = "fail"
findings = ["rebooted/kernel-architecture/kernel"]
"#;

    fn parse(text: &str) -> Result<Scenario, ScenarioError> {
        Scenario::parse(text, Path::new("scenarios/x/scenario.toml"))
    }

    #[test]
    fn a_scenario_has_machine_systems_steps_and_expectation() {
        let scenario = parse(SCENARIO).unwrap();
        assert_eq!(
            scenario.rehearsal.steps,
            [Step::Boot, Step::Switch, Step::WarmReboot]
        );
        assert_eq!(scenario.expect.verdict, Verdict::Fail);
        assert_eq!(scenario.target.memory_mib, 1024);
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let text = SCENARIO.replace("summary", "sumary");
        let error = parse(&text).unwrap_err().to_string();
        assert!(
            error.contains("sumary") && error.contains("scenarios/x"),
            "{error}"
        );
    }

    #[test]
    fn a_system_that_is_not_there_is_named() {
        let text = SCENARIO.replace("candidate = \"new\"", "candidate = \"newer\"");
        let error = parse(&text).unwrap_err().to_string();
        assert!(error.contains("`newer`"), "{error}");
    }

    #[test]
    fn an_unknown_scenario_is_told_with_the_known_ones() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("healthy")).unwrap();
        std::fs::write(directory.path().join("healthy").join(FILE), SCENARIO).unwrap();
        let error = Scenario::read(directory.path(), "healhty")
            .unwrap_err()
            .to_string();
        assert!(error.contains("there are healthy"), "{error}");
    }
}
