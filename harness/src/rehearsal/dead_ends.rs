//! What a console or a screen says where a boot cannot go on, or waits for somebody. Pure.

/// A text after which a boot cannot succeed without somebody at the keyboard.
struct DeadEnd {
    text: &'static str,
    /// What it is called in a report, in lower case.
    reason: &'static str,
}

/// What a kernel's panic is called; no other end can come after a boot has.
pub(super) const PANIC: &str = "kernel panic";

/// Origins: the kernel's `panic()`; NixOS's `stage-1-init.sh` and `luksroot.nix`; systemd's emergency and rescue units and its
/// `cryptsetup.c`; GRUB's `menu.c` and rescue reader; SeaBIOS; systemd-boot; EDK II's `BdsDxe`.
const DEAD_ENDS: &[DeadEnd] = &[
    DeadEnd {
        text: "Kernel panic - not syncing",
        reason: PANIC,
    },
    DeadEnd {
        text: "An error occurred in stage 1 of the boot process",
        reason: "stage 1 stopped at its failure prompt",
    },
    DeadEnd {
        text: "You are in emergency mode",
        reason: "emergency mode",
    },
    DeadEnd {
        text: "You are in rescue mode",
        reason: "rescue mode",
    },
    DeadEnd {
        text: "Cannot open access to console, the root account is locked",
        reason: "emergency mode",
    },
    DeadEnd {
        text: "Reached target Emergency Mode",
        reason: "emergency mode",
    },
    // systemd's `freeze_or_exit_or_reboot` (`src/core/crash-handler.c`), in the initrd or after it.
    DeadEnd {
        text: "Freezing execution",
        reason: "systemd gave up and froze",
    },
    // What it says of it on the console, where the other goes to the journal alone (`src/core/main.c`).
    DeadEnd {
        text: "[!!!!!!] ",
        reason: "systemd gave up and froze",
    },
    DeadEnd {
        text: "grub rescue>",
        reason: "GRUB rescue prompt",
    },
    DeadEnd {
        text: "Minimal BASH-like line editing is supported",
        reason: "GRUB found no configuration and stopped at its prompt",
    },
    DeadEnd {
        text: "No bootable device",
        reason: "the firmware found no bootable device",
    },
    DeadEnd {
        text: "No bootable option or device was found",
        reason: "the firmware found no bootable device",
    },
    // systemd-boot (`src/boot/efi/boot.c`): the firmware took the kernel's file and refuses to start a program of another machine.
    DeadEnd {
        text: "Error finding kernel compat entry address",
        reason: "the firmware cannot start this kernel",
    },
    DeadEnd {
        text: ".efi): Unsupported",
        reason: "the firmware cannot start this kernel",
    },
    DeadEnd {
        text: "Error loading \\EFI\\",
        reason: "systemd-boot could not load the kernel",
    },
    // OVMF's last boot option, where nothing else starts.
    DeadEnd {
        text: "UEFI Interactive Shell",
        reason: "the firmware found no bootable device",
    },
    DeadEnd {
        text: "Boot failed: not a bootable disk",
        reason: "the firmware found no bootable disk",
    },
    DeadEnd {
        text: "This kernel requires an",
        reason: "the kernel refused the CPU",
    },
    // GRUB 2.12 has the place in its source between this and `error:`.
    DeadEnd {
        text: "you need to load the kernel first",
        reason: "GRUB could not load the kernel",
    },
    DeadEnd {
        text: "Failed to boot both default and fallback entries",
        reason: "GRUB could not start any entry",
    },
    DeadEnd {
        text: "Passphrase for /dev/",
        reason: "stage 1 asks for a disk's passphrase",
    },
    DeadEnd {
        text: "Please enter passphrase for disk",
        reason: "systemd asks for a disk's passphrase",
    },
    DeadEnd {
        text: "Please enter recovery key for disk",
        reason: "systemd asks for a disk's passphrase",
    },
    DeadEnd {
        text: "Please enter passphrase or recovery key for disk",
        reason: "systemd asks for a disk's passphrase",
    },
];

/// Why the boot cannot go on, if the screen of a bootloader says so: the reason, and the line that tells more of it.
pub fn dead_end_of_screen(lines: &[String]) -> Option<(&'static str, &str)> {
    let reason = lines.iter().find_map(|line| dead_end_of(line))?;
    let error = lines.iter().rfind(|line| line.starts_with("error:"));
    let line = error.or_else(|| lines.iter().find(|line| dead_end_of(line).is_some()))?;
    Some((reason, line))
}

/// Whether the screen is as SeaBIOS leaves it when it runs the disk's boot code (`src/boot.c`): a bootloader says something at once.
pub fn is_left_to_boot_code(lines: &[String]) -> bool {
    let last = lines.iter().rfind(|line| !line.trim().is_empty());
    last.is_some_and(|line| line.starts_with("Booting from Hard Disk"))
}

/// Why the boot cannot go on, if `line` says so.
pub fn dead_end_of(line: &str) -> Option<&'static str> {
    DEAD_ENDS
        .iter()
        .find(|end| line.contains(end.text))
        .map(|end| end.reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_whose_boot_code_says_nothing_is_known_by_the_screen() {
        let screen = |lines: &[&str]| {
            lines
                .iter()
                .map(|&line| line.to_owned())
                .collect::<Vec<_>>()
        };
        let firmware = ["SeaBIOS (version 1.16.2)", "Booting from Hard Disk...", ""];
        assert!(is_left_to_boot_code(&screen(&firmware)));
        assert!(!is_left_to_boot_code(&screen(&[
            "Booting from Hard Disk...",
            "GRUB loading."
        ])));
        assert!(!is_left_to_boot_code(&[]));
    }

    #[test]
    fn a_kernel_that_uefi_refuses_ends_the_boot_before_another_option_is_tried() {
        for line in [
            "Error finding kernel compat entry address: Load Error",
            "Failed to execute NixOS (\\EFI\\nixos\\x-bzImage.efi): Unsupported",
        ] {
            assert_eq!(
                dead_end_of(line),
                Some("the firmware cannot start this kernel")
            );
        }
        assert_eq!(
            dead_end_of("x.service: Failed to execute /nix/store/x/bin/x: Exec format error"),
            None
        );
    }

    #[test]
    fn a_panic_is_an_end_and_a_start_is_none() {
        assert_eq!(
            dead_end_of("[    1.2] Kernel panic - not syncing: VFS: Unable to mount root fs"),
            Some("kernel panic")
        );
        assert_eq!(dead_end_of("[  OK  ] Started Backend."), None);
    }

    #[test]
    fn a_systemd_that_gives_up_says_so_on_the_console_alone() {
        let line = "[!!!!!!] Switch root target contains no usable init.";
        assert_eq!(dead_end_of(line), Some("systemd gave up and froze"));
    }

    #[test]
    fn a_screen_tells_why_the_bootloader_stops() {
        let screen = |lines: &[&str]| -> Vec<String> {
            lines.iter().map(|line| (*line).to_owned()).collect()
        };
        let rescue = screen(&[
            "Booting from Hard Disk...",
            "GRUB loading.",
            "Welcome to GRUB!",
            "error: file `/boot/grub/i386-pc/normal.mod' not found.",
            "Entering rescue mode...",
            "grub rescue>",
        ]);
        assert_eq!(
            dead_end_of_screen(&rescue),
            Some((
                "GRUB rescue prompt",
                "error: file `/boot/grub/i386-pc/normal.mod' not found."
            ))
        );
        let nothing = screen(&["Booting from Hard Disk...", "No bootable device."]);
        assert_eq!(
            dead_end_of_screen(&nothing),
            Some((
                "the firmware found no bootable device",
                "No bootable device."
            ))
        );
        let menu = screen(&["GNU GRUB  version 2.06", "*NixOS - Default"]);
        assert_eq!(dead_end_of_screen(&menu), None);
        // A menu without a font says so and goes on.
        let font = screen(&["error: file `/boot/grub/fonts/unicode.pf2' not found."]);
        assert_eq!(dead_end_of_screen(&font), None);
    }

    #[test]
    fn a_prompt_for_a_passphrase_waits_for_somebody() {
        for line in [
            "Passphrase for /dev/disk/by-uuid/4c1e: ",
            "Please enter passphrase for disk nixos (cryptroot): (press TAB for no echo)",
            "Please enter passphrase or recovery key for disk nixos (cryptroot):",
        ] {
            assert!(dead_end_of(line).is_some(), "{line}");
        }
        let grub =
            "error: ../../grub-core/loader/i386/pc/linux.c:421:you need to load the kernel first.";
        assert_eq!(dead_end_of(grub), Some("GRUB could not load the kernel"));
        assert_eq!(dead_end_of("reused the passphrase"), None);
    }
}
