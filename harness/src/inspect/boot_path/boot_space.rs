//! `/boot` has room for one more generation, where kernels are copied there.

use super::{error, warning};
use crate::inspect::rules::{Outcome, Subject};
use crate::vocabulary::BootLoader;

const NEXT: &str = "delete old generations and run the bootloader's installer again before this deploy, or make /boot larger";
/// The menu, and what file systems round up.
const ROOM: u64 = 1 << 20;

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let target = &subject.options.target;
    let bytes = |mib: u64| mib.saturating_mul(1 << 20);
    let free = target.boot_free_mib.map(bytes);
    let size = target.boot_size_mib.map(bytes);
    if free.is_none() && size.is_none() {
        return;
    }
    let boot = subject.survey.boot.installation.boot.as_deref();
    let boot = boot.unwrap_or("/boot");
    if let Some(reason) = copies_nothing(subject, boot) {
        let note = format!("space on {boot} does not matter: {reason}");
        outcome.notes.push(note);
        return;
    }
    let whole = total(subject) + ROOM;
    if let Some(size) = size.filter(|size| *size < whole) {
        let summary = format!(
            "{boot} has {}, and kernel and initrd of one generation take {}",
            mib(size),
            mib(whole)
        );
        error(outcome, "boot-space", summary, NEXT);
        return;
    }
    let (new, shared) = needed(subject);
    if let Some(free) = free.filter(|free| *free < new) {
        let summary = format!(
            "{boot} has {} free, and the kernel and initrd of this generation take {}{shared}: the bootloader's installer ends with an error",
            mib(free),
            mib(new)
        );
        match unless(subject) {
            None => error(outcome, "boot-space", summary, NEXT),
            Some(unless) => warning(outcome, "boot-space", format!("{summary}, unless {unless}")),
        }
        return;
    }
    let note = format!("one more generation takes {} on {boot}{shared}", mib(new));
    outcome.notes.push(note);
}

/// What may yet make room: GRUB's installer removes old kernels after it has copied the new one, as limine's and lanzaboote's do;
/// systemd-boot's before that.
fn unless(subject: &Subject) -> Option<&'static str> {
    if subject.baseline.is_none() {
        Some("they are there already (`--baseline` tells)")
    } else if copies_first(&subject.facts.boot_loader) {
        None
    } else {
        Some("it can remove those of deleted generations first")
    }
}

fn copies_first(boot_loader: &BootLoader) -> bool {
    match boot_loader {
        BootLoader::Grub { .. } => true,
        BootLoader::SystemdBoot => false,
        BootLoader::Other { name } => ["limine", "lanzaboote"].contains(&name.as_str()),
    }
}

/// GRUB reads kernels in the store where `/boot` is on the same file system (`install-grub.pl`).
fn copies_nothing(subject: &Subject, boot: &str) -> Option<&'static str> {
    match &subject.facts.boot_loader {
        BootLoader::Grub { .. } => {
            let copies = subject.survey.boot.installation.copies_kernels;
            let same = mount_of(subject, boot) == mount_of(subject, "/nix/store");
            (same && !copies).then_some("GRUB reads the kernel in the store")
        }
        BootLoader::SystemdBoot => None,
        BootLoader::Other { name } => {
            let copies = [
                "extlinux",
                "gummiboot",
                "lanzaboote",
                "limine",
                "raspberrypi",
                "refind",
            ];
            (!copies.contains(&name.as_str()))
                .then_some("no bootloader that bootproof knows copies kernels there")
        }
    }
}

/// The mount point of the fstab that a path lies below.
fn mount_of<'a>(subject: &'a Subject, path: &str) -> Option<&'a str> {
    let is_below = |point: &str| {
        let rest = path.strip_prefix(point.trim_end_matches('/'));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let points = subject
        .facts
        .file_systems
        .iter()
        .map(|fs| &fs.mount_point[..]);
    points
        .filter(|point| point.starts_with('/') && is_below(point))
        .max_by_key(|point| point.len())
}

/// Copies are named by the store path of the file: what the baseline has is there already.
fn needed(subject: &Subject) -> (u64, &'static str) {
    let images = &subject.survey.boot.images;
    let there = |path: &str| {
        let mut before = subject.baseline.iter().flat_map(|b| &b.survey.boot.images);
        before.any(|image| image.path == path)
    };
    let new: Vec<u64> = images
        .iter()
        .filter(|image| !there(&image.path))
        .map(|image| image.size)
        .collect();
    match new.len() {
        0 => (ROOM, " (the baseline has the same kernel and initrd)"),
        some if some < images.len() => (
            new.iter().sum::<u64>() + ROOM,
            " beside what the baseline has there",
        ),
        _ => (new.iter().sum::<u64>() + ROOM, ""),
    }
}

fn total(subject: &Subject) -> u64 {
    let images = &subject.survey.boot.images;
    images.iter().map(|image| image.size).sum()
}

fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}

#[cfg(test)]
mod tests {
    use crate::closure::testing::{FakeClosure, bzimage};
    use crate::inspect::testing::{
        ids, inspected_with, inspected_with_baseline, install_by, server,
    };
    use crate::inspect::{Inspection, Options};
    use crate::vocabulary::{TargetMachine, Verdict};

    const FOUND: [&str; 1] = ["inspected/boot-path/boot-space"];

    fn with_installer(name: &str) -> FakeClosure {
        let fake = server();
        let installer = fake.store_file(name, "", "device=/dev/vda\n");
        install_by(&fake, &installer);
        let mut kernel = bzimage(true);
        kernel.resize(8 << 20, 0);
        fake.file("kernel", kernel);
        fake
    }

    fn told(free: Option<u64>, size: Option<u64>) -> Options {
        Options {
            target: TargetMachine {
                boot_free_mib: free,
                boot_size_mib: size,
                ..TargetMachine::default()
            },
            ..Options::default()
        }
    }

    fn of(fake: &FakeClosure, free: Option<u64>, size: Option<u64>) -> Inspection {
        inspected_with(fake, &told(free, size))
    }

    #[test]
    fn a_boot_partition_that_holds_no_generation_is_found() {
        let fake = with_installer("install-systemd-boot.sh");
        let inspection = of(&fake, None, Some(4));
        assert_eq!(ids(&inspection), FOUND);
        assert_eq!(inspection.verdict, Verdict::Fail);
    }

    #[test]
    fn too_little_free_space_is_an_error_where_nothing_can_make_room() {
        let verdict = |installer: &str, baseline: Option<FakeClosure>| {
            let fake = with_installer(installer);
            let fstab = "/dev/vda1 / ext4 defaults 0 1\n/dev/vda2 /boot ext4 defaults 0 2\n";
            fake.file("etc/fstab", fstab);
            let modules = "kernel-modules/lib/modules/6.6.63/modules.builtin";
            fake.file(modules, "kernel/fs/ext4/ext4.ko\n");
            let told = told(Some(4), None);
            let inspection = match baseline {
                Some(baseline) => inspected_with_baseline(&fake, &baseline, &told),
                None => inspected_with(&fake, &told),
            };
            assert_eq!(ids(&inspection), FOUND);
            inspection.verdict
        };
        // Paths of fake closures are numbered: one more before the toplevel, and all differ.
        let other = || {
            let fake = FakeClosure::after("other");
            fake.file("kernel", bzimage(true));
            fake
        };
        let grub = "install-grub.sh";
        assert_eq!(verdict(grub, Some(other())), Verdict::Fail);
        assert_eq!(verdict(grub, None), Verdict::Pass);
        let systemd_boot = "install-systemd-boot.sh";
        assert_eq!(verdict(systemd_boot, Some(other())), Verdict::Pass);
    }

    #[test]
    fn enough_space_is_silent_and_said() {
        let fake = with_installer("install-systemd-boot.sh");
        let inspection = of(&fake, Some(100), Some(500));
        assert_eq!(ids(&inspection), [""; 0]);
        let note = &inspection.notes[0];
        assert!(note.contains("takes 10 MiB on /boot"), "{note}");
        assert_eq!(of(&fake, None, None).notes, [""; 0]);
    }

    #[test]
    fn a_grub_that_reads_the_store_needs_none() {
        let fake = with_installer("install-grub.sh");
        let inspection = of(&fake, Some(1), None);
        assert_eq!(ids(&inspection), [""; 0]);
        assert!(inspection.notes[0].contains("does not matter"));
        let modules = "kernel-modules/lib/modules/6.6.63/modules.builtin";
        fake.file(modules, "kernel/fs/ext4/ext4.ko\n");
        let fstab = "/dev/vda1 / ext4 defaults 0 1\n/dev/vda2 /boot ext4 defaults 0 2\n";
        fake.file("etc/fstab", fstab);
        assert_eq!(ids(&of(&fake, Some(1), None)), FOUND);
    }

    #[test]
    fn what_the_baseline_has_there_needs_none() {
        let fake = with_installer("install-systemd-boot.sh");
        let inspection = inspected_with_baseline(&fake, &fake, &told(Some(2), None));
        assert_eq!(ids(&inspection), [""; 0]);
    }
}
