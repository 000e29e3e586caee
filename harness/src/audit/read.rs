//! Frames, read into a [`Machine`].

use std::collections::BTreeMap;

use super::machine::{Machine, Toplevel};
use super::services;
use crate::closure;
use crate::fold::{self, sanitise};
use crate::next_boot::{BootFile, NextBoot, Presence};
use crate::shell::{End, Frames};
use crate::vocabulary::{BootId, ElfClass, System};

/// Where the machine's three links lead.
#[derive(Debug, Clone, Default)]
pub(super) struct Links {
    pub(super) booted: Option<String>,
    pub(super) current: Option<String>,
    pub(super) profile: Option<String>,
}

const BOOTED: &str = "/run/booted-system";
const CURRENT: &str = "/run/current-system";
const PROFILE: &str = "/nix/var/nix/profiles/system";

/// Whether there is a current system, or it is not told that there is none.
pub(super) fn is_nixos(frames: &Frames) -> bool {
    let frame = frames.get(&format!("link {CURRENT}"));
    frame.is_none_or(|frame| !matches!(frame.end, End::Absent | End::Dangling))
}

pub(super) fn links(frames: &Frames) -> Links {
    let link = |path: &str| frames.line(&format!("link {path}"));
    Links {
        booted: link(BOOTED),
        current: link(CURRENT),
        profile: link(PROFILE),
    }
}

/// Everything that was told; `toplevel` is that whose services were asked for.
pub(super) fn machine(
    frames: &Frames,
    next: Result<NextBoot, String>,
    links: Links,
    toplevel: Option<&str>,
) -> Machine {
    let mut unreadable = Vec::new();
    let mut miss = |subject: &str, reason: &str| {
        unreadable.push((subject.to_owned(), reason.to_owned()));
    };
    for (path, found) in [
        (BOOTED, &links.booted),
        (CURRENT, &links.current),
        (PROFILE, &links.profile),
    ] {
        if found.is_none() {
            miss(path, frames.reason(&format!("link {path}")));
        }
    }
    let kernel = frames.line("uname-m");
    if kernel.is_none() {
        miss("kernel", frames.reason("uname-m"));
    }
    let system_state = system_state(frames);
    if system_state.is_none() {
        miss(
            "system-state",
            "`systemctl is-system-running` gave no state",
        );
    }
    let units = |name: &str| fold::parse_units(frames.whole(name)?);
    let (units_first, units_last) = (units("units-first"), units("units-last"));
    for (name, units) in [("units-first", &units_first), ("units-last", &units_last)] {
        if units.is_none() {
            miss(name, "`systemctl show` named no unit");
        }
    }
    let services = toplevel.and_then(|toplevel| services::read(frames, toplevel));
    if let Some(toplevel) = toplevel.filter(|_| services.is_none()) {
        let subject = format!("{toplevel}/etc/systemd/system");
        miss(&subject, frames.reason("units"));
    }
    let cut = frames.named("unit ").chain(frames.named("drop-in "));
    for (name, frame) in cut.filter(|(_, frame)| frame.end != End::Whole).take(20) {
        miss(&sanitise::line(name), frame.end.reason());
    }
    let toplevels = frames.named("system ").map(|(path, _)| path);
    let toplevels: BTreeMap<String, Toplevel> = toplevels
        .map(|path| (path.to_owned(), of_toplevel(frames, path)))
        .collect();
    let loaded = next.as_ref().ok().and_then(|next| next.kernel.as_ref());
    let loaded =
        loaded.and_then(|kernel| frames.bytes(&format!("loaded {}", kernel.path.as_ref()?)));
    let next_kernel = loaded
        .and_then(|image| closure::kernel_platform(&image))
        .or_else(|| toplevels.get(toplevel?)?.platform().cloned());
    let mut next = next;
    if let Ok(next) = &mut next {
        for file in next.kernel.iter_mut().chain(&mut next.initrds) {
            file.presence = presence(frames, file);
        }
    }
    let prefix = toplevel.map(|toplevel| format!("link {toplevel}/specialisation/"));
    let specialisations = prefix.iter().flat_map(|prefix| frames.named(prefix));
    Machine {
        kernel: kernel.map(|name| System::of_uname_machine(&name)),
        release: frames.line("uname-r"),
        boot_id: frames
            .line("boot-id")
            .and_then(|line| BootId::parse(&line))
            .map(|id| id.to_string()),
        uptime_seconds: frames
            .line("uptime")
            .and_then(|line| line.split(['.', ' ']).next()?.parse().ok()),
        as_root: frames.line("uid").as_deref() == Some("0"),
        reboot_for: reboot_for(frames),
        booted: links.booted,
        current: links.current,
        profile: links.profile,
        system_state,
        next,
        next_kernel,
        toplevels,
        specialisations: specialisations
            .filter(|(_, frame)| frame.end == End::Whole)
            .map(|(name, frame)| (sanitise::line(name), sanitise::line(&frame.body)))
            .collect(),
        services: services.map(|(services, _)| services),
        units_first,
        units_last,
        boot_free: boot_free(frames),
        unreadable,
    }
}

/// `is-system-running` ends with a failure for every state but `running`.
fn system_state(frames: &Frames) -> Option<String> {
    let frame = frames.get("system-state")?;
    let word = sanitise::last_lines(&frame.body, 1).pop()?;
    let known = [
        "initializing",
        "starting",
        "running",
        "degraded",
        "maintenance",
        "stopping",
        "offline",
    ];
    known.contains(&word.as_str()).then_some(word)
}

fn reboot_for(frames: &Frames) -> Vec<&'static str> {
    let differs = |part: &&&str| {
        let at = |system: &str| frames.line(&format!("link {system}/{part}"));
        let (booted, current) = (at(BOOTED), at(CURRENT));
        booted.is_some() && current.is_some() && booted != current
    };
    let parts = ["kernel", "initrd", "kernel-modules"].iter();
    parts.filter(differs).copied().collect()
}

fn of_toplevel(frames: &Frames, path: &str) -> Toplevel {
    let bytes = |kind: &str| frames.bytes(&format!("{kind} {path}"));
    let size = |kind: &str| frames.line(&format!("{kind} {path}"))?.parse::<u64>().ok();
    let is_there = match frames.get(&format!("init {path}")).map(|frame| &frame.end) {
        Some(End::Whole) => Some(true),
        Some(End::Absent | End::Dangling) => Some(false),
        _ => None,
    };
    Toplevel {
        is_there,
        system: frames.line(&format!("system {path}")).map(System::from),
        kernel: bytes("kernel").and_then(|image| closure::kernel_platform(&image)),
        userland: bytes("systemd").and_then(|header| ElfClass::of_header(&header)),
        boot_bytes: size("size-kernel")
            .zip(size("size-initrd"))
            .and_then(|(kernel, initrd)| kernel.checked_add(initrd)),
    }
}

/// A file is gone only where the directory that should have it is there.
fn presence(frames: &Frames, file: &BootFile) -> Presence {
    let Some(path) = &file.path else {
        return Presence::Unknown;
    };
    let name = format!("size {path}");
    if let Some(size) = frames.line(&name).and_then(|line| line.parse().ok()) {
        return Presence::There(size);
    }
    let directory = path.rsplit_once('/').map(|(directory, _)| directory);
    let directory = directory.map(|directory| format!("directory {directory}"));
    let has_directory = directory.is_some_and(|name| frames.whole(&name).is_some());
    let end = frames.get(&name).map(|frame| &frame.end);
    let in_store = path.starts_with("/nix/store/");
    match end {
        Some(End::Absent | End::Dangling) if has_directory || in_store => Presence::Gone,
        _ => Presence::Unknown,
    }
}

/// The fourth column of the last line of `df -Pk`, in bytes.
fn boot_free(frames: &Frames) -> Option<u64> {
    let line = frames.whole("boot-space")?.lines().last()?;
    let free: u64 = line.split_whitespace().nth(3)?.parse().ok()?;
    free.checked_mul(1024)
}
