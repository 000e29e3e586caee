use serde::{Deserialize, Serialize};

/// How long an endpoint may be without service while a step does what takes it down, in seconds of the reference machine; `None` for
/// as long as the step takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Downtime {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switch: Option<u32>,
    /// Of every way down and up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reboot: Option<u32>,
}

impl Downtime {
    pub fn is_unlimited(&self) -> bool {
        *self == Self::default()
    }
}
