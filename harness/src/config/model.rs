use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::probes::WrittenProbe;
use super::seeds::{SeededFile, WrittenFile};
use super::suppressions::WrittenSuppression;
use crate::receipt::PublicKey;
use crate::vocabulary::{
    Accelerator, Downtime, Probe, Step, Suppression, System, TargetMachine, Times,
};

/// A whole `bootproof.toml`, with keys that were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// Where receipts lie, relative to the file.
    pub receipts: PathBuf,
    /// Whose signatures count.
    pub trusted_keys: Vec<PublicKey>,
    /// What the cache of finished disks may take, in bytes.
    pub cache_size: Option<u64>,
    /// For a host that says nothing else, and where no host is named.
    pub policy: Policy,
    /// Those of every host, and of none.
    pub suppressions: Vec<Suppression>,
    pub hosts: BTreeMap<String, HostSettings>,
}

/// What the file says of one host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HostSettings {
    /// What `ssh` takes for a destination, such as `root@web`.
    pub ssh: Option<String>,
    pub expect_system: Option<System>,
    pub target: TargetMachine,
    pub policy: Policy,
    /// Those of every host, then its own.
    pub suppressions: Vec<Suppression>,
    pub probes: Vec<Probe>,
    pub downtime: Downtime,
    pub times: Times,
    pub files: Vec<SeededFile>,
}

/// A host, or none, as `gate` and `test` see it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Host {
    /// `None` where no host was named.
    pub name: Option<String>,
    pub settings: HostSettings,
}

/// What a receipt must show before the gate opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Each must have been done at least once.
    pub steps: Vec<Step>,
    /// How often the guest must have been rebooted.
    pub cycles: usize,
    /// How old a receipt may be.
    pub max_age: SignedDuration,
    /// Those that count.
    pub accelerators: Vec<Accelerator>,
    /// Whether the report must be one that a person approved.
    pub approved: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            steps: vec![Step::Boot, Step::Switch, Step::WarmReboot],
            cycles: 1,
            max_age: SignedDuration::from_hours(14 * 24),
            accelerators: vec![Accelerator::Kvm, Accelerator::Tcg],
            approved: false,
        }
    }
}

/// The tables of the file, as they are written.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    pub(super) format_version: u32,
    pub(super) receipts: Option<PathBuf>,
    #[serde(default)]
    pub(super) trusted_keys: Vec<String>,
    /// As df(1) writes it: `20G`.
    pub(super) cache_size: Option<String>,
    #[serde(default)]
    pub(super) policy: WrittenPolicy,
    #[serde(default)]
    pub(super) suppressions: Vec<WrittenSuppression>,
    #[serde(default)]
    pub(super) hosts: BTreeMap<String, WrittenHost>,
}

#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenHost {
    pub(super) ssh: Option<String>,
    pub(super) expect_system: Option<System>,
    #[serde(default)]
    pub(super) target: TargetMachine,
    #[serde(default)]
    pub(super) policy: WrittenPolicy,
    #[serde(default)]
    pub(super) suppressions: Vec<WrittenSuppression>,
    #[serde(default)]
    pub(super) probes: Vec<WrittenProbe>,
    #[serde(default)]
    pub(super) downtime: WrittenDowntime,
    #[serde(default)]
    pub(super) rehearsal: WrittenTimes,
    #[serde(default)]
    pub(super) files: Vec<WrittenFile>,
}

/// As people write it: `20 s`, `2 minutes`. What is left out has no limit.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenDowntime {
    pub(super) switch: Option<String>,
    pub(super) reboot: Option<String>,
}

/// As people write it. What is left out is bootproof's own.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenTimes {
    /// How long systemd may take to call its start finished.
    pub(super) start: Option<String>,
    /// How long each state is watched.
    pub(super) window: Option<String>,
}

/// What is left out is the policy's above it.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenPolicy {
    pub(super) steps: Option<Vec<Step>>,
    pub(super) cycles: Option<usize>,
    /// As people write it: `14 days`, `36 hours`.
    pub(super) max_age: Option<String>,
    pub(super) accelerators: Option<Vec<Accelerator>>,
    pub(super) approved: Option<bool>,
}

impl Configuration {
    /// The host of that name; `None` where the file has none.
    pub fn host(&self, name: &str) -> Option<Host> {
        self.hosts.get(name).map(|settings| Host {
            name: Some(name.to_owned()),
            settings: settings.clone(),
        })
    }

    /// What holds where no host is named.
    pub fn any_host(&self) -> Host {
        Host {
            name: None,
            settings: HostSettings {
                policy: self.policy.clone(),
                suppressions: self.suppressions.clone(),
                ..HostSettings::default()
            },
        }
    }
}
