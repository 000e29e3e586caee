use serde::{Deserialize, Serialize};

/// What the machine's bootloader will start by itself, told from its files and variables as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "is", deny_unknown_fields)]
pub enum Prediction {
    Entry {
        /// `GRUB` or `systemd-boot`.
        loader: String,
        /// The entry's title or file.
        entry: String,
        /// What makes it the one, such as `default of /boot/grub/grub.cfg`.
        chosen_by: String,
        /// What `init=` names, without `/init`; `None` where it names no store path.
        toplevel: Option<String>,
        /// The toplevel of the first entry of the menu that starts another: what there is to go back to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fallback: Option<String>,
        /// Every toplevel that an entry of the menu starts, in its order; empty in a recording without it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        offered: Vec<String>,
    },
    /// Why it cannot be told.
    Unknown { reason: String },
}

impl Prediction {
    /// The toplevel that is started, as far as that is known.
    pub fn toplevel(&self) -> Option<&str> {
        match self {
            Self::Entry { toplevel, .. } => toplevel.as_deref(),
            Self::Unknown { .. } => None,
        }
    }
}
