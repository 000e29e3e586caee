//! Reads the serial console as it comes: whole lines, and how far the boot is. Pure.

use crate::vocabulary::Stage;

/// Splits a byte stream into printable lines of bounded length.
#[derive(Debug, Default)]
pub struct Lines {
    partial: Vec<u8>,
}

/// Longer lines are cut: nothing that a kernel or systemd prints comes near.
const LINE_LIMIT: usize = 2048;

impl Lines {
    /// Takes in bytes, gives the lines that they complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for &byte in bytes {
            if byte == b'\n' {
                lines.push(printable(&self.partial));
                self.partial.clear();
            } else if self.partial.len() < LINE_LIMIT {
                self.partial.push(byte);
            }
        }
        lines.retain(|line| !line.is_empty());
        lines
    }

    /// The line that has not ended yet: a prompt.
    pub fn partial(&self) -> String {
        printable(&self.partial)
    }
}

/// Text without escape sequences (ECMA-48 CSI and OSC) and control characters.
fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\x1b' => match chars.next() {
                Some('[') => while chars.next_if(|c| !('@'..='~').contains(c)).is_some() {},
                Some(']') => while chars.next_if(|c| *c != '\x07' && *c != '\x1b').is_some() {},
                _ => continue,
            },
            c if c.is_control() => continue,
            c => {
                clean.push(c);
                continue;
            }
        }
        chars.next();
    }
    clean.trim().to_owned()
}

/// A text on the console that shows how far a boot is.
struct StageMark {
    stage: Stage,
    text: &'static str,
}

/// In the order of a boot. The texts are those of SeaBIOS, EDK II's `BdsDxe` (`BmBoot.c`), GRUB and systemd-boot, the kernel's, NixOS's stage 1 and 2 scripts', and systemd's.
const STAGE_MARKS: &[StageMark] = &[
    StageMark {
        stage: Stage::Firmware,
        text: "SeaBIOS (version",
    },
    StageMark {
        stage: Stage::Firmware,
        text: "BdsDxe: loading Boot",
    },
    StageMark {
        stage: Stage::Bootloader,
        text: "BdsDxe: starting Boot",
    },
    StageMark {
        stage: Stage::Bootloader,
        text: "Welcome to GRUB!",
    },
    StageMark {
        stage: Stage::Bootloader,
        text: "GNU GRUB",
    },
    StageMark {
        stage: Stage::Bootloader,
        text: "Booting `",
    },
    // The kernel, while the firmware still serves it (`drivers/firmware/efi/libstub`).
    StageMark {
        stage: Stage::Kernel,
        text: "EFI stub: ",
    },
    StageMark {
        stage: Stage::Kernel,
        text: "Linux version ",
    },
    StageMark {
        stage: Stage::Initrd,
        text: "<<< NixOS Stage 1 >>>",
    },
    StageMark {
        stage: Stage::Initrd,
        text: "Run /init as init process",
    },
    StageMark {
        stage: Stage::Initrd,
        text: "Running in initrd",
    },
    StageMark {
        stage: Stage::Initrd,
        text: "Booting initrd of ",
    },
    StageMark {
        stage: Stage::Initrd,
        text: "Reached target Initrd ",
    },
    StageMark {
        stage: Stage::Initrd,
        text: "Reached target initrd",
    },
    StageMark {
        stage: Stage::Stage2,
        text: "<<< NixOS Stage 2 >>>",
    },
    StageMark {
        stage: Stage::Stage2,
        text: "Reached target Switch Root",
    },
    StageMark {
        stage: Stage::Stage2,
        text: "Starting Switch Root",
    },
    StageMark {
        stage: Stage::Stage2,
        text: "Switching root",
    },
    StageMark {
        stage: Stage::Sysinit,
        text: "Reached target System Initialization",
    },
    StageMark {
        stage: Stage::Sysinit,
        text: "Reached target sysinit.target",
    },
    StageMark {
        stage: Stage::MultiUser,
        text: "Reached target Multi-User System",
    },
    StageMark {
        stage: Stage::MultiUser,
        text: "Reached target multi-user.target",
    },
];

/// What systemd says at its start; up to version 253 in the initrd too (`src/core/main.c`).
const WELCOME: &str = "Welcome to NixOS";
/// NixOS's `/etc/issue` says it as well, between angles (`nixos/modules/services/ttys/getty.nix`).
const ISSUE: &str = "<<<";

/// The stage that `line` shows, if any.
pub fn stage_of(line: &str) -> Option<Stage> {
    STAGE_MARKS
        .iter()
        .find(|mark| line.contains(mark.text))
        .map(|mark| mark.stage)
}

/// The stage that a boot has newly come to with `line`, when it had come to `reached`.
///
/// An initrd that runs systemd has a sysinit.target of its own, and may greet as the system itself does.
pub fn stage_after(reached: Option<Stage>, line: &str) -> Option<Stage> {
    let stage = match stage_of(line) {
        Some(Stage::Sysinit) if reached == Some(Stage::Initrd) => return None,
        Some(stage) => stage,
        None if line.contains(WELCOME) && !line.contains(ISSUE) => {
            if reached == Some(Stage::Initrd) {
                Stage::Stage2
            } else {
                Stage::Initrd
            }
        }
        None => return None,
    };
    reached
        .is_none_or(|reached| stage > reached)
        .then_some(stage)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_whole_and_clean() {
        let mut lines = Lines::default();
        assert!(lines.feed(b"\x1b[0;32m  OK  \x1b[0m] Reached").is_empty());
        assert_eq!(
            lines.feed(b" target \x07Multi-User System.\r\nnext"),
            ["OK  ] Reached target Multi-User System."]
        );
        assert_eq!(lines.partial(), "next");
    }

    #[test]
    fn a_line_without_end_is_bounded() {
        let mut lines = Lines::default();
        lines.feed(&vec![b'x'; 1 << 20]);
        assert_eq!(lines.feed(b"\n")[0].len(), LINE_LIMIT);
    }

    #[test]
    fn a_title_sequence_does_not_reach_the_terminal() {
        let mut lines = Lines::default();
        assert_eq!(lines.feed(b"\x1b]0;title\x07text\x1b[2J\n"), ["text"]);
    }

    /// The stages that a boot comes to, line by line.
    fn stages(lines: &[&str]) -> Vec<Stage> {
        let mut reached = Vec::new();
        for line in lines {
            reached.extend(stage_after(reached.last().copied(), line));
        }
        reached
    }

    #[test]
    fn a_systemd_in_the_initrd_does_not_look_like_the_system() {
        let new = [
            "Booting initrd of NixOS 26.05 (Yarara) (Initrd).",
            "[  OK  ] Reached target System Initialization.",
            "[  OK  ] Reached target Initrd Root Device.",
        ];
        assert_eq!(stages(&new), [Stage::Initrd]);
        let whole = [
            &new[..],
            &[
                "         Starting Switch Root...",
                "Welcome to NixOS 26.05 (Yarara)!",
                "[  OK  ] Reached target System Initialization.",
                "[  OK  ] Reached target Multi-User System.",
            ],
        ]
        .concat();
        let all = [
            Stage::Initrd,
            Stage::Stage2,
            Stage::Sysinit,
            Stage::MultiUser,
        ];
        assert_eq!(stages(&whole), all);
        let old = [
            "Welcome to NixOS 23.11 (Tapir)!",
            "[  OK  ] Reached target System Initialization.",
            "Welcome to NixOS 23.11 (Tapir)!",
            "[  OK  ] Reached target System Initialization.",
        ];
        assert_eq!(stages(&old), all[..3]);
    }

    #[test]
    fn a_scripted_stage_1_is_followed_as_well() {
        let lines = [
            "<<< NixOS Stage 1 >>>",
            "<<< NixOS Stage 2 >>>",
            "Welcome to NixOS 24.11 (Vicuna)!",
            "[  OK  ] Reached target System Initialization.",
            "<<< Welcome to NixOS 24.11 (x86_64) - ttyS0 >>>",
        ];
        assert_eq!(
            stages(&lines),
            [Stage::Initrd, Stage::Stage2, Stage::Sysinit]
        );
    }

    #[test]
    fn stages_are_recognised() {
        assert_eq!(
            stage_of("[    0.000000] Linux version 6.1.0-44-amd64"),
            Some(Stage::Kernel)
        );
        assert_eq!(stage_of("<<< NixOS Stage 1 >>>"), Some(Stage::Initrd));
        assert_eq!(stage_of("hello"), None);
    }
}
