//! A boot that does not come up, by what ended it: firmware, GRUB, kernel, stage 1, then systemd.

use crate::vocabulary::{Check, State};

use super::super::rule::{Groups, Of, Pattern, Related, Rule, any, errors};
use super::super::seen;

/// Each failed boot is its own cause.
const BOOT: Rule = Rule {
    groups: Groups::OneEach,
    ..Rule::BASE
};

/// A boot that ended in emergency or rescue mode may have been looked at all the same: the units that led there, and what is down for it.
const DOWN: Rule = Rule {
    after: &[Related {
        what: any(&[Check::UnitFailed]),
        of: Of::SameState,
        words: &[],
    }],
    follows: &[Related {
        what: any(&[
            Check::HttpUnanswered,
            Check::HttpGateway,
            Check::ProbeFailed,
        ]),
        of: Of::SameState,
        words: &["no answer from: {subjects}"],
    }],
    ..BOOT
};

const fn failed() -> Pattern {
    errors(&[Check::BootFailed])
}

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
    Rule {
        id: "entry-before-its-store",
        takes: &[failed()
            .within(&[State::CutInSwitch])
            .showing(&["Exec format error", "stage 2 init script"])
            .where_it(seen::can_be_executed)],
        headline: &[
            "{it fails}: the boot entry reached the disk before the store paths that it starts",
        ],
        next: &[
            "what Nix copied is in memory until it is flushed, and `switch-to-configuration` writes the boot entry first and flushes then: \
             `nix.settings.fsync-store-paths = true` (Nix 2.25 or later), or `sync -f /nix/store` before the switch, by hand or in \
             `system.preSwitchChecks`; `bootproof deploy` does it",
        ],
        ..BOOT
    },
    Rule {
        id: "no-init",
        takes: &[failed().showing(&[
            "No working init found",
            "Requested init ",
            "stage 2 init script",
            "No init= parameter on the kernel command line",
            "does not look like a NixOS installation",
            "does not seem to be an OS tree",
        ])],
        headline: &[
            "{it fails}: there is no init to start ({stage 1's error})",
            "{it fails}: there is no init to start ({panic})",
            "{it fails}: there is no init to start",
        ],
        next: &[
            "the entry's `init=` names a store path that is not on the root file system, or no program that this kernel runs: see that the \
             path exists on the machine's disk (a generation that was collected as garbage does not), then `switch-to-configuration boot`",
        ],
        ..BOOT
    },
    Rule {
        id: "root-not-mountable-by-kernel",
        takes: &[failed().showing(&["VFS: Unable to mount root fs"])],
        headline: &[
            "{it fails}: the kernel has no root file system, because no usable initrd was given to it",
        ],
        next: &[
            "see that the entry has an initrd line, that the file is whole (a full /boot truncates it), and that the kernel can unpack its compression",
        ],
        ..BOOT
    },
    Rule {
        id: "init-died",
        takes: &[failed().showing(&["Attempted to kill init!"])],
        headline: &[
            "{it fails}: PID 1 ended ({init's end}), and the kernel panics, at {stage}",
            "{it fails}: PID 1 ended, and the kernel panics",
        ],
        next: &[
            "read the console's lines before the panic: what PID 1 (the initrd's or stage 2's init, or systemd) could not find or execute",
        ],
        ..BOOT
    },
    Rule {
        id: "kernel-panic",
        takes: &[failed().saying(&["kernel panic"])],
        headline: &[
            "{it fails}: the kernel panics at {stage}: {panic}",
            "{it fails}: {story}",
        ],
        next: &[
            "read the console of that boot in the run directory from its first error on; then boot the old kernel with the new system, \
             to tell the kernel's fault from the closure's",
        ],
        ..BOOT
    },
    Rule {
        id: "root-device-missing",
        takes: &[failed()
            .showing(&["Timed out waiting for device "])
            .where_it(seen::is_in_initrd)],
        headline: &["{it fails}: stage 1 waited in vain for {device}"],
        next: &[
            "compare the device with the machine's disks (`lsblk -f`: label, UUID, name), and see that the initrd has the disk's driver \
             (`boot.initrd.availableKernelModules`)",
        ],
        ..BOOT
    },
    Rule {
        id: "stage-1-stopped",
        takes: &[failed().saying(&["stage 1 stopped at its failure prompt"])],
        headline: &[
            "{it fails}: stage 1 stopped at its prompt: {stage 1's error}",
            "{it fails}: {story}",
        ],
        next: &[
            "read the console of that boot before the prompt; then compare the root file system and the initrd's modules with the disk of the machine",
        ],
        ..BOOT
    },
    Rule {
        id: "initrd-emergency",
        takes: &[failed()
            .saying(&["emergency mode", "rescue mode"])
            .where_it(seen::is_in_initrd)],
        headline: &[
            "{it fails}: the initrd ends in emergency mode, because {mount} could not be mounted",
            "{it fails}: the initrd ends in emergency mode, because {failed unit} failed",
            "{it fails}: the initrd ends in emergency mode",
        ],
        next: &[
            "read which unit of the initrd failed on the console of that boot; then compare the root file system, its type and the initrd's \
             modules with the disk of the machine",
        ],
        ..BOOT
    },
    Rule {
        id: "emergency-mode",
        takes: &[failed().saying(&["emergency mode"])],
        headline: &[
            "{it fails}: it ends in emergency mode, because {device} did not appear, and {mount} needs it",
            "{it fails}: it ends in emergency mode, because {device} did not appear",
            "{it fails}: it ends in emergency mode, because {mount} could not be mounted",
            "{it fails}: it ends in emergency mode, because {failed unit} failed",
            "{it fails}: {story}",
        ],
        next: &[
            "compare that line of `fileSystems` with the machine's disks (`lsblk -f`); a file system that the machine can do without needs the option `nofail`",
        ],
        ..DOWN
    },
    Rule {
        id: "rescue-mode",
        takes: &[failed().saying(&["rescue mode"])],
        headline: &[
            "{it fails}: it ends in rescue mode, because {failed unit} failed",
            "{it fails}: {story}",
        ],
        next: &[
            "see which unit or kernel parameter asks for rescue.target: `/proc/cmdline`, and `systemctl list-dependencies --reverse rescue.target`",
        ],
        ..DOWN
    },
    Rule {
        id: "systemd-froze",
        takes: &[failed().saying(&["systemd gave up and froze"])],
        headline: &[
            "{it fails}: systemd, as PID 1, gave up and froze at {stage}",
            "{it fails}: {story}",
        ],
        next: &[
            "read the console's lines before `Freezing execution`: they say what systemd could not do",
        ],
        ..BOOT
    },
    Rule {
        id: "boot-loop",
        takes: &[failed().saying(&["boot loop", "the machine was reset"])],
        headline: &[
            "{it fails}: it resets again and again, after {panic}",
            "{it fails}: it resets again and again, and comes no further than {stage}",
            "{it fails}: it resets again and again",
        ],
        next: &[
            "read the last lines before each reset on the console; `panic=0` among the kernel's parameters keeps a panic on the screen, and a \
             reset without a word is a triple fault or a watchdog's",
        ],
        ..BOOT
    },
    Rule {
        id: "passphrase-asked",
        takes: &[failed().saying(&["asks for a disk's passphrase"])],
        headline: &["{it fails}: {story}"],
        next: &[
            "the machine waits here at every boot for somebody at its console: a key file in the initrd's secrets, `boot.initrd.network.ssh` or \
             clevis opens the disk without one; if somebody is always there, this boot cannot be rehearsed",
        ],
        ..BOOT
    },
    Rule {
        id: "machine-went-off",
        takes: &[failed().saying(&["the machine went off"])],
        headline: &["{it fails}: {story}"],
        next: &[
            "find out what powers the machine off: the last lines of that boot's console, and units with `FailureAction=` or `SuccessAction=`",
        ],
        ..BOOT
    },
    // What follows stood still, and the console has the kernel's own word on why.
    Rule {
        id: "boot-oops",
        takes: &[failed().quoting(&[
            "BUG: unable to handle",
            "kernel BUG at ",
            "Oops: ",
            "general protection fault",
        ])],
        headline: &[
            "{it fails}: the kernel ran into a fault of its own at {stage}: {oops}",
            "{it fails}: {quotation}",
        ],
        next: &[
            "read the call trace on the console of that boot: it names the module; boot without that module, or with the old kernel",
        ],
        ..BOOT
    },
    Rule {
        id: "boot-locked-up",
        takes: &[failed().quoting(&["soft lockup", "detected stall", "self-detected stall"])],
        headline: &[
            "{it fails}: a CPU is stuck in the kernel at {stage}: {lock-up}",
            "{it fails}: {quotation}",
        ],
        next: &[
            "repeat the rehearsal with nothing else on the host, which can starve a guest; if it stays, the call trace on the console names what the CPU is stuck in",
        ],
        ..BOOT
    },
    Rule {
        id: "boot-out-of-memory",
        takes: &[failed().quoting(&["Out of memory: Killed process", "invoked oom-killer"])],
        headline: &[
            "{it fails}: memory ran out at {stage}, and the kernel killed {victim}",
            "{it fails}: memory ran out",
        ],
        next: &[
            "compare what the boot needs with the machine's memory: an initrd is unpacked into it, and so is all of /run and /tmp on tmpfs",
        ],
        ..BOOT
    },
    Rule {
        id: "boot-stands-still",
        takes: &[failed().saying(&["no root shell", "no progress", "no answer within"])],
        headline: &[
            "{it fails}: it stands still in {stage}, waiting for {job}",
            "{it fails}: it stands still in {stage}; its last word: {quotation}",
            "{it fails}: it stands still in {stage}",
            "{it fails}: {story}",
        ],
        next: &[
            "see on the console of that boot what was started last and did not end; `systemctl list-jobs` in `bootproof debug` names what waits for it",
        ],
        ..BOOT
    },
    Rule {
        id: "boot-failed",
        takes: &[failed()],
        headline: &["{it fails}: {story}"],
        next: &[
            "read the console of that boot in the run directory from its first error on; then compare the root file system and the initrd's \
             modules with the disk of the machine",
        ],
        ..BOOT
    },
];
