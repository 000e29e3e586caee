//! A boot that does not come to the kernel: firmware, GRUB and systemd-boot.

use super::super::rule::{Of, Related, Rule, errors};
use super::{BOOT, failed};
use crate::vocabulary::Check;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "no-bootable-disk",
        takes: &[failed().saying(&["the firmware found no bootable"])],
        headline: &["{it fails}: the firmware finds no bootloader on the disk"],
        next: &[
            "see that the bootloader is installed on the disk that the firmware boots (`boot.loader.grub.device`), and for this \
             firmware: GRUB for BIOS in the disk's first sectors, for UEFI on the ESP",
        ],
        ..BOOT
    },
    Rule {
        id: "grub-rescue",
        takes: &[failed().saying(&["GRUB rescue prompt", "GRUB found no configuration"])],
        headline: &[
            "{it fails}: GRUB stops at its prompt ({GRUB's error})",
            "{it fails}: GRUB finds neither its modules nor a configuration, and stops at its prompt",
        ],
        next: &[
            "GRUB looks for /boot/grub by the device or UUID that was written at its installation: see that it is still there, then \
             `NIXOS_INSTALL_BOOTLOADER=1 /run/current-system/bin/switch-to-configuration boot`",
        ],
        ..BOOT
    },
    Rule {
        id: "entry-without-kernel",
        takes: &[failed().saying(&["GRUB could not load the kernel"])],
        headline: &[
            "{it fails}: the boot entry names what GRUB cannot load ({GRUB's error})",
            "{it fails}: the boot entry names a kernel that GRUB cannot load",
        ],
        next: &[
            "compare the entry's paths in /boot/grub/grub.cfg with the files that are there; `switch-to-configuration boot` of the \
             generation writes both again, and a full /boot loses them again",
        ],
        ..BOOT
    },
    Rule {
        id: "firmware-refuses-kernel",
        takes: &[failed().saying(&["the firmware cannot start this kernel"])],
        after: &[Related {
            what: errors(&[Check::Architecture]).about(&["bootloader"]),
            of: Of::Anything,
            words: &[],
        }],
        headline: &["{it fails}: the firmware cannot start this kernel"],
        next: &[
            "systemd-boot has the firmware load the kernel, and UEFI firmware loads programs of its own width only: build the closure for \
             the machine's platform, or start a 32-bit kernel by GRUB",
        ],
        ..BOOT
    },
    Rule {
        id: "kernel-refuses-cpu",
        takes: &[failed().saying(&["the kernel refused the CPU"])],
        headline: &["{it fails}: the kernel is built for another CPU than the machine has"],
        next: &[
            "compare the machine's CPU (`lscpu`) with the closure's system ({expected} is expected): a 64-bit kernel needs the flag lm",
        ],
        ..BOOT
    },
];
