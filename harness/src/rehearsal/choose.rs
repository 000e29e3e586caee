//! Decides what machine the closures are rehearsed on. Pure; each decision leaves a sentence for the report.

use jiff::civil::Date;

use super::devices::{disk_bus, firmware, foreign_devices, network_card};
use super::network::network;
use crate::image::{self, UnsupportedDisk};
use crate::vocabulary::{
    BootLoader, ByHand, ClosureFacts, Downtime, FORMAT_VERSION, Firmware, Hold, Plan, Probe,
    Seeded, Specialisation, Step, Suppression, System, TargetMachine, Times,
};

/// What the user and the closures say.
#[derive(Debug, Clone)]
pub struct Inputs {
    pub candidate: ClosureFacts,
    pub baseline: Option<ClosureFacts>,
    /// The candidate's, by name, and those that cannot be booted, with why.
    pub specialisations: Vec<Specialisation>,
    pub specialisations_left_out: Vec<(String, String)>,
    pub target: TargetMachine,
    /// The expected system, and who expects it.
    pub expect_system: Option<(System, String)>,
    pub steps: Vec<Step>,
    pub side_by_side: bool,
    pub scenario: Option<String>,
    pub lab: bool,
    pub hold: Option<Hold>,
    pub by_hand: Vec<ByHand>,
    pub seeded: Vec<Seeded>,
    pub probes: Vec<Probe>,
    pub downtime: Downtime,
    pub suppressions: Vec<Suppression>,
    pub times: Times,
    /// In UTC.
    pub today: Date,
}

/// How the guest's kernel comes to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BootRoute {
    /// Firmware, then the bootloader from the disk, installed by the closure itself.
    Bootloader,
    /// QEMU starts the kernel, because of the reason given.
    Direct { reason: String },
}

/// How long each state is watched, in seconds: the outage's services restarted every two.
const WINDOW_SECONDS: u32 = 12;

/// Makes the plan.
pub fn plan(inputs: Inputs) -> Plan {
    let Inputs {
        candidate,
        baseline,
        specialisations,
        mut specialisations_left_out,
        target,
        expect_system,
        steps,
        side_by_side,
        scenario,
        lab,
        hold,
        by_hand,
        seeded,
        probes,
        downtime,
        times,
        suppressions,
        today,
    } = inputs;
    let mut choices = Vec::new();
    let installed = baseline.as_ref().unwrap_or(&candidate);
    let disk_bus = disk_bus(&target, installed, &candidate, &mut choices);
    let firmware = firmware(&target, installed, &mut choices);
    let mut bootable = Vec::new();
    for specialisation in specialisations {
        // What a disk for the other two cannot be made for is told when it is made.
        match image::layout(installed, &specialisation.closure, disk_bus, firmware) {
            Err(needed @ UnsupportedDisk::Needed { .. }) => {
                specialisations_left_out.push((specialisation.name, needed.to_string()));
            }
            _ => bootable.push(specialisation),
        }
    }
    for (device, bus_device) in foreign_devices(installed, &candidate, disk_bus) {
        choices.push(format!(
            "GRUB's device {device} is no name that the VM's disk can have: it is made a link to {bus_device} in the guest"
        ));
    }
    if !seeded.is_empty() {
        let paths: Vec<&str> = seeded.iter().map(|seeded| seeded.path.as_str()).collect();
        choices.push(format!(
            "the configuration's files were put on the test disk: {}",
            paths.join(", ")
        ));
    }
    let (expect_system, expected_by) = expect_system
        .or_else(|| {
            let system = baseline.as_ref()?.system.clone()?;
            Some((system, "the baseline".to_owned()))
        })
        .or_else(|| Some((candidate.system.clone()?, "the candidate itself".to_owned())))
        .unwrap_or_else(|| (target.system.clone(), "the target machine".to_owned()));
    let plan = Plan {
        format_version: FORMAT_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        scenario,
        lab,
        candidate,
        baseline,
        specialisations: bootable,
        specialisations_left_out,
        expect_system,
        expected_by,
        target,
        disk_bus,
        firmware,
        choices,
        steps,
        side_by_side,
        window_seconds: times.window_seconds.unwrap_or(WINDOW_SECONDS),
        start_seconds: times.start_seconds,
        hold,
        by_hand,
        seeded,
        probes,
        downtime,
        suppressions,
        rehearsed_on: Some(today),
    };
    let card = network_card(&plan).1;
    let network = network(&plan).choices;
    Plan {
        choices: [plan.choices.clone(), card.into_iter().collect(), network].concat(),
        ..plan
    }
}

/// The steps of a run that names none.
pub fn default_steps(with_baseline: bool) -> Vec<Step> {
    if with_baseline {
        vec![Step::Boot, Step::Switch, Step::WarmReboot]
    } else {
        vec![Step::Boot, Step::WarmReboot]
    }
}

/// Whether the closure's own bootloader can be installed on the test disk.
pub fn boot_route(plan: &Plan) -> BootRoute {
    let closures = plan.baseline.iter().chain([&plan.candidate]);
    for facts in closures {
        let reason = match (&facts.boot_loader, plan.firmware) {
            (BootLoader::Grub { devices, .. }, Firmware::Bios) if !devices.is_empty() => continue,
            (BootLoader::Grub { efi: true, .. } | BootLoader::SystemdBoot, Firmware::Uefi) => {
                continue;
            }
            (BootLoader::Grub { efi: true, .. }, Firmware::Bios) => {
                "GRUB for UEFI, which a BIOS does not start".to_owned()
            }
            (BootLoader::Grub { .. }, Firmware::Bios) => {
                "GRUB without a device to install it on".to_owned()
            }
            (BootLoader::Grub { .. }, Firmware::Uefi) => {
                "GRUB for BIOS, which UEFI does not start".to_owned()
            }
            (BootLoader::SystemdBoot, Firmware::Bios) => {
                "systemd-boot, which a BIOS does not start".to_owned()
            }
            (BootLoader::Other { name }, _) => format!("another bootloader ({name})"),
        };
        return BootRoute::Direct {
            reason: format!(
                "{} has {reason}: bootproof rehearses GRUB, and systemd-boot under UEFI, so far, and started the kernel directly",
                facts.toplevel.name()
            ),
        };
    }
    BootRoute::Bootloader
}

#[cfg(test)]
mod tests;
