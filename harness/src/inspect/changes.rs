//! What a deploy of the candidate changes on a machine that runs the baseline.

use super::switch::{self, Fate};
use crate::closure::Survey;
use crate::vocabulary::{Changes, ClosureFacts, Replaced, StorePath};

pub(super) fn between(
    before: &ClosureFacts,
    surveyed: &Survey,
    after: &ClosureFacts,
    survey: &Survey,
) -> Changes {
    let mut changes = Changes::default();
    let unknown = || "unknown".to_owned();
    let text = |value: Option<String>| value.unwrap_or_else(unknown);
    let mut compare = |what: &str, old: Option<String>, new: Option<String>| {
        if old != new {
            changes.replaced.push(Replaced {
                what: what.to_owned(),
                before: text(old),
                after: text(new),
            });
        }
    };
    let name = |system: &Option<crate::vocabulary::System>| {
        system.as_ref().map(|system| system.as_str().to_owned())
    };
    let class = |facts: &ClosureFacts| facts.userland.map(|class| class.as_str().to_owned());
    compare(
        "kernel architecture",
        name(&before.kernel),
        name(&after.kernel),
    );
    compare("userland architecture", class(before), class(after));
    compare(
        "kernel",
        before.kernel_version.clone(),
        after.kernel_version.clone(),
    );
    compare(
        "NixOS",
        before.nixos_version.clone(),
        after.nixos_version.clone(),
    );
    compare("systemd", surveyed.systemd.clone(), survey.systemd.clone());
    compare(
        "kernel parameters",
        Some(before.kernel_params.join(" ")),
        Some(after.kernel_params.join(" ")),
    );
    changes.units_added = missing_in(survey, surveyed);
    changes.units_removed = missing_in(surveyed, survey);
    changes.units_changed = survey
        .units
        .iter()
        .filter(|(name, unit)| {
            surveyed
                .units
                .get(*name)
                .is_some_and(|old| old.assignments != unit.assignments)
        })
        .map(|(name, _)| name.clone())
        .collect();
    for name in &changes.units_changed {
        let (Some(old), Some(new)) = (surveyed.units.get(name), survey.units.get(name)) else {
            continue;
        };
        match switch::fate(name, old, new) {
            Fate::Restarted => changes.units_restarted.push(name.clone()),
            Fate::Reloaded => changes.units_reloaded.push(name.clone()),
            Fate::Left => changes.units_left.push(name.clone()),
            Fate::Untouched => {}
        }
    }
    changes.reboot_for = reboot_for(surveyed, survey, before, after);
    changes
}

fn missing_in(some: &Survey, others: &Survey) -> Vec<String> {
    some.units
        .keys()
        .filter(|name| !others.units.contains_key(*name))
        .cloned()
        .collect()
}

/// What a switch does not replace: the booted kernel, its modules, the initrd, the parameters; and systemd, which it executes anew, but
/// whose older version has started what runs.
///
/// `system.autoUpgrade.allowReboot` of nixpkgs asks for the first three, nixos-needsreboot for versions of kernel and systemd.
fn reboot_for(
    surveyed: &Survey,
    survey: &Survey,
    before: &ClosureFacts,
    after: &ClosureFacts,
) -> Vec<String> {
    [
        ("kernel", surveyed.boot.kernel != survey.boot.kernel),
        ("initrd", surveyed.boot.initrd != survey.boot.initrd),
        (
            "kernel modules",
            surveyed.kernel_modules != survey.kernel_modules
                || surveyed.boot.module_versions != survey.boot.module_versions,
        ),
        (
            "kernel parameters",
            before.kernel_params != after.kernel_params,
        ),
        ("systemd", version(surveyed) != version(survey)),
    ]
    .into_iter()
    .filter(|(_, differs)| *differs)
    .map(|(what, _)| what.to_owned())
    .collect()
}

/// The name of systemd's store path: another build of one version needs no reboot.
fn version(survey: &Survey) -> Option<String> {
    let path = survey.systemd.as_deref()?;
    Some(StorePath::split(path).map_or(path.to_owned(), |(path, _)| path.name().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::FakeClosure;
    use crate::closure::{read_facts, survey};
    use crate::inspect::testing::{server, unit};

    fn read(fake: &FakeClosure) -> (ClosureFacts, Survey) {
        let closure = fake.closure();
        let mut survey = survey(&closure);
        // Both fake toplevels have the same name; a real initrd of equal content has one path.
        survey.boot.kernel = Some("same".into());
        survey.kernel_modules = Some("same".into());
        (read_facts(&closure).unwrap(), survey)
    }

    #[test]
    fn equal_closures_have_no_changes() {
        let (facts, survey) = read(&server());
        assert_eq!(
            between(&facts, &survey, &facts, &survey),
            Changes::default()
        );
    }

    #[test]
    fn units_and_parameters_that_differ_are_told() {
        let old = server();
        unit(&old, "gone.service", "[Service]\nExecStart=/run/x\n");
        unit(&old, "same.service", "[Service]\nExecStart=/run/x\n");
        unit(&old, "other.service", "[Service]\nExecStart=/run/x\n");
        let new = server();
        unit(&new, "new.service", "[Service]\nExecStart=/run/x\n");
        unit(
            &new,
            "same.service",
            "# a comment\n[Service]\nExecStart=/run/x\n",
        );
        unit(&new, "other.service", "[Service]\nExecStart=/run/y\n");
        new.file("kernel-params", "quiet");
        let (before, surveyed) = read(&old);
        let (after, survey) = read(&new);
        let changes = between(&before, &surveyed, &after, &survey);
        assert_eq!(changes.units_added, ["new.service"]);
        assert_eq!(changes.units_removed, ["gone.service"]);
        assert_eq!(changes.units_changed, ["other.service"]);
        assert_eq!(changes.units_restarted, ["other.service"]);
        assert_eq!(changes.reboot_for, ["kernel parameters"]);
        assert_eq!(changes.replaced.len(), 1);
        assert_eq!(changes.replaced[0].after, "quiet");
    }

    #[test]
    fn what_a_switch_does_not_replace_needs_a_reboot() {
        let (facts, survey) = read(&server());
        let mut other = survey.clone();
        other.boot.kernel = Some("/nix/store/x-linux/bzImage".into());
        other.boot.initrd = Some("/nix/store/x-initrd/initrd".into());
        other.kernel_modules = Some("/nix/store/x-kernel-modules".into());
        other.systemd = Some("/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-systemd-256".into());
        let changes = between(&facts, &survey, &facts, &other);
        assert_eq!(
            changes.reboot_for,
            ["kernel", "initrd", "kernel modules", "systemd"]
        );
        let mut rebuilt = other.clone();
        rebuilt.systemd = Some("/nix/store/1fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-systemd-256".into());
        let changes = between(&facts, &other, &facts, &rebuilt);
        assert!(changes.reboot_for.is_empty(), "{changes:?}");
    }
}
