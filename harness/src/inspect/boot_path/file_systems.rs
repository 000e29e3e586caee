//! Stage 1 and the running kernel can mount what the fstab names.

use super::{error, is_of_stage_1, root, unread};
use crate::inspect::rules::{Outcome, Subject};
use crate::vocabulary::FileSystem;

/// Types that only the kernel mounts; others may have a program for it, as `mount.ntfs` or `mount.zfs`.
const KERNELS: &[&str] = &[
    "ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "vfat", "msdos", "squashfs", "erofs",
    "iso9660", "udf", "jfs", "nilfs2", "minix",
];

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    if unread(subject, "fstab") {
        return;
    }
    if root(subject).is_none() && subject.survey.boot.kernel.is_some() {
        outcome
            .notes
            .push("the fstab has no line for the root file system".to_owned());
    }
    for fs in &subject.facts.file_systems {
        if is_of_stage_1(fs) {
            stage_1(subject, fs, outcome);
        } else {
            stage_2(subject, fs, outcome);
        }
    }
}

fn stage_1(subject: &Subject, fs: &FileSystem, outcome: &mut Outcome) {
    // ext2 and ext3 are mounted by ext4's driver.
    let driver = match fs.fs_type.as_str() {
        "ext2" | "ext3" | "ext4" => "ext4",
        known @ ("xfs" | "btrfs" | "f2fs" | "erofs" | "squashfs" | "vfat" | "bcachefs" | "zfs") => {
            known
        }
        _ => return,
    };
    let Some(carried) = &subject.facts.initrd_file_systems else {
        return;
    };
    if carried.iter().any(|name| name == driver) {
        return;
    }
    let (name, what) = match fs.mount_point.as_str() {
        "/" => ("root-file-system", "the root file system".to_owned()),
        other => ("fstab", format!("{other}, which stage 1 mounts,")),
    };
    let summary = format!("{what} is {}, and stage 1 has no driver for it", fs.fs_type);
    let next = "add the driver to `boot.initrd.supportedFilesystems`";
    error(outcome, name, summary, next);
}

/// local-fs.target fails without a mount that is not optional, and the boot ends in emergency mode.
fn stage_2(subject: &Subject, fs: &FileSystem, outcome: &mut Outcome) {
    let Some(modules) = &subject.survey.boot.modules else {
        return;
    };
    let is_lazy = fs.options.iter().any(|o| o == "x-systemd.automount");
    if is_lazy || fs.is_optional() || !KERNELS.contains(&fs.fs_type.as_str()) {
        return;
    }
    // A kernel that lists no module at all has been made without such lists.
    let module = modules.file_system_module(&fs.fs_type);
    if modules.has(module) || (modules.built_in.is_empty() && modules.loadable.is_empty()) {
        return;
    }
    let carried = subject.facts.initrd_modules.as_ref();
    if carried.is_none_or(|initrd| initrd.names.contains(module)) {
        return;
    }
    let summary = format!(
        "{} is {}, for which the kernel has no driver: the boot ends in emergency mode",
        fs.mount_point, fs.fs_type
    );
    let next = "add the type to `boot.supportedFilesystems`, or give the mount the option `nofail`";
    error(outcome, "fstab", summary, next);
}

#[cfg(test)]
mod tests {
    use crate::closure::testing::FakeClosure;
    use crate::inspect::testing::{ids, inspected, server};

    const DIR: &str = "kernel-modules/lib/modules/6.6.63";
    const ROOT: &str = "/dev/vda1 / ext4 defaults 0 1\n";

    fn found(fake: &FakeClosure) -> Vec<String> {
        ids(&inspected(fake))
    }

    #[test]
    fn a_root_file_system_without_a_driver_is_found() {
        let fake = server();
        fake.file("etc/fstab", "/dev/vda1 / xfs defaults 0 1\n");
        assert_eq!(found(&fake), ["inspected/boot-path/root-file-system"]);
        fake.file(&format!("{DIR}/modules.builtin"), "kernel/fs/xfs/xfs.ko\n");
        assert_eq!(found(&fake), [""; 0]);
    }

    #[test]
    fn another_mount_of_stage_1_without_a_driver_is_found() {
        let fake = server();
        let var = "LABEL=var /var btrfs x-initrd.mount 0 2\n";
        fake.file("etc/fstab", format!("{ROOT}{var}"));
        assert_eq!(found(&fake), ["inspected/boot-path/fstab"]);
    }

    #[test]
    fn a_mount_that_the_kernel_has_no_driver_for_is_found() {
        let fake = server();
        fake.file(
            &format!("{DIR}/modules.dep"),
            "kernel/fs/isofs/isofs.ko.xz:\n",
        );
        fake.file(&format!("{DIR}/modules.alias"), "alias fs-iso9660 isofs\n");
        let of = |line: &str| {
            fake.file("etc/fstab", format!("{ROOT}{line}"));
            found(&fake)
        };
        assert_eq!(
            of("LABEL=d /d xfs defaults 0 2\n"),
            ["inspected/boot-path/fstab"]
        );
        for silent in [
            "LABEL=d /d xfs nofail 0 2\n",
            "LABEL=d /d xfs noauto,x-systemd.automount 0 2\n",
            "LABEL=d /d iso9660 ro 0 2\n",
            "LABEL=d /d ext4 defaults 0 2\n",
            "LABEL=d /d ntfs-3g defaults 0 2\n",
        ] {
            assert_eq!(of(silent), [""; 0], "{silent}");
        }
    }
}
