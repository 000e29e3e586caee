//! What is said of each thing that a rehearsal takes.

use super::estimate::{Work, seconds};
use super::model::{Examination, Firmware, Kvm, Level, Line, Place, Probed, Role, Use};
use super::tools::{self, TOOLS};
use crate::vocabulary::{Accelerator, Step, size};

const MIB: u64 = 1 << 20;

/// The closure of a server with nginx and PostgreSQL; the size of another one is told by `bootproof test --dry-run`.
const CLOSURE_MIB: u64 = 700;

/// How long each state is watched, as the plan has it.
const WINDOW_SECONDS: u32 = 12;

/// What QEMU itself takes beside the guest's memory, roughly.
const QEMU_MIB: u64 = 256;

/// Judges what was found.
pub fn examine(probed: &Probed) -> Examination {
    let mut lines = vec![accelerator(probed)];
    lines.extend(TOOLS.iter().map(|rule| tools::judge(rule, probed)));
    lines.push(seabios(probed));
    lines.extend(UEFI.iter().map(|rule| uefi(rule, probed)));
    lines.extend(probed.places.iter().map(place));
    lines.extend([memory(probed), cores(probed), user(probed)]);
    Examination {
        can_rehearse: lines.iter().all(|line| line.level != Level::Missing),
        rehearsal: would_use(probed),
        lines,
    }
}

fn line(level: Level, subject: &str, told: impl Into<String>, next: Option<&str>) -> Line {
    Line {
        level,
        subject: subject.to_owned(),
        told: told.into(),
        next: next.map(str::to_owned),
    }
}

fn accelerator(probed: &Probed) -> Line {
    let next = match probed.kvm {
        Kvm::Absent => Some(
            "for a faster one: a machine with /dev/kvm (in a VM, one with nested virtualisation)",
        ),
        Kvm::NotPermitted => {
            Some("for a faster one: let this user open /dev/kvm (`usermod -a -G kvm USER`)")
        }
        Kvm::Opens => None,
    };
    match &probed.accelerator {
        Err(why) => line(
            Level::Missing,
            "accelerator",
            format!("no guest runs here: {why}"),
            Some("install QEMU, or look at what it says"),
        ),
        Ok(proven) => {
            let told = format!(
                "{} ({}); guests run {:.1} times as slow as on the reference machine",
                proven.accelerator.as_str(),
                proven.reason,
                proven.factor
            );
            match proven.accelerator {
                Accelerator::Kvm => line(Level::Ok, "accelerator", told, None),
                Accelerator::Tcg => line(Level::Note, "accelerator", told, next),
            }
        }
    }
}

fn seabios(probed: &Probed) -> Line {
    match (&probed.firmware.seabios, &probed.accelerator) {
        (Some(place), _) => line(Level::Ok, "SeaBIOS", place.clone(), None),
        // The tiny guest is started by it.
        (None, Ok(_)) => line(Level::Ok, "SeaBIOS", "QEMU started a guest with it", None),
        (None, Err(_)) => line(
            Level::Missing,
            "SeaBIOS",
            "bios-256k.bin is in none of QEMU's directories",
            Some("`apt-get install seabios` (nixpkgs: qemu has it)"),
        ),
    }
}

/// A UEFI firmware: what it is called, where it was found, what needs it, and what brings it.
struct UefiRule {
    subject: &'static str,
    place: fn(&Firmware) -> Option<&String>,
    needed_for: &'static str,
    install: &'static str,
}

const UEFI: &[UefiRule] = &[
    UefiRule {
        subject: "OVMF",
        place: |firmware| firmware.ovmf.as_ref(),
        needed_for: "closures with systemd-boot, or GRUB for UEFI",
        install: "`apt-get install ovmf` (nixpkgs: qemu has it)",
    },
    UefiRule {
        subject: "OVMF (32-bit)",
        place: |firmware| firmware.ovmf_ia32.as_ref(),
        needed_for: "32-bit machines with UEFI",
        install: "`apt-get install ovmf-ia32` (nixpkgs: qemu has it)",
    },
];

fn uefi(rule: &UefiRule, probed: &Probed) -> Line {
    match (rule.place)(&probed.firmware) {
        Some(place) => line(Level::Ok, rule.subject, place.clone(), None),
        None => line(
            Level::Note,
            rule.subject,
            format!("is not there: needed for {}", rule.needed_for),
            Some(rule.install),
        ),
    }
}

fn place(place: &Place) -> Line {
    let Place { role, path, free } = place;
    // What one rehearsal of a small closure writes there, and what lets a server's and some more be kept.
    let (least, comfortable) = match role {
        Role::Cache => (1024 * MIB, 5 * 1024 * MIB),
        Role::Runs => (256 * MIB, 1024 * MIB),
        Role::Temporary => (16 * MIB, 64 * MIB),
    };
    let elsewhere = match role {
        Role::Cache => {
            "make room (`bootproof cache clean`), or name another place with --cache-dir"
        }
        Role::Runs => "make room, or name another place with --runs-dir",
        Role::Temporary => "make room, or name another place with TMPDIR",
    };
    let (level, told) = match free {
        Err(why) => (Level::Missing, format!("{path}: {why}")),
        Ok(free) => {
            let told = format!("{path}: {} free", size::say(*free));
            match *free {
                free if free < least => (Level::Missing, told),
                free if free < comfortable => (Level::Note, told),
                _ => (Level::Ok, told),
            }
        }
    };
    line(
        level,
        role.as_str(),
        told,
        (level != Level::Ok).then_some(elsewhere),
    )
}

fn memory(probed: &Probed) -> Line {
    let guest = u64::from(probed.guest_memory_mib);
    let Some(available) = probed.memory_available else {
        return line(
            Level::Note,
            "memory",
            "the system does not say how much is free",
            None,
        );
    };
    let told = format!(
        "{} available, the guest has {guest} MiB",
        size::say(available)
    );
    let next = "end something else, or rehearse with a smaller --memory";
    match available / MIB {
        mib if mib < guest => line(Level::Missing, "memory", told, Some(next)),
        mib if mib < guest + QEMU_MIB => line(Level::Note, "memory", told, Some(next)),
        _ => line(Level::Ok, "memory", told, None),
    }
}

fn cores(probed: &Probed) -> Line {
    let told = format!("{}, the guest has {}", probed.cores, probed.guest_cores);
    match probed.cores < probed.guest_cores as usize {
        true => line(
            Level::Note,
            "cores",
            format!("{told}: they take turns, and a rehearsal takes longer"),
            None,
        ),
        false => line(Level::Ok, "cores", told, None),
    }
}

fn user(probed: &Probed) -> Line {
    match probed.is_root {
        true => line(
            Level::Ok,
            "user",
            "root; a rehearsal needs no rights but to read the store",
            None,
        ),
        false => line(
            Level::Ok,
            "user",
            "not root, which a rehearsal does not need",
            None,
        ),
    }
}

fn would_use(probed: &Probed) -> Use {
    let factor = probed.accelerator.as_ref().ok().map(|proven| proven.factor);
    let takes = |provisions| {
        let work = Work {
            steps: &[Step::Boot, Step::Switch, Step::WarmReboot],
            specialisations: 0,
            closure_mib: CLOSURE_MIB,
            provisions,
            window_seconds: WINDOW_SECONDS,
        };
        factor.map(|factor| seconds(&work, factor))
    };
    Use {
        closure_mib: CLOSURE_MIB,
        memory_mib: probed.guest_memory_mib,
        cores: probed.guest_cores,
        // Baseline and candidate share most of what they have.
        disk_mib: CLOSURE_MIB * 3 / 2 + 512,
        first_seconds: takes(true),
        later_seconds: takes(false),
    }
}

#[cfg(test)]
pub(super) mod tests;
