//! A boot that comes no further than stage 1, whether that is NixOS's script or systemd.

use super::super::rule::{Of, Related, Rule, errors};
use super::super::seen;
use super::{BOOT, failed};
use crate::vocabulary::{Check, State};

/// What systemd says of the units with which NixOS's initrd finds the system that `init=` names, and prepares the root for it
/// (`nixos/modules/system/boot/systemd/initrd.nix`), whichever way it names units.
const FINDING_FAILED: &str = "systemctl status initrd-find-nixos-closure.service'";
const ACTIVATION_FAILED: &str = "systemctl status initrd-nixos-activation.service'";
const SWITCH_FAILED: &str = "systemctl status initrd-switch-root.service'";

pub(super) const RULES: &[Rule] = &[
    // A stray `exit` in a snippet ends `activate`, and `prepare-root` goes on (`stage-2-init.sh`): what it had still to make is not there.
    Rule {
        id: "activation-cut-short",
        takes: &[failed()
            .showing(&[
                "no usable init",
                "does not seem to be an OS tree",
                SWITCH_FAILED,
            ])
            .where_it(seen::was_activated_in_initrd)],
        headline: &[
            "{it fails}: the activation in the initrd ended before it was done, and systemd finds no system to switch to",
        ],
        next: &[
            "look for a snippet of `system.activationScripts` that says `exit`, or sets `-e`: it ends `activate`, and /etc and /run/current-system \
             are never made; `diff` the toplevel's `activate` with that of the generation that runs",
        ],
        ..BOOT
    },
    Rule {
        id: "entry-before-its-store",
        takes: &[failed()
            .within(&[State::CutInSwitch])
            .showing(&[
                "Exec format error",
                "stage 2 init script",
                ACTIVATION_FAILED,
            ])
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
        id: "initrd-activation",
        takes: &[failed().showing(&[FINDING_FAILED, ACTIVATION_FAILED, SWITCH_FAILED])],
        before: &[Related {
            what: errors(&[Check::WrongGeneration]).about(&["default-entry"]),
            of: Of::Anything,
            words: &[],
        }],
        headline: &[
            "{it fails}: systemd in the initrd cannot enter the system that the boot entry names ({failed unit} failed)",
            "{it fails}: systemd in the initrd cannot enter the system that the boot entry names",
        ],
        next: &[
            "see that the toplevel of the entry's `init=` is on the machine's disk (a generation that was collected as garbage is not), and that \
             what prepares the root (its `prepare-root`) can be executed, then `switch-to-configuration boot`; `boot.initrd.systemd.emergencyAccess` opens a shell there, \
             where `journalctl -b` has its words",
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
    // `boot.panic_on_fail`, of which the panic itself tells no more.
    Rule {
        id: "initrd-panics-on-failure",
        takes: &[failed()
            .saying(&["kernel panic"])
            .showing(&["sysrq triggered crash"])
            .where_it(seen::is_in_initrd)],
        headline: &[
            "{it fails}: the initrd fails and panics, as boot.panic_on_fail asks, because {mount} could not be mounted",
            "{it fails}: the initrd fails and panics, as boot.panic_on_fail asks, because {failed unit} failed",
            "{it fails}: the initrd fails and panics, as boot.panic_on_fail asks",
        ],
        next: &[
            "read which unit of the initrd failed on the console of that boot, before the panic; then compare the root file system, its type \
             and the initrd's modules with the disk of the machine",
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
        id: "passphrase-asked",
        takes: &[failed().saying(&["asks for a disk's passphrase"])],
        headline: &["{it fails}: {story}"],
        next: &[
            "the machine waits here at every boot for somebody at its console: a key file in the initrd's secrets, `boot.initrd.network.ssh` or \
             clevis opens the disk without one; if somebody is always there, this boot cannot be rehearsed",
        ],
        ..BOOT
    },
];
