//! The bootloader's installation, the switch, and which generation runs.

use crate::vocabulary::{Check, State};

use super::super::rule::{Groups, Of, Related, Rule, any, errors};
use super::super::seen;

/// A disk on which no bootloader was installed boots nothing.
const NOTHING_TO_BOOT: &[Related] = &[Related {
    what: errors(&[Check::BootFailed]),
    of: Of::Anything,
    words: &["{summary}"],
}];

pub(super) const BOOTLOADER: &[Rule] = &[
    Rule {
        id: "boot-partition-full",
        takes: &[errors(&[Check::BootloaderInstall]).quoting(&["No space left on device"])],
        headline: &["the bootloader cannot be installed: no space is left where its files go"],
        follows: NOTHING_TO_BOOT,
        next: &[
            "make room on /boot: fewer entries (`boot.loader.*.configurationLimit`), `nix-collect-garbage --delete-older-than 30d` \
             and `/run/current-system/bin/switch-to-configuration boot`, or a larger partition",
        ],
        ..Rule::BASE
    },
    Rule {
        id: "bootloader-install",
        takes: &[errors(&[Check::BootloaderInstall])],
        headline: &[
            "the bootloader cannot be installed: {quotation}",
            "{summary}",
        ],
        follows: NOTHING_TO_BOOT,
        next: &[
            "read what the installer printed, and compare the bootloader's device in the configuration with the disks of the machine",
        ],
        ..Rule::BASE
    },
];

/// The other links that are wrong in the same state.
const SAME_STATE: &[Related] = &[Related {
    what: errors(&[Check::WrongGeneration]),
    of: Of::SameState,
    words: &[],
}];

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "panic-at-the-switch",
        takes: &[errors(&[Check::SwitchFailed]).saying(&["kernel panic"])],
        after: &[Related {
            what: errors(&[Check::LogSignature]).about(&["kernel-panic", "kernel-oops"]),
            of: Of::SameState,
            words: &[],
        }],
        headline: &[
            "the machine does not live through the switch: the kernel panics: {panic}",
            "the machine does not live through the switch: the kernel panics",
        ],
        next: &[
            "read the call trace after it on the console of that boot: it names what the kernel was doing, and for which process; a deploy would take \
             the machine down",
        ],
        ..Rule::BASE
    },
    Rule {
        id: "no-way-back",
        takes: &[any(&[Check::NoWayBack])],
        headline: &["there is no way back after the deploy: {summary}"],
        next: &[
            "have the bootloader keep more generations (`boot.loader.*.configurationLimit`), or see why its installer left that one out: \
             `nixos-rebuild switch --rollback` would still work on a machine that comes up",
        ],
        ..Rule::BASE
    },
    Rule {
        id: "no-boot-entry",
        takes: &[any(&[Check::NoBootEntry])],
        headline: &["{only summary}", "{summary} (and of {others} more)"],
        next: &[
            "see whether the installer of the bootloader writes entries of specialisations at all, and whether inspection says that a file of \
             this one is not there: GRUB's takes those below the toplevel's `specialisation`, systemd-boot's those of `boot.json`",
        ],
        ..Rule::BASE
    },
    // Units that failed are told by their own findings.
    Rule {
        id: "switch-failed",
        takes: &[errors(&[Check::SwitchFailed]).where_it(seen::is_more_than_units)],
        headline: &["{summary}"],
        follows: &[Related {
            what: any(&[Check::WrongGeneration]),
            of: Of::Anything,
            words: &["the machine is not on the candidate: {subjects}"],
        }],
        next: &[
            "read what `switch-to-configuration` printed; what it did not finish, the machine will not have either",
        ],
        ..Rule::BASE
    },
    Rule {
        id: "entry-starts-another",
        takes: &[errors(&[Check::WrongGeneration])
            .within(&[State::Specialised])
            .about(&["booted-system"])],
        after: SAME_STATE,
        headline: &["its boot entry starts another system: {summary}"],
        next: &[
            "compare `init=` of the entry in the bootloader's menu with where the toplevel's `specialisation/` leads; `switch-to-configuration boot` of the \
             candidate writes the menu again",
        ],
        ..Rule::BASE
    },
    // Whatever boots after an orderly reboot is in a state before it.
    Rule {
        id: "deploy-lost-with-the-power",
        takes: &[errors(&[Check::WrongGeneration])
            .within(&[State::PowerCut])
            .about(&["booted-system"])],
        after: SAME_STATE,
        headline: &[
            "a power cut takes the deploy back: another generation than the candidate boots",
        ],
        next: &[
            "what the switch wrote had not reached the disk: see what ignores flushes: a mount with `nobarrier`, a hypervisor's `cache=unsafe`, a write \
             cache without a battery; and whether the switch syncs (`NIXOS_NO_SYNC` keeps it from that)",
        ],
        ..Rule::BASE
    },
    Rule {
        id: "store-damaged",
        takes: &[errors(&[Check::StoreDamaged])],
        headline: &["{only summary}", "{summary} (and {others} more)"],
        follows: &[Related {
            what: any(&[
                Check::SystemState,
                Check::UnitFailed,
                Check::UnitInactive,
                Check::ExecFailed,
                Check::RestartLoop,
                Check::HttpGateway,
                Check::HttpUnanswered,
            ]),
            of: Of::SameState,
            words: &["not as it has to be: {subjects}"],
        }],
        next: &[
            "what is copied must be on the disk before it is called valid: `nix.settings.fsync-store-paths = true` (Nix 2.25; before that \
             `sync-before-registering`), and no `NIXOS_NO_SYNC=1` for the switch; `nix-store --verify --check-contents --repair` mends a machine that \
             lost its power",
        ],
        ..Rule::BASE
    },
    Rule {
        id: "old-generation-boots",
        takes: &[
            errors(&[Check::WrongGeneration]).about(&["default-entry"]),
            errors(&[Check::WrongGeneration])
                .within(State::AFTER_A_BOOT)
                .about(&["booted-system"]),
        ],
        after: SAME_STATE,
        headline: &[
            "the reboot starts another generation than the candidate: the bootloader's default entry is not it",
        ],
        next: &[
            "see whether the bootloader's configuration lies on the disk and partition that the firmware reads, and whether \
             `switch-to-configuration boot` updates it; the menu's default (GRUB's saved_entry, systemd-boot's `default`) comes before both",
        ],
        ..Rule::BASE
    },
    Rule {
        id: "wrong-generation",
        takes: &[errors(&[Check::WrongGeneration])],
        groups: Groups::OnePerState,
        headline: &["{summary}"],
        next: &["see what set the link, and whether the activation went through"],
        ..Rule::BASE
    },
];
