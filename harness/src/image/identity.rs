//! By what a line of an fstab finds its partition. Pure.

use crate::vocabulary::DiskBus;

/// What a partition must be called to be found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Identity {
    /// The number in the device's name.
    pub(super) number: Option<u32>,
    pub(super) label: Option<String>,
    pub(super) uuid: Option<String>,
    pub(super) part_label: Option<String>,
    pub(super) part_uuid: Option<String>,
}

/// The most that a GPT of the usual size has room for.
const MAX_NUMBER: u32 = 128;

impl Identity {
    /// Reads the first field of fstab(5), in the forms of NixOS's `fileSystems.<name>.device`, `swapDevices` and disko.
    ///
    /// `None` for a device that is no partition of the one disk on `bus`, or whose name a partition cannot have.
    pub(super) fn of_device(device: &str, bus: DiskBus) -> Option<Self> {
        let named = |directory: &str, key: &str| {
            let in_directory = device.strip_prefix(directory).map(unescape_udev);
            in_directory.or_else(|| {
                let value = device.strip_prefix(key)?;
                Some(value.trim_matches('"').to_owned())
            })
        };
        let mut identity = Self::default();
        if let Some(label) = named("/dev/disk/by-label/", "LABEL=") {
            identity.label = Some(label);
        } else if let Some(uuid) = named("/dev/disk/by-uuid/", "UUID=") {
            identity.uuid = Some(uuid);
        } else if let Some(name) = named("/dev/disk/by-partlabel/", "PARTLABEL=") {
            identity.part_label = Some(name).filter(|name| is_partition_name(name));
            identity.part_label.as_ref()?;
        } else if let Some(uuid) = named("/dev/disk/by-partuuid/", "PARTUUID=") {
            identity.part_uuid = Some(uuid).filter(|uuid| is_uuid(uuid));
            identity.part_uuid.as_ref()?;
        } else {
            identity.number = Some(number_of(device, bus)?);
        }
        Some(identity)
    }

    /// Takes in the names that `other` has and `self` has not; `false`, and nothing taken, where both have one and differ.
    pub(super) fn absorb(&mut self, other: &Self) -> bool {
        fn agree<T: PartialEq>(a: &Option<T>, b: &Option<T>) -> bool {
            a.is_none() || b.is_none() || a == b
        }
        fn fill<T: Clone>(a: &mut Option<T>, b: &Option<T>) {
            if a.is_none() {
                a.clone_from(b);
            }
        }
        let agreed = agree(&self.number, &other.number)
            && agree(&self.label, &other.label)
            && agree(&self.uuid, &other.uuid)
            && agree(&self.part_label, &other.part_label)
            && agree(&self.part_uuid, &other.part_uuid);
        if agreed {
            fill(&mut self.number, &other.number);
            fill(&mut self.label, &other.label);
            fill(&mut self.uuid, &other.uuid);
            fill(&mut self.part_label, &other.part_label);
            fill(&mut self.part_uuid, &other.part_uuid);
        }
        agreed
    }
}

/// The number of a partition of the first disk, such as 2 of `/dev/vda2` or `/dev/nvme0n1p2`.
fn number_of(device: &str, bus: DiskBus) -> Option<u32> {
    let digits = device.strip_prefix(bus.device())?;
    let digits = match bus {
        DiskBus::Nvme => digits.strip_prefix('p')?,
        _ => digits,
    };
    let number = digits.parse().ok()?;
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    (plain && (1..=MAX_NUMBER).contains(&number)).then_some(number)
}

/// A GPT holds 36 characters, and the script of sfdisk(8) has no way to write a quote.
fn is_partition_name(name: &str) -> bool {
    let writable = |c: char| (c.is_ascii_graphic() || c == ' ') && c != '"' && c != '\\';
    (1..=36).contains(&name.len()) && name.chars().all(writable)
}

/// 8-4-4-4-12; an MBR's `12345678-01` follows from the disk, and cannot be given.
fn is_uuid(uuid: &str) -> bool {
    let groups: Vec<&str> = uuid.split('-').collect();
    let hex = |group: &&str| group.bytes().all(|b| b.is_ascii_hexdigit());
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(hex)
}

/// udev writes odd characters of a label as `\x20` (udev's `encode_devnode_name`).
fn unescape_udev(name: &str) -> String {
    let mut parts = name.split("\\x");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_at_checked(2) {
            Some((hex, rest)) if u8::from_str_radix(hex, 16).is_ok_and(|b| b.is_ascii()) => {
                let byte = u8::from_str_radix(hex, 16).unwrap_or(b'?');
                text.push(char::from(byte));
                text.push_str(rest);
            }
            _ => {
                text.push_str("\\x");
                text.push_str(part);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(device: &str) -> Option<Identity> {
        Identity::of_device(device, DiskBus::Virtio)
    }

    #[test]
    fn every_form_that_nixos_writes_is_read() {
        assert_eq!(
            of("/dev/disk/by-label/my\\x20root").unwrap().label.unwrap(),
            "my root"
        );
        assert_eq!(of("UUID=1234-ABCD").unwrap().uuid.unwrap(), "1234-ABCD");
        let disko = of("/dev/disk/by-partlabel/disk-main-root").unwrap();
        assert_eq!(disko.part_label.unwrap(), "disk-main-root");
        let uuid = "f222513b-ded1-49fa-b591-20ce86a2fe7f";
        let by_uuid = of(&format!("/dev/disk/by-partuuid/{uuid}")).unwrap();
        assert_eq!(by_uuid.part_uuid.unwrap(), uuid);
        assert_eq!(of("/dev/vda3").unwrap().number, Some(3));
        let nvme = Identity::of_device("/dev/nvme0n1p2", DiskBus::Nvme).unwrap();
        assert_eq!(nvme.number, Some(2));
    }

    #[test]
    fn what_no_partition_of_the_disk_can_be_called_is_refused() {
        for device in [
            "/dev/sda1",
            "/dev/vda",
            "/dev/vda0",
            "/dev/vda01",
            "/dev/vda4294967297",
            "/dev/vda+1",
            "/dev/mapper/root",
            "rpool/root",
            "PARTUUID=12345678-01",
            "PARTLABEL=a\"b",
            "/dev/disk/by-partlabel/",
        ] {
            assert_eq!(of(device), None, "{device}");
        }
    }

    #[test]
    fn names_of_different_sorts_are_one_partitions_and_different_names_are_not() {
        let mut known = of("LABEL=nixos").unwrap();
        assert!(known.absorb(&of("UUID=1234-ABCD").unwrap()));
        assert_eq!(known.uuid.as_deref(), Some("1234-ABCD"));
        assert!(!known.absorb(&of("LABEL=other").unwrap()));
        assert!(known.absorb(&of("/dev/vda2").unwrap()));
        assert!(!known.absorb(&of("/dev/vda1").unwrap()));
        assert_eq!(known.label.as_deref(), Some("nixos"));
    }
}
