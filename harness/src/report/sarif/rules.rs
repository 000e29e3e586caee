//! The checks of files as SARIF's rules: what each proves, and what helps where it does not hold.

use super::model::{Configuration, Level, Message, Rule};
use crate::vocabulary::Check;

struct Text {
    check: Check,
    /// Pascal case, as SARIF wants it (3.49.7).
    name: &'static str,
    short: &'static str,
    full: &'static str,
    help: &'static str,
}

/// In the order in which results refer to them.
const TEXTS: &[Text] = &[
    Text {
        check: Check::Executability,
        name: "Executability",
        short: "What is started can be executed",
        full: "Every command of a unit, activation, generators, udev's programs and the initrd's init are there, with loader and \
               libraries, and run under the kernel of this closure.",
        help: "Build the whole system for one platform, and see that what the unit names is in the closure. A command that this kernel \
               cannot run ends with 203/EXEC at the next boot, whatever runs now.",
    },
    Text {
        check: Check::Architecture,
        name: "Architecture",
        short: "Kernel, userland and machine fit each other",
        full: "The kernel, the file `system`, boot.json, userland, modules, the bootloader's program, the expected system and the target \
               machine agree.",
        help: "Compare `system` of what the deploy tool built with what you mean (`nixpkgs.hostPlatform`): the running kernel hides the \
               difference until the next boot.",
    },
    Text {
        check: Check::BootPath,
        name: "BootPath",
        short: "All that a boot needs is there",
        full: "`init`, kernel, initrd, modules, the fstab, kernel parameters and boot entries are there, whole, and fit each other and the \
               machine.",
        help: "Look at the file that is named: the boot stops where it is needed. Drivers of stage 1 come from \
               `boot.initrd.availableKernelModules`, devices from `fileSystems`.",
    },
    Text {
        check: Check::Reference,
        name: "Reference",
        short: "No path leads nowhere",
        full: "No link of the closure leads nowhere, and no unit names a store path that is not part of the closure.",
        help: "A path that is not part of the closure is not copied by the deploy: refer to the package instead of writing its path.",
    },
    Text {
        check: Check::NginxConfig,
        name: "NginxConfig",
        short: "nginx finds what it serves and passes on to",
        full: "nginx's files are there and well-formed, and something that is started listens where it passes requests on to.",
        help: "See that the service behind the upstream is enabled, starts at boot, and listens on this address.",
    },
    Text {
        check: Check::StoreContents,
        name: "StoreContents",
        short: "The store's files are what was recorded of them",
        full: "Every store path has the hash that the store recorded of it.",
        help: "`nix-store --verify --check-contents --repair` mends the store; then look at the disk.",
    },
    Text {
        check: Check::BuildDifference,
        name: "BuildDifference",
        short: "What was built is what was meant",
        full: "The toplevel that the deploy tool builds is the one that the flake, or the path that was named, means.",
        help: "Compare which system and which inputs the deploy tool builds with.",
    },
];

/// Where a check stands among the rules; `None` for one of a boot, which SARIF has no place for.
pub(super) fn index(check: Check) -> Option<usize> {
    TEXTS.iter().position(|text| text.check == check)
}

pub(super) fn all() -> Vec<Rule> {
    let message = |text: &str| Message {
        text: text.to_owned(),
    };
    let rules = TEXTS.iter().map(|text| Rule {
        id: text.check.as_str(),
        name: text.name,
        short_description: message(text.short),
        full_description: message(text.full),
        help: message(text.help),
        default_configuration: Configuration {
            level: Level::Error,
        },
    });
    rules.collect()
}
