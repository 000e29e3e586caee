use std::collections::{BTreeMap, BTreeSet};

use super::unit_set::Unit;
use crate::closure::files::ClosureFiles;
use crate::closure::units::UNIT_DIRECTORY;

/// Settings that name a unit and start none (systemd.unit(5)).
const ORDER: &[&str] = &[
    "After=",
    "Before=",
    "PartOf=",
    "Requisite=",
    "Conflicts=",
    "JoinsNamespaceOf=",
];
/// A larger file is no configuration and no script.
const MAX_TEXT: u64 = 1 << 20;
/// Files that are searched for who starts a unit; where they are more, something may.
const MAX_TEXTS: usize = 8_000;
const MAX_DEPTH: usize = 4;

/// Services that neither the boot nor a timer, socket, path, bus name or other unit's directory starts.
pub(super) struct IdleUnits(BTreeSet<String>);

impl IdleUnits {
    pub(super) fn among(files: &ClosureFiles, units: &BTreeMap<String, Unit>) -> Self {
        let wanted: BTreeSet<String> = files
            .list(UNIT_DIRECTORY)
            .unwrap_or_default()
            .iter()
            .filter(|name| {
                [".wants", ".requires", ".upholds"]
                    .iter()
                    .any(|end| name.ends_with(end))
            })
            .flat_map(|name| {
                files
                    .list(&format!("{UNIT_DIRECTORY}/{name}"))
                    .unwrap_or_default()
            })
            .collect();
        let is_triggered = |stem: &str| {
            [".socket", ".timer", ".path"]
                .iter()
                .any(|kind| units.contains_key(&format!("{stem}{kind}")))
        };
        let is_idle = |name: &str, unit: &Unit| {
            let Some(stem) = name.strip_suffix(".service") else {
                return false;
            };
            // An instance is started by whoever makes up its name, and a service on the bus by its first caller.
            let is_on_call = stem.contains('@')
                || stem.starts_with("dbus-")
                || unit.setting("Service", "BusName").is_some()
                || unit.setting("Service", "Type") == Some("dbus");
            !unit.at_boot && !is_on_call && !is_triggered(stem) && !wanted.contains(name)
        };
        let idle = units.iter().filter(|(name, unit)| is_idle(name, unit));
        Self(idle.map(|(name, _)| name.clone()).collect())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// Whether another unit, a script that one runs, activation, or a file of `etc` such as udev's rules says something that may start it.
    pub(super) fn may_be_started(
        &self,
        files: &ClosureFiles,
        units: &BTreeMap<String, Unit>,
        name: &str,
    ) -> bool {
        let others = || units.iter().filter(|(other, _)| *other != name);
        if others().any(|(_, unit)| starts(&unit.assignments, name)) {
            return true;
        }
        let scripts: BTreeSet<&str> = others()
            .flat_map(|(_, unit)| &unit.commands)
            .flat_map(|command| &command.hops)
            .filter(|hop| hop.class.is_none())
            .map(|hop| hop.path.as_str())
            .collect();
        let activation = files.in_toplevel("activate");
        let mut left = MAX_TEXTS;
        scripts
            .into_iter()
            .chain([activation.as_str()])
            .any(|path| file_starts(files, path, name, &mut left))
            || directory_starts(files, "/etc", name, MAX_DEPTH, &mut left)
    }
}

fn file_starts(files: &ClosureFiles, path: &str, name: &str, left: &mut usize) -> bool {
    if *left == 0 {
        return true;
    }
    *left -= 1;
    let bytes = files.read(path, MAX_TEXT).unwrap_or_default();
    !bytes.starts_with(b"\x7fELF") && starts(&String::from_utf8_lossy(&bytes), name)
}

fn directory_starts(
    files: &ClosureFiles,
    directory: &str,
    name: &str,
    depth: usize,
    left: &mut usize,
) -> bool {
    let entries = files.list(directory).unwrap_or_default();
    entries
        .iter()
        .map(|entry| format!("{directory}/{entry}"))
        .filter(|path| path != "/etc/systemd")
        .any(|path| {
            file_starts(files, &path, name, left)
                || (depth > 0 && directory_starts(files, &path, name, depth - 1, left))
        })
}

/// Whether a text names the unit other than to order it, or has its stem beside the program that starts units.
fn starts(text: &str, name: &str) -> bool {
    let orders = |line: &str| {
        let setting = line.strip_prefix("[Unit] ").unwrap_or_default();
        ORDER.iter().any(|key| setting.starts_with(key))
    };
    let stem = name.strip_suffix(".service").unwrap_or(name);
    text.lines()
        .any(|line| line.contains(name) && !orders(line))
        || (text.contains("systemctl") && text.contains(stem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_only_orders_a_unit_does_not_start_it() {
        for text in [
            "[Unit] Wants=b.service a.service\n",
            "[Unit] OnFailure=a.service\n",
            "ENV{SYSTEMD_WANTS}=\"a.service\"",
            "systemctl \\\n start a\n",
        ] {
            assert!(starts(text, "a.service"), "{text}");
        }
        for text in ["", "[Unit] After=a.service\n", "cat /var/lib/a\n"] {
            assert!(!starts(text, "a.service"), "{text}");
        }
    }
}
