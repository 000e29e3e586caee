//! Reads the dump that says which kernel, system and generation runs.
//!
//! Called by `dump`. The command behind it is of the rehearsal; the keys are documented at [`Dump::Identity`](crate::vocabulary::Dump).

use crate::vocabulary::{BootId, ElfClass};

use super::sanitise;

/// What runs, as the guest itself says; `None` for what it did not say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// `uname -m`.
    pub machine: Option<String>,
    /// `uname -r`.
    pub release: Option<String>,
    pub boot_id: Option<BootId>,
    /// What `/run/booted-system` resolves to.
    pub booted: Option<String>,
    /// What `/run/current-system` resolves to.
    pub current: Option<String>,
    /// What `/nix/var/nix/profiles/system` resolves to.
    pub profile: Option<String>,
    /// The file `/run/current-system/system`.
    pub system: Option<String>,
    /// The class of PID 1's executable.
    pub pid1: Option<ElfClass>,
    /// What started the kernel, by the machine's own tables (SMBIOS type 0): `SeaBIOS 1.16.2-debian-1.16.2-1`.
    pub firmware: Option<String>,
    /// The kernel's command line.
    pub cmdline: Option<String>,
    /// `model name` of `/proc/cpuinfo`.
    pub cpu: Option<String>,
    /// Whether the CPU has long mode (the flag `lm`), which a 32-bit kernel shows as well.
    pub cpu_long_mode: bool,
}

impl Identity {
    /// Reads `KEY=VALUE` lines. Unknown keys are passed over; the first of a key's values counts.
    pub(super) fn parse(output: &str) -> Self {
        let value = |key: &str| {
            output
                .lines()
                .filter_map(|l| l.split_once('='))
                .find(|(k, _)| k.trim() == key)
                .map(|(_, v)| sanitise::line(v))
                .filter(|v| !v.is_empty())
        };
        Self {
            machine: value("machine"),
            release: value("release"),
            boot_id: value("boot_id").and_then(|v| BootId::parse(&v)),
            booted: value("booted"),
            current: value("current"),
            profile: value("profile"),
            system: value("system"),
            pid1: value("pid1").and_then(|v| ElfClass::of_header(&bytes_of_hex(&v)?)),
            firmware: value("firmware"),
            cmdline: value("cmdline"),
            cpu: value("cpu"),
            cpu_long_mode: value("cpu_lm").as_deref() == Some("yes"),
        }
    }

    /// The keys that checks rest on and that are absent or unreadable.
    pub(super) fn missing(&self) -> Vec<&'static str> {
        [
            ("machine", self.machine.is_none()),
            ("boot_id", self.boot_id.is_none()),
            ("booted", self.booted.is_none()),
            ("current", self.current.is_none()),
            ("profile", self.profile.is_none()),
            ("system", self.system.is_none()),
            ("pid1", self.pid1.is_none()),
        ]
        .into_iter()
        .filter_map(|(key, missing)| missing.then_some(key))
        .collect()
    }
}

/// Reads hexadecimal digits, white space between them passed over; `None` for anything else.
fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect::<Option<Vec<u8>>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty()
        .then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_and_values_may_contain_equals_signs() {
        let identity = Identity::parse(
            "machine=i686\npid1=7f454c46010101000000000000000000 02000300\ncmdline=root=/dev/vda1 quiet\nextra=1\n",
        );
        assert_eq!(identity.machine.as_deref(), Some("i686"));
        assert_eq!(identity.pid1, Some(ElfClass::I386));
        assert_eq!(identity.cmdline.as_deref(), Some("root=/dev/vda1 quiet"));
        assert_eq!(
            identity.missing(),
            ["boot_id", "booted", "current", "profile", "system"]
        );
    }

    #[test]
    fn odd_or_foreign_hex_is_no_class() {
        for pid1 in ["7f4", "zz", "", "7f454c46", "🦀🦀"] {
            assert_eq!(Identity::parse(&format!("pid1={pid1}")).pid1, None);
        }
    }
}
