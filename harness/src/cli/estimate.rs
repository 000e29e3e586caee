//! What a run will do, roughly how long it takes and how much disk, said before it begins.

use std::fmt::Write as _;

use super::load::Loaded;
use crate::doctor::{self, Work};
use crate::rehearsal::{BootRoute, boot_route, is_cached};
use crate::vocabulary::{Plan, Step};

/// The announcement of one rehearsal.
pub(super) fn announce(loaded: &Loaded, cache: &std::path::Path) -> String {
    let plan = &loaded.plan;
    let mut text = format!("{}: {}\n", loaded.name, steps(plan));
    let mut say = |label: &str, value: &str| {
        let _ = writeln!(text, "  {label:<10} {value}");
    };
    if let Some(scenario) = &loaded.scenario {
        say("scenario", &scenario.summary);
    }
    say("candidate", plan.candidate.toplevel.as_str());
    if let Some(baseline) = &plan.baseline {
        say("baseline", baseline.toplevel.as_str());
    }
    say(
        "expected",
        &format!("{} (says {})", plan.expect_system, plan.expected_by),
    );
    let target = &plan.target;
    say(
        "machine",
        &format!(
            "{}, {} CPUs, {} MiB, {} disk{}",
            target.system,
            target.cores,
            target.memory_mib,
            plan.disk_bus.as_str(),
            if plan.firmware.is_bios() {
                ""
            } else {
                ", UEFI"
            }
        ),
    );
    if plan.steps.is_empty() {
        return text;
    }
    let cached = is_cached(plan, cache);
    let mib = loaded.disk_bytes >> 20;
    say(
        "disk",
        &if cached {
            "in the cache".to_owned()
        } else {
            format!(
                "to be built in {}, about {} MiB",
                cache.display(),
                mib + 256
            )
        },
    );
    let seconds = seconds(loaded, cached);
    say("time", &format!("about {} under TCG", minutes(seconds)));
    text
}

fn steps(plan: &Plan) -> String {
    let steps = plan.steps.iter().map(|step| match (step, &plan.baseline) {
        (Step::Provision, _) => "install the bootloader",
        (Step::Boot, Some(_)) => "boot the baseline",
        (Step::Boot, None) => "boot the candidate",
        (Step::Switch, _) => "switch to the candidate",
        (Step::WarmReboot, _) => "reboot",
        (Step::ColdReboot, _) => "power off and on",
        (Step::SoftReboot, _) => "reboot userspace",
        (Step::Reset, _) => "reset",
        (Step::Panic, _) => "panic",
        (Step::PowerCut, _) => "cut the power",
        (Step::PowerCutInSwitch, _) => "cut the power in a switch",
        (Step::PowerCutInBoot, _) => "cut the power in a boot",
        (Step::Rollback, _) => "reboot into the baseline",
        (Step::Specialisations, _) => "reboot into each specialisation",
    });
    let steps: Vec<&str> = steps.collect();
    let told = steps
        .chunk_by(|a, b| a == b)
        .map(|alike| match alike.len() {
            1 => alike[0].to_owned(),
            many => format!("{} {many} times", alike[0]),
        });
    std::iter::once("inspect the candidate's files".to_owned())
        .chain(told)
        .collect::<Vec<_>>()
        .join(", ")
}

fn seconds(loaded: &Loaded, cached: bool) -> u32 {
    let plan = &loaded.plan;
    let closures = 1 + u64::from(plan.baseline.is_some());
    let work = Work {
        steps: &plan.steps,
        specialisations: u32::try_from(plan.specialisations.len()).unwrap_or(u32::MAX),
        closure_mib: (loaded.disk_bytes >> 20) / closures,
        provisions: !cached && boot_route(plan) == BootRoute::Bootloader,
        window_seconds: plan.window_seconds,
    };
    // No accelerator is proven before a run is: this is the reference machine's.
    doctor::seconds(&work, 1.0)
}

fn minutes(seconds: u32) -> String {
    match seconds.div_ceil(60) {
        1 => "a minute".to_owned(),
        n => format!("{n} minutes"),
    }
}
