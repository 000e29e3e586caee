//! What `switch-to-configuration` does to units that run and that differ, approximately: which run is known only on the machine, and what
//! the boot target pulls in stands for it here.
//!
//! After nixpkgs' `switch-to-configuration-ng`: it compares settings, and not files, and asks the new unit what may be done to it.

use std::collections::BTreeMap;

use crate::closure::Unit;

/// What becomes of a unit that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Restarted,
    Reloaded,
    /// It differs, and goes on as it was started until a reboot.
    Left,
    /// Nothing that it differs in matters to a unit that runs.
    Untouched,
}

/// Settings of `[Unit]` that a running unit need not be restarted for.
const IGNORED: &[&str] = &[
    "Description",
    "Documentation",
    "OnFailure",
    "OnSuccess",
    "OnFailureJobMode",
    "IgnoreOnIsolate",
    "StopWhenUnneeded",
    "RefuseManualStart",
    "RefuseManualStop",
    "AllowIsolate",
    "CollectMode",
    "SourcePath",
];

/// What a switch from `old` to `new` does to the unit called `name`.
pub(super) fn fate(name: &str, old: &Unit, new: &Unit) -> Fate {
    if !runs(name, old) {
        return Fate::Untouched;
    }
    let (old, new) = (Settings::of(old), Settings::of(new));
    let kind = name.rsplit('.').next().unwrap_or_default();
    match (compare(&old, &new), kind) {
        // Targets are started again at every switch, which changes nothing of what runs.
        (Difference::None, _) | (_, "target") => Fate::Untouched,
        (Difference::Reload, _) => Fate::Reloaded,
        (Difference::Restart, "slice" | "path" | "socket") => Fate::Left,
        (Difference::Restart, "mount") if ["-.mount", "nix.mount"].contains(&name) => {
            Fate::Reloaded
        }
        (Difference::Restart, "mount") => Fate::Restarted,
        (Difference::Restart, _) => of_changed(&new),
    }
}

fn of_changed(new: &Settings) -> Fate {
    if new.is_set("Service", "X-ReloadIfChanged", false) {
        Fate::Reloaded
    } else if !new.is_set("Service", "X-RestartIfChanged", true)
        || new.is_set("Unit", "RefuseManualStop", false)
        || new.is_set("Unit", "X-OnlyManualStart", false)
    {
        Fate::Left
    } else {
        Fate::Restarted
    }
}

/// A one-shot service that does not remain is over when the boot is.
fn runs(name: &str, unit: &Unit) -> bool {
    let settings = Settings::of(unit);
    let is_over = name.ends_with(".service")
        && settings.last("Service", "Type") == Some("oneshot")
        && !settings.is_set("Service", "RemainAfterExit", false);
    unit.at_boot && !is_over
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Difference {
    None,
    Reload,
    Restart,
}

fn compare(old: &Settings, new: &Settings) -> Difference {
    let keys = old.values.keys().chain(new.values.keys());
    keys.filter(|key| old.values.get(*key) != new.values.get(*key))
        .map(|(section, key)| match (*section, *key) {
            ("Install", _) => Difference::None,
            ("Unit", "X-Reload-Triggers") | ("Mount", "Options") => Difference::Reload,
            ("Unit", key) if IGNORED.contains(&key) => Difference::None,
            _ => Difference::Restart,
        })
        .max()
        .unwrap_or(Difference::None)
}

/// A unit's settings by section and key.
struct Settings<'a> {
    values: BTreeMap<(&'a str, &'a str), Vec<&'a str>>,
}

impl<'a> Settings<'a> {
    fn of(unit: &'a Unit) -> Self {
        let mut values: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for line in unit.assignments.lines() {
            let Some((section, setting)) = line.strip_prefix('[').and_then(|l| l.split_once("] "))
            else {
                continue;
            };
            let Some((key, value)) = setting.split_once('=') else {
                continue;
            };
            let values = values.entry((section, key)).or_default();
            if value.is_empty() {
                values.clear();
            } else {
                values.push(value);
            }
        }
        Self { values }
    }

    fn last(&self, section: &str, key: &str) -> Option<&str> {
        self.values.get(&(section, key))?.last().copied()
    }

    fn is_set(&self, section: &str, key: &str, default: bool) -> bool {
        self.last(section, key)
            .map_or(default, |value| ["1", "yes", "true", "on"].contains(&value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(assignments: &str) -> Unit {
        Unit {
            assignments: assignments.to_owned(),
            at_boot: true,
            ..Unit::default()
        }
    }

    fn fate_of(name: &str, old: &str, new: &str) -> Fate {
        fate(name, &unit(old), &unit(new))
    }

    #[test]
    fn a_service_whose_command_differs_is_restarted_unless_it_says_otherwise() {
        let with = |more: &str| {
            let new = format!("[Service] ExecStart=/b\n{more}\n");
            fate_of("a.service", "[Service] ExecStart=/a\n", &new)
        };
        assert_eq!(with(""), Fate::Restarted);
        assert_eq!(with("[Service] X-StopIfChanged=false"), Fate::Restarted);
        assert_eq!(with("[Service] X-ReloadIfChanged=true"), Fate::Reloaded);
        assert_eq!(with("[Service] X-RestartIfChanged=false"), Fate::Left);
        assert_eq!(with("[Unit] RefuseManualStop=yes"), Fate::Left);
        assert_eq!(with("[Unit] X-OnlyManualStart=1"), Fate::Left);
    }

    #[test]
    fn some_differences_need_less() {
        let of = |new: &str| fate_of("a.service", "[Service] ExecStart=/a\n", new);
        let same = "[Service] ExecStart=/a\n";
        assert_eq!(of(same), Fate::Untouched);
        assert_eq!(
            of(&format!("[Unit] Description=x\n{same}")),
            Fate::Untouched
        );
        assert_eq!(
            of(&format!("[Install] WantedBy=x\n{same}")),
            Fate::Untouched
        );
        assert_eq!(
            of(&format!("[Unit] X-Reload-Triggers=x\n{same}")),
            Fate::Reloaded
        );
        assert_eq!(
            of(&format!("[Unit] X-Restart-Triggers=x\n{same}")),
            Fate::Restarted
        );
        assert_eq!(
            of(&format!("[Service] ExecStart=\n{same}")),
            Fate::Untouched
        );
    }

    #[test]
    fn units_of_other_kinds_have_rules_of_their_own() {
        for (name, expected) in [
            ("multi-user.target", Fate::Untouched),
            ("a.socket", Fate::Left),
            ("a.slice", Fate::Left),
            ("a.timer", Fate::Restarted),
            ("-.mount", Fate::Reloaded),
            ("srv.mount", Fate::Restarted),
        ] {
            assert_eq!(fate_of(name, "[X] A=1\n", "[X] A=2\n"), expected, "{name}");
        }
        let of = |new| fate_of("srv.mount", "[Mount] Options=a\n", new);
        assert_eq!(of("[Mount] Options=b\n"), Fate::Reloaded);
    }

    #[test]
    fn what_does_not_run_is_left_alone() {
        let one_shot = "[Service] Type=oneshot\n[Service] ExecStart=/a\n";
        let of = |old: &str| fate_of("a.service", old, "[Service] ExecStart=/b\n");
        assert_eq!(of(one_shot), Fate::Untouched);
        assert_eq!(
            of(&format!("{one_shot}[Service] RemainAfterExit=true\n")),
            Fate::Restarted
        );
        let mut idle = unit("[Service] ExecStart=/a\n");
        idle.at_boot = false;
        let new = unit("[Service] ExecStart=/b\n");
        assert_eq!(fate("a.service", &idle, &new), Fate::Untouched);
    }
}
