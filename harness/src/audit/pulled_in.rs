//! What the default target of a toplevel pulls in at its boot, by the directories and settings of its units.

use std::collections::BTreeSet;

use super::services::load;
use crate::shell::Frames;

/// Settings that start another unit (systemd.unit(5)).
const PULLS: &[&str] = &["Wants", "Requires", "BindsTo", "Upholds"];
/// More units than any machine has.
const MAX_UNITS: usize = 20_000;
/// What systemd starts where there is no word of another default; all targets of an ordinary boot hang on these.
const DEFAULTS: &[&str] = &["default.target", "multi-user.target"];

/// Names of units, services and others. What only a socket, a timer or the bus starts is not among them.
pub(super) fn at_boot(frames: &Frames, toplevel: &str) -> BTreeSet<String> {
    let link = format!("link {toplevel}/etc/systemd/system/default.target");
    // It leads to the unit that has its settings, such as graphical.target.
    let default = frames.line(&link);
    let default = default.and_then(|path| path.rsplit('/').next().map(str::to_owned));
    let mut pending: Vec<String> = match default {
        Some(name) => vec!["default.target".to_owned(), name],
        None => DEFAULTS.iter().map(|name| (*name).to_owned()).collect(),
    };
    let mut reached = BTreeSet::new();
    while let Some(name) = pending.pop() {
        if reached.len() >= MAX_UNITS || !reached.insert(name.clone()) {
            continue;
        }
        for kind in ["wants", "requires", "upholds"] {
            let list = frames.whole(&format!("wants {name}.{kind}"));
            pending.extend(list.into_iter().flat_map(str::lines).map(str::to_owned));
        }
        if let Some(file) = load(frames, &name) {
            let named = PULLS.iter().flat_map(|key| file.list("Unit", key));
            pending.extend(named.flat_map(str::split_whitespace).map(str::to_owned));
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPLEVEL: &str = "/nix/store/00000000000000000000000000000000-nixos-system";

    fn reached(sections: &[(&str, &str)]) -> Vec<String> {
        let answer: String = sections
            .iter()
            .map(|(name, body)| format!("=m {name}\n{body}\n=m end 0\n"))
            .collect();
        let mut frames = Frames::default();
        frames.add(&answer, "m");
        at_boot(&frames, TOPLEVEL).into_iter().collect()
    }

    #[test]
    fn targets_pull_in_by_directories_and_settings() {
        let link = format!("link {TOPLEVEL}/etc/systemd/system/default.target");
        let reached = reached(&[
            (&link, "/nix/store/x/graphical.target"),
            (
                "unit graphical.target",
                "[Unit]\nRequires=multi-user.target\n",
            ),
            ("unit multi-user.target", "[Unit]\nRequires=basic.target"),
            ("wants multi-user.target.wants", "a.service"),
            ("unit a.service", "[Unit]\nWants=b.service a.service\n"),
            ("wants sleep.target.wants", "c.service"),
        ]);
        assert_eq!(
            reached,
            [
                "a.service",
                "b.service",
                "basic.target",
                "default.target",
                "graphical.target",
                "multi-user.target"
            ]
        );
    }

    #[test]
    fn without_a_word_of_it_the_default_is_multi_user() {
        let reached = reached(&[("wants multi-user.target.wants", "a.service")]);
        assert!(reached.contains(&"a.service".to_owned()));
    }
}
