//! Of files, the bootloader and boots that fail.

use super::Row;
use super::cases::*;
use crate::vocabulary::{Check, Stage};

pub(super) const ROWS: &[Row] = &[
    (
        "foreign-executables",
        outage,
        "an i686-linux kernel runs x86_64 executables",
    ),
    ("foreign-executables-ahead", ahead, "will die with 203/EXEC"),
    (
        "other-platform",
        platform,
        "the running kernel is i686-linux",
    ),
    (
        "files-boot-path",
        || files(Check::BootPath, "initrd"),
        "the files lack x",
    ),
    (
        "files-init",
        || files(Check::Executability, "systemd"),
        "the files lack x",
    ),
    (
        "files-nginx",
        || files(Check::NginxConfig, "x"),
        "the files lack x",
    ),
    (
        "files-build-difference",
        || files(Check::BuildDifference, "x"),
        "the files lack x",
    ),
    (
        "files-store-contents",
        || files(Check::StoreContents, "x"),
        "the files lack x",
    ),
    (
        "files-executability",
        || files(Check::Executability, "x.service"),
        "the files lack x",
    ),
    (
        "files-architecture",
        || files(Check::Architecture, "kernel"),
        "the files lack x",
    ),
    (
        "files-reference",
        || files(Check::Reference, "x"),
        "the files lack x",
    ),
    (
        "boot-partition-full",
        || installer("OSError: [Errno 28] No space left on device"),
        "no space is left",
    ),
    (
        "bootloader-install",
        || installer("error: cannot find the device"),
        "bootloader",
    ),
    (
        "no-bootable-disk",
        || {
            dead(
                "the firmware found no bootable device",
                Stage::Firmware,
                &[],
            )
        },
        "finds no bootloader",
    ),
    (
        "grub-rescue",
        || {
            dead(
                "GRUB rescue prompt",
                Stage::Bootloader,
                &["error: no such device: 1b2c."],
            )
        },
        "(no such device: 1b2c)",
    ),
    (
        "entry-without-kernel",
        || {
            dead(
                "GRUB could not load the kernel",
                Stage::Bootloader,
                &["error: file `/kernels/x-bzImage' not found."],
            )
        },
        "(file `/kernels/x-bzImage' not found)",
    ),
    (
        "firmware-refuses-kernel",
        || {
            dead(
                "the firmware cannot start this kernel",
                Stage::Bootloader,
                &[],
            )
        },
        "the firmware cannot start this kernel",
    ),
    (
        "kernel-refuses-cpu",
        || dead("the kernel refused the CPU", Stage::Kernel, &[]),
        "another CPU",
    ),
    (
        "activation-cut-short",
        || {
            dead(
                "systemd gave up and froze",
                Stage::Initrd,
                &[
                    "[  OK  ] Finished NixOS Activation.",
                    "         Starting Switch Root...",
                    "[!!!!!!] Switch root target contains no usable init.",
                ],
            )
        },
        "the activation in the initrd ended before it was done",
    ),
    (
        "initrd-activation",
        || {
            dead(
                "emergency mode",
                Stage::Initrd,
                &[
                    "[FAILED] Failed to start NixOS Activation.",
                    "See 'systemctl status initrd-nixos-activation.service' for details.",
                ],
            )
        },
        "systemd in the initrd cannot enter the system that the boot entry names (initrd-nixos-activation.service failed)",
    ),
    (
        "initrd-panics-on-failure",
        || {
            dead(
                "kernel panic",
                Stage::Initrd,
                &[
                    "[FAILED] Failed to start unlock-data.service - Unlock the data.",
                    "See 'systemctl status unlock-data.service' for details.",
                    "[    9.000000] Kernel panic - not syncing: sysrq triggered crash",
                ],
            )
        },
        "the initrd fails and panics, as boot.panic_on_fail asks, because unlock-data.service failed",
    ),
    (
        "no-init",
        || {
            dead(
                "stage 1 stopped at its failure prompt",
                Stage::Initrd,
                &[
                    "stage 2 init script (/mnt-root//nix/store/x/init) not found",
                    "An error occurred in stage 1 of the boot process",
                ],
            )
        },
        "no init to start (stage 2 init script",
    ),
    (
        "root-not-mountable-by-kernel",
        || panicked("VFS: Unable to mount root fs on unknown-block(0,0)"),
        "no root file system",
    ),
    (
        "init-died",
        || panicked("Attempted to kill init! exitcode=0x00007f00"),
        "PID 1 ended (exit code 127",
    ),
    (
        "kernel-panic",
        || panicked("Fatal exception in interrupt"),
        "panics at the initrd (stage 1): Fatal exception in interrupt",
    ),
    (
        "root-device-missing",
        || {
            dead(
                "stage 1 stopped at its failure prompt",
                Stage::Initrd,
                &["Timed out waiting for device /dev/disk/by-label/nixos, trying to mount anyway."],
            )
        },
        "waited in vain for /dev/disk/by-label/nixos",
    ),
    (
        "stage-1-stopped",
        || {
            dead(
                "stage 1 stopped at its failure prompt",
                Stage::Initrd,
                &[
                    "mount: unknown filesystem type 'ext4'",
                    "An error occurred in stage 1 of the boot process",
                ],
            )
        },
        "unknown filesystem type 'ext4'",
    ),
    (
        "initrd-emergency",
        || {
            dead(
                "emergency mode",
                Stage::Initrd,
                &["[FAILED] Failed to mount sysroot.mount - /sysroot."],
            )
        },
        "because /sysroot could not be mounted",
    ),
    (
        "emergency-mode",
        || {
            dead(
                "emergency mode",
                Stage::Sysinit,
                &[
                    "[ TIME ] Timed out waiting for device /dev/disk/by-label/data.",
                    "[DEPEND] Dependency failed for /data.",
                ],
            )
        },
        "because /dev/disk/by-label/data did not appear, and /data needs it",
    ),
    (
        "rescue-mode",
        || dead("rescue mode", Stage::Sysinit, &[]),
        "rescue mode",
    ),
    (
        "systemd-froze",
        || dead("systemd gave up and froze", Stage::Stage2, &[]),
        "gave up and froze at stage 2",
    ),
    (
        "boot-loop",
        || dead("boot loop", Stage::Kernel, &[]),
        "comes no further than the kernel's start",
    ),
    (
        "passphrase-asked",
        || dead("stage 1 asks for a disk's passphrase", Stage::Initrd, &[]),
        "stage 1 asks for a disk's passphrase",
    ),
    (
        "machine-went-off",
        || dead("the machine went off (guest-shutdown)", Stage::Sysinit, &[]),
        "went off",
    ),
    (
        "boot-oops",
        || {
            dead(
                STILL,
                Stage::Initrd,
                &["[    1.000000] BUG: unable to handle page fault for address: 08"],
            )
        },
        "at the initrd (stage 1): BUG: unable to handle",
    ),
    (
        "boot-locked-up",
        || {
            dead(
                STILL,
                Stage::Sysinit,
                &["[   40.000000] watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [modprobe:70]"],
            )
        },
        "soft lockup - CPU#0",
    ),
    (
        "boot-out-of-memory",
        || {
            dead(
                STILL,
                Stage::Initrd,
                &["[    9.000000] Out of memory: Killed process 70 (cpio) total-vm:9kB"],
            )
        },
        "killed cpio",
    ),
    (
        "boot-stands-still",
        || {
            dead(
                STILL,
                Stage::Sysinit,
                &["[ ***  ] A start job is running for slow.service - Slow (1min / no limit)"],
            )
        },
        "waiting for Slow",
    ),
    (
        "boot-failed",
        || dead("something that nobody knows", Stage::Sysinit, &[]),
        "something that nobody knows",
    ),
];
