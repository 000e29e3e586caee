use std::collections::BTreeSet;
use std::io::{self, Read};

use super::cpio_names::Entry;
use super::fstab;

/// The table of a server has some hundred bytes; the largest stage 1 script of NixOS has about 100 kB.
const TEXT_LIMIT: u64 = 1 << 20;
/// An initrd has one such table; more than a few are some other thing.
const MAX_ROOTS: usize = 8;

/// Looks for the device that stage 1 itself mounts as the root, in the files of an initrd as they come by.
#[derive(Debug, Default)]
pub(super) struct Stage1Root {
    in_tables: BTreeSet<String>,
    in_init: Option<String>,
}

impl Stage1Root {
    /// Reads the file if it tells.
    ///
    /// Where NixOS writes it: `initrd-fsinfo` for the script (`stage-1.nix`), `initrd-fstab` for systemd (`filesystems.nix`), before
    /// 23.11 `etc/fstab`. A stage 1 without such a table may name the device in `/init`.
    pub(super) fn look(&mut self, entry: Entry, content: &mut dyn Read) -> io::Result<()> {
        let find: fn(&str) -> Option<String> = match entry.name.trim_start_matches("./") {
            name if name.ends_with("-initrd-fsinfo") => in_fsinfo,
            name if name.ends_with("-initrd-fstab") => in_fstab,
            "etc/fstab" => in_fstab,
            "init" => in_script,
            _ => return Ok(()),
        };
        if entry.mode & 0o170_000 != 0o100_000 || self.in_tables.len() >= MAX_ROOTS {
            return Ok(());
        }
        let mut bytes = Vec::new();
        content.take(TEXT_LIMIT).read_to_end(&mut bytes)?;
        let root = std::str::from_utf8(&bytes).ok().and_then(find);
        if entry.name.ends_with("init") {
            self.in_init = root;
        } else {
            self.in_tables.extend(root);
        }
        Ok(())
    }

    /// The device as stage 1 has it; `None` where nothing or more than one thing tells.
    pub(super) fn found(self) -> Option<String> {
        let mut tables = self.in_tables.into_iter();
        match (tables.next(), tables.next()) {
            (None, _) => self.in_init,
            (root, None) => root,
            _ => None,
        }
    }
}

/// Lines of mount point, device, type and options, in turn.
fn in_fsinfo(text: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let root = lines.chunks(4).find(|lines| lines[0] == "/")?;
    // The script's `read` takes backslashes away.
    root.get(1)
        .filter(|device| !device.contains('\\'))
        .map(|device| (*device).to_owned())
}

fn in_fstab(text: &str) -> Option<String> {
    let mut lines = fstab::parse(text).into_iter();
    let root = lines.find(|fs| matches!(fs.mount_point.as_str(), "/" | "/sysroot" | "/sysroot/"));
    root.map(|fs| fs.device)
}

/// The one assignment of a path below `/dev` to `device`, as in `device=/dev/disk/by-label/nixos`.
fn in_script(text: &str) -> Option<String> {
    let values = text.lines().filter_map(|line| {
        let value = line.trim().strip_prefix("device=")?.trim_matches('"');
        let is_literal = value.starts_with("/dev/") && !value.contains(['$', '`', ' ', '\\', ';']);
        is_literal.then_some(value)
    });
    let values: BTreeSet<&str> = values.collect();
    match values.len() {
        1 => values.first().map(|value| (*value).to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::cpio_names::{LIMIT, visit_files};
    use crate::closure::testing::cpio_of;

    const FSINFO: &str = "nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-initrd-fsinfo";
    const FSTAB: &str = "nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-initrd-fstab";

    fn found(files: &[(&str, &str)]) -> Option<String> {
        let files: Vec<_> = files
            .iter()
            .map(|(name, text)| (*name, 0o100_755, text.as_bytes()))
            .collect();
        let mut root = Stage1Root::default();
        visit_files(&mut &cpio_of(&files)[..], LIMIT, &mut |entry, content| {
            root.look(entry, content)?;
            Ok(true)
        })
        .unwrap();
        root.found()
    }

    #[test]
    fn each_kind_of_stage_1_tells_its_root() {
        let fsinfo = "/nix\n/dev/sdb1\next4\ndefaults\n/\n/dev/disk/by-label/nixos\next4\ndefaults";
        let label = Some("/dev/disk/by-label/nixos".to_owned());
        assert_eq!(found(&[(FSINFO, fsinfo)]), label);
        for point in ["/", "/sysroot", "/sysroot/"] {
            let fstab = format!("/dev/disk/by-label/nixos {point} ext4 x-initrd.mount 0 1\n");
            assert_eq!(found(&[(FSTAB, &fstab)]), label);
            assert_eq!(found(&[("./etc/fstab", &fstab)]), label);
        }
        let script = "#!/bin/sh\n  device=/dev/disk/by-label/nixos\n  device=$1\n";
        assert_eq!(found(&[("init", script)]), label);
        // A table is what a script reads.
        assert_eq!(
            found(&[("init", "#!/bin/sh\ndevice=/dev/x\n"), (FSINFO, fsinfo)]),
            label
        );
    }

    #[test]
    fn what_is_not_certain_is_not_told() {
        let other = "nix/store/1fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-initrd-fsinfo";
        for files in [
            &[(FSINFO, "/\n/dev/sda1\next4\n"), (other, "/\n/dev/sdb1\n")][..],
            &[(FSINFO, "/\n/dev/disk/by-label/a\\040b\next4\n")],
            &[(FSINFO, "/")],
            &[("init", "device=/dev/sda1\ndevice=/dev/sdb1\n")],
            &[("init", "device=/dev/$1\n")],
            &[("init", "\u{7f}ELF")],
            &[],
        ] {
            assert_eq!(found(files), None, "{files:?}");
        }
    }
}
