//! What the deploy changes: baseline and candidate by their files.

use crate::fold::{Run, sanitise};
use crate::vocabulary::{Changes, ClosureFacts, Plan};

/// Names of units past which a list is counted.
const LIMIT: usize = 200;

/// The differences of two closures.
#[derive(Default)]
pub(super) struct Differences {
    /// What both have: the thing, the baseline's, the candidate's.
    pub(super) rows: Vec<DifferenceRow>,
    /// Lists of units, each with its meaning; empty ones are left out.
    pub(super) units: Vec<(&'static str, Names)>,
    /// Why a reboot is needed; `None` where it was not looked at.
    pub(super) reboot: Option<String>,
}

pub(super) struct DifferenceRow {
    pub(super) what: String,
    pub(super) before: String,
    pub(super) after: String,
    pub(super) differs: bool,
}

pub(super) struct Names {
    pub(super) shown: Vec<String>,
    pub(super) left_out: usize,
}

impl Names {
    pub(super) fn of(all: &[String]) -> Self {
        Self {
            shown: all.iter().take(LIMIT).cloned().collect(),
            left_out: all.len().saturating_sub(LIMIT),
        }
    }
}

/// `None` without a baseline.
pub(super) fn differences(plan: &Plan, run: &Run) -> Option<Differences> {
    let before = plan.baseline.as_ref()?;
    let changes = run.inspected.as_ref().and_then(|i| i.changes.as_ref());
    Some(Differences {
        rows: rows(before, &plan.candidate, changes),
        units: changes.map(units).unwrap_or_default(),
        reboot: changes.map(|changes| match changes.reboot_for.as_slice() {
            [] => "not needed for kernel, initrd, modules, parameters or systemd".to_owned(),
            what => format!("needed for {}", what.join(", ")),
        }),
    })
}

/// What a person asks for first, whether it differs or not; then what else inspection found to differ.
fn rows(
    before: &ClosureFacts,
    after: &ClosureFacts,
    changes: Option<&Changes>,
) -> Vec<DifferenceRow> {
    type Read = fn(&ClosureFacts) -> Option<String>;
    const FACTS: &[(&str, Read)] = &[
        ("toplevel", |f| Some(f.toplevel.to_string())),
        ("NixOS", |f| f.nixos_version.clone()),
        ("system", |f| f.system.as_ref().map(ToString::to_string)),
        ("kernel architecture", |f| {
            f.kernel.as_ref().map(ToString::to_string)
        }),
        ("userland architecture", |f| {
            f.userland.map(|class| class.to_string())
        }),
        ("kernel", |f| f.kernel_version.clone()),
        ("kernel parameters", |f| Some(f.kernel_params.join(" "))),
        ("endpoints of nginx", |f| Some(f.http.len().to_string())),
    ];
    let text = |value: Option<String>| {
        value.map_or_else(|| "unknown".to_owned(), |text| sanitise::line(&text))
    };
    let mut rows: Vec<DifferenceRow> = FACTS
        .iter()
        .map(|(what, read)| {
            let (before, after) = (text(read(before)), text(read(after)));
            DifferenceRow {
                what: (*what).to_owned(),
                differs: before != after,
                before,
                after,
            }
        })
        .collect();
    for replaced in changes.iter().flat_map(|changes| &changes.replaced) {
        if rows.iter().all(|row| row.what != replaced.what) {
            rows.push(DifferenceRow {
                what: replaced.what.clone(),
                before: replaced.before.clone(),
                after: replaced.after.clone(),
                differs: true,
            });
        }
    }
    rows
}

fn units(changes: &Changes) -> Vec<(&'static str, Names)> {
    [
        ("units added", &changes.units_added),
        ("units removed", &changes.units_removed),
        ("units changed", &changes.units_changed),
        ("a switch restarts, about", &changes.units_restarted),
        ("a switch reloads, about", &changes.units_reloaded),
        ("changed, and old until a reboot", &changes.units_left),
    ]
    .into_iter()
    .filter(|(_, names)| !names.is_empty())
    .map(|(what, names)| (what, Names::of(names)))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use crate::vocabulary::Replaced;

    #[test]
    fn the_outage_changed_the_architecture() {
        let (plan, mut recording) = testing::outage_recording();
        recording.inspected.changes = Some(Changes {
            replaced: vec![Replaced {
                what: "systemd".to_owned(),
                before: "a".to_owned(),
                after: "b".to_owned(),
            }],
            units_added: vec!["new.service".to_owned()],
            ..Changes::default()
        });
        let differences = differences(&plan, &recording.run(&plan)).unwrap();
        let differing: Vec<&str> = differences
            .rows
            .iter()
            .filter(|row| row.differs)
            .map(|row| row.what.as_str())
            .collect();
        assert!(differing.contains(&"kernel architecture") && differing.contains(&"systemd"));
        assert!(!differing.contains(&"kernel"));
        assert_eq!(differences.units[0].1.shown, ["new.service"]);
    }

    #[test]
    fn without_a_baseline_nothing_differs() {
        let plan = testing::without_baseline();
        let recording = testing::Recording::healthy(&plan);
        assert!(differences(&plan, &recording.run(&plan)).is_none());
    }
}
