use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::System;

/// The machine that will run the closure: it, and never the candidate, decides QEMU's binary, CPU and devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TargetMachine {
    /// What its CPU runs.
    #[serde(default = "x86_64")]
    pub system: System,
    /// A CPU model of QEMU; `None` for a plain 64-bit (or 32-bit) one that TCG runs fast.
    #[serde(default)]
    pub cpu: Option<String>,
    #[serde(default = "two")]
    pub cores: u32,
    #[serde(default = "one_gibibyte")]
    pub memory_mib: u32,
    /// `None` leaves the choice to the closure's bootloader.
    #[serde(default)]
    pub firmware: Option<Firmware>,
    /// `None` leaves the choice to what the initrd can drive and what the bootloader's device is called.
    #[serde(default)]
    pub disk_bus: Option<DiskBus>,
    /// What systemd calls its network card: `ens5`, `enp0s3`, `enp1s0`, `eno1`. `None` for the name that the closure configures.
    #[serde(
        default,
        deserialize_with = "interface",
        skip_serializing_if = "Option::is_none"
    )]
    pub interface: Option<String>,
    /// The card's hardware address, such as `52:54:00:12:34:56`.
    #[serde(
        default,
        deserialize_with = "mac",
        skip_serializing_if = "Option::is_none"
    )]
    pub mac: Option<String>,
    /// What is free on its `/boot`, in MiB; `None` where nobody said.
    #[serde(default)]
    pub boot_free_mib: Option<u64>,
    /// What its `/boot` has in all, in MiB.
    #[serde(default)]
    pub boot_size_mib: Option<u64>,
}

fn mac<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let is_pair = |pair: &str| pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit());
    if text.split(':').count() == 6 && text.split(':').all(is_pair) {
        return Ok(Some(text));
    }
    Err(D::Error::custom(format!(
        "`{text}` is no hardware address of a network card: write one like 52:54:00:12:34:56"
    )))
}

fn interface<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    // The kernel's limit is 15 (IFNAMSIZ).
    if (1..16).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() && b != b'/') {
        return Ok(Some(text));
    }
    Err(D::Error::custom(format!(
        "`{text}` is no name of a network interface: write one like ens5 or enp0s3"
    )))
}

fn x86_64() -> System {
    System::X86_64Linux
}

fn two() -> u32 {
    2
}

fn one_gibibyte() -> u32 {
    1024
}

impl Default for TargetMachine {
    fn default() -> Self {
        Self {
            system: x86_64(),
            cpu: None,
            cores: two(),
            memory_mib: one_gibibyte(),
            firmware: None,
            disk_bus: None,
            interface: None,
            mac: None,
            boot_free_mib: None,
            boot_size_mib: None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Firmware {
    /// SeaBIOS.
    #[default]
    Bios,
    /// OVMF, as wide as the machine, with Secure Boot off.
    Uefi,
}

impl Firmware {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bios => "BIOS",
            Self::Uefi => "UEFI",
        }
    }

    /// For what is written down only where it is not as usual.
    pub fn is_bios(&self) -> bool {
        *self == Self::Bios
    }
}

/// How the disk is attached, which decides its name in the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum DiskBus {
    Virtio,
    Sata,
    Scsi,
    Nvme,
}

impl DiskBus {
    /// What Linux calls the first disk on this bus.
    pub fn device(self) -> &'static str {
        match self {
            Self::Virtio => "/dev/vda",
            Self::Sata | Self::Scsi => "/dev/sda",
            Self::Nvme => "/dev/nvme0n1",
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Virtio => "virtio",
            Self::Sata => "sata",
            Self::Scsi => "scsi",
            Self::Nvme => "nvme",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_or_name_of_a_card_is_refused_with_one_that_is() {
        let machine = |text: &str| toml::from_str::<TargetMachine>(text);
        let machine_with_both = machine("mac = '52:54:00:12:34:56'\ninterface = 'ens5'").unwrap();
        assert_eq!(machine_with_both.interface.as_deref(), Some("ens5"));
        for (text, words) in [
            ("mac = '52:54:00'", "52:54:00:12:34:56"),
            ("mac = '52:54:00:12:34:5,x=y'", "no hardware address"),
            ("interface = ''", "ens5"),
            ("interface = 'a name with spaces'", "no name"),
        ] {
            let told = machine(text).unwrap_err().to_string();
            assert!(told.contains(words), "{told}");
        }
    }
}
