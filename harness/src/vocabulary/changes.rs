use serde::{Deserialize, Serialize};

/// The differences that a person asks for before a deploy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// What is another: the thing, what the baseline has, what the candidate has.
    pub replaced: Vec<Replaced>,
    pub units_added: Vec<String>,
    pub units_removed: Vec<String>,
    /// Units whose settings differ, drop-ins included.
    pub units_changed: Vec<String>,
    /// Of these, what a switch does to those that run; approximately, for here the boot target tells which do.
    pub units_restarted: Vec<String>,
    pub units_reloaded: Vec<String>,
    /// They go on as they were started until a reboot.
    pub units_left: Vec<String>,
    /// Why a reboot is needed before the machine is what the candidate says; empty where none is.
    pub reboot_for: Vec<String>,
}

/// One thing that both have, and that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Replaced {
    pub what: String,
    pub before: String,
    pub after: String,
}
