use crate::vocabulary::FileSystem;

/// Types that need no disk of this machine.
const WITHOUT_A_DEVICE: &[&str] = &[
    "9p",
    "autofs",
    "bpf",
    "cgroup",
    "cgroup2",
    "cifs",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "fusectl",
    "hugetlbfs",
    "mqueue",
    "nfs",
    "nfs4",
    "overlay",
    "proc",
    "pstore",
    "ramfs",
    "securityfs",
    "smb3",
    "smbfs",
    "sysfs",
    "tmpfs",
    "tracefs",
    "virtiofs",
];

/// Parses fstab(5) and keeps the lines that name a device or a swap area.
///
/// Lines with fewer than three fields are left out, as mount(8) skips them.
pub(super) fn parse(text: &str) -> Vec<FileSystem> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(|line| {
            let mut fields = line.split_ascii_whitespace().map(unescape);
            let file_system = FileSystem {
                device: fields.next()?,
                mount_point: fields.next()?,
                fs_type: fields.next()?,
                options: fields
                    .next()
                    .unwrap_or_else(|| "defaults".to_owned())
                    .split(',')
                    .filter(|option| !option.is_empty())
                    .map(str::to_owned)
                    .collect(),
            };
            has_device(&file_system).then_some(file_system)
        })
        .collect()
}

fn has_device(file_system: &FileSystem) -> bool {
    let without = WITHOUT_A_DEVICE.contains(&file_system.fs_type.as_str())
        || file_system.fs_type.starts_with("fuse.");
    let bind = file_system
        .options
        .iter()
        .any(|option| option == "bind" || option == "rbind");
    !without && !bind
}

/// Decodes `\040` and the like: a backslash and three octal digits are one byte.
fn unescape(field: &str) -> String {
    let bytes = field.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let code = bytes.get(i + 1..i + 4).filter(|_| bytes[i] == b'\\');
        let code = code.and_then(|digits| {
            let digits = std::str::from_utf8(digits).ok()?;
            u8::from_str_radix(digits, 8).ok()
        });
        match code {
            Some(byte) => {
                plain.push(byte);
                i += 4;
            }
            None => {
                plain.push(bytes[i]);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NIXOS: &str = "\
# This is a generated file.  Do not edit!
#
# Filesystems.
/dev/disk/by-label/nixos / ext4 x-initrd.mount,defaults 0 1
UUID=1234-ABCD /boot vfat fmask=0077,nofail 0 2
/data/with\\040blank /srv/a\\040b none bind 0 0
tmpfs /tmp tmpfs mode=1777 0 0
server:/export /mnt nfs defaults 0 0

# Swap devices.
/dev/disk/by-label/swap none swap
cut short
";

    #[test]
    fn devices_and_swap_are_kept_in_order() {
        let file_systems = parse(NIXOS);
        let points: Vec<_> = file_systems.iter().map(|f| &f.mount_point[..]).collect();
        assert_eq!(points, ["/", "/boot", "none"]);
        assert_eq!(file_systems[0].device, "/dev/disk/by-label/nixos");
        assert!(file_systems[1].is_optional());
        assert_eq!(file_systems[2].fs_type, "swap");
        assert_eq!(file_systems[2].options, ["defaults"]);
    }

    #[test]
    fn octal_escapes_are_decoded_and_others_kept() {
        let file_systems = parse("LABEL=a\\040b /x\\134y\\9 ext4 defaults\n");
        assert_eq!(file_systems[0].device, "LABEL=a b");
        assert_eq!(file_systems[0].mount_point, "/x\\y\\9");
        assert_eq!(unescape("\\"), "\\");
        assert_eq!(unescape("\\777"), "\\777");
    }
}
