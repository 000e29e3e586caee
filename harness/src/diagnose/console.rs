//! What the console of a boot that failed names: a device, a mount, a panic.
//!
//! Called by `values`. Each gives the words that follow a known phrase; the origin of a phrase stands with it.

use crate::check::{is_kernel_line, running_job};

/// What the kernel says when it gives up (`kernel/panic.c`).
pub(super) fn panic(lines: &[String]) -> Option<String> {
    after(lines, "Kernel panic - not syncing: ").map(str::to_owned)
}

/// How PID 1 ended, by the status that the kernel tells (`kernel/exit.c`, wait(2)): `exit code 127`, `signal 11`.
pub(super) fn end_of_init(lines: &[String]) -> Option<String> {
    let status = after(lines, "Attempted to kill init! exitcode=0x")?;
    let digits: String = status.chars().take_while(char::is_ascii_hexdigit).collect();
    let status = u32::from_str_radix(&digits, 16).ok()?;
    Some(match (status & 0x7f, (status >> 8) & 0xff) {
        (0, 127) => {
            "exit code 127, which says that a program or its library was not found".to_owned()
        }
        (0, code) => format!("exit code {code}"),
        (signal, _) => format!("signal {signal}"),
    })
}

/// The first device that stage 1 (NixOS's `stage-1-init.sh`) or systemd (`src/core/job.c`) waited for in vain, of those that are needed.
pub(super) fn missing_device(lines: &[String], is_needed: impl Fn(&str) -> bool) -> Option<String> {
    let mut missing = all_after(lines, "Timed out waiting for device ").map(|rest| {
        let device = rest.split(", trying to mount").next();
        described(device.unwrap_or(rest))
    });
    missing.find(|device| is_needed(device))
}

/// The first needed mount point that systemd could not mount, or gave up for what it needs.
pub(super) fn failed_mount(lines: &[String], is_needed: impl Fn(&str) -> bool) -> Option<String> {
    let phrases = ["Failed to mount ", "Dependency failed for "];
    let named = phrases.iter().flat_map(|phrase| all_after(lines, phrase));
    let mut named = named.map(described);
    named.find(|name| name.starts_with('/') && is_needed(name))
}

/// The first unit that failed to start, by its name where systemd tells it.
///
/// It may say the description alone, or shorten both to the width of the console; the hint below them has the whole name
/// (`src/core/job.c`).
pub(super) fn failed_unit(lines: &[String]) -> Option<String> {
    const PHRASE: &str = "Failed to start ";
    /// The words of other units may come between the two.
    const NEAR: usize = 4;
    let at = lines.iter().position(|line| line.contains(PHRASE))?;
    let near = &lines[at..lines.len().min(at + NEAR)];
    if let Some(hint) = after(near, "See 'systemctl status ") {
        return Some(hint.split('\'').next()?.to_owned());
    }
    let (_, rest) = lines[at].split_once(PHRASE)?;
    let rest = rest.split(" - ").next()?;
    Some(rest.trim_end_matches('.').to_owned())
}

/// What systemd said last that it waits for.
pub(super) fn waited_for(lines: &[String]) -> Option<String> {
    let job = lines.iter().rev().find_map(|line| running_job(line))?;
    Some(job.what.trim_end_matches(['.', ' ', '…']).to_owned())
}

/// GRUB's first complaint: `error: file '/…' not found.`
///
/// It breaks lines at the width of its terminal, so that a long path stands on several.
pub(super) fn grub_error(lines: &[String]) -> Option<String> {
    const LINES: usize = 4;
    let at = lines
        .iter()
        .position(|line| line.trim_start().starts_with("error: "))?;
    let mut error = String::new();
    for line in lines[at..].iter().take(LINES) {
        if line.starts_with(['`', '\'']) {
            error.push(' ');
        }
        error.push_str(line.trim());
        if line.ends_with('.') {
            break;
        }
    }
    let error = error.strip_prefix("error: ")?.trim_end_matches('.');
    Some(error.to_owned())
}

/// The last line before stage 1 stopped at its prompt. Where the wait ended at its first words, that line was never whole.
pub(super) fn before_stage_1_stopped(lines: &[String]) -> Option<String> {
    let is_prompt = |line: &String| line.contains("An error occurred in stage 1");
    let at = lines.iter().position(is_prompt).unwrap_or(lines.len());
    let said = |line: &&String| !line.trim().is_empty() && !is_kernel_line(line);
    lines[..at].iter().rev().find(said).cloned()
}

/// The first line of a fault of the kernel's own.
pub(super) fn oops(lines: &[String]) -> Option<String> {
    let phrases = [
        "BUG: unable to handle",
        "kernel BUG at ",
        "Oops: ",
        "general protection fault",
    ];
    first_with(lines, &phrases)
}

/// The first line of a CPU that is stuck (`kernel/watchdog.c`, `kernel/rcu/tree_stall.h`).
pub(super) fn lock_up(lines: &[String]) -> Option<String> {
    first_with(
        lines,
        &[
            "BUG: soft lockup",
            "detected stall",
            "self-detected stall",
            "hard LOCKUP",
        ],
    )
}

/// The process that was killed for want of memory (`mm/oom_kill.c`): `Killed process 712 (nginx)`.
pub(super) fn killed_for_memory<'a>(lines: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut killed = lines.filter_map(|line| line.split_once("Killed process ")?.1.split_once('('));
    let (_, name) = killed.next()?;
    Some(name.split(')').next()?.to_owned())
}

fn first_with(lines: &[String], phrases: &[&str]) -> Option<String> {
    let mut lines = lines.iter();
    let line = lines.find(|line| phrases.iter().any(|phrase| line.contains(phrase)))?;
    Some(without_clock(line).to_owned())
}

/// A kernel's line without the time that it begins with.
fn without_clock(line: &str) -> &str {
    match line.split_once("] ") {
        Some((_, rest)) if is_kernel_line(line) => rest,
        _ => line,
    }
}

fn after<'a>(lines: &'a [String], phrase: &str) -> Option<&'a str> {
    lines
        .iter()
        .find_map(|line| Some(line.split_once(phrase)?.1))
}

fn all_after<'a>(lines: &'a [String], phrase: &'a str) -> impl Iterator<Item = &'a str> {
    lines
        .iter()
        .filter_map(move |line| Some(line.split_once(phrase)?.1))
}

/// `/data` of `data.mount - /data.`: systemd names unit and description, or the description alone (`StatusUnitFormat=`).
fn described(text: &str) -> String {
    let text = text
        .split_once(" - ")
        .map_or(text, |(_, description)| description);
    text.trim_end_matches(['.', ' ', '…']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(all: &[&str]) -> Vec<String> {
        all.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn what_failed_is_named_in_the_forms_of_old_and_new_systemd() {
        let old = lines(&[
            "[ TIME ] Timed out waiting for device /dev/disk/by-label/data.",
            "[DEPEND] Dependency failed for /data.",
            "[DEPEND] Dependency failed for Local File Systems.",
        ]);
        let new = lines(&[
            r"[ TIME ] Timed out waiting for device dev-disk-by\x2dlabel-data.device - /dev/disk/by-label/data.",
            "[DEPEND] Dependency failed for local-fs.target - Local File Systems.",
            "[DEPEND] Dependency failed for data.mount - /data.",
        ]);
        for lines in [old, new] {
            assert_eq!(
                missing_device(&lines, |_| true).unwrap(),
                "/dev/disk/by-label/data"
            );
            assert_eq!(failed_mount(&lines, |_| true).unwrap(), "/data");
        }
        let failed = lines(&["[FAILED] Failed to mount data.mount - /data."]);
        assert_eq!(failed_mount(&failed, |_| true).unwrap(), "/data");
        let failed =
            lines(&["[FAILED] Failed to start systemd-fsck@x.service - File System Check on x."]);
        assert_eq!(failed_unit(&failed).unwrap(), "systemd-fsck@x.service");
        for line in [
            "[FAILED] Failed to start initrd-nix…on.service - NixOS Activation.",
            "[FAILED] Failed to start NixOS Activation.",
        ] {
            let hint = "See 'systemctl status initrd-nixos-activation.service' for details.";
            let failed = lines(&[line, hint]);
            assert_eq!(
                failed_unit(&failed).unwrap(),
                "initrd-nixos-activation.service"
            );
        }
    }

    #[test]
    fn a_scripted_stage_1_names_device_and_error() {
        let lines = lines(&[
            "Timed out waiting for device /dev/disk/by-label/nixos, trying to mount anyway.",
            "mounting /dev/disk/by-label/nixos on /...",
            "mount: mounting /dev/disk/by-label/nixos on /mnt-root/ failed: No such file or directory",
            "",
            "[    9.1] random: crng init done",
            "An error occurred in stage 1 of the boot process, which must mount the",
        ]);
        assert_eq!(
            missing_device(&lines, |_| true).unwrap(),
            "/dev/disk/by-label/nixos"
        );
        let error = before_stage_1_stopped(&lines).unwrap();
        assert!(error.ends_with("failed: No such file or directory"));
        let cut = |line: &&String| !line.contains("An error occurred");
        let lines: Vec<String> = lines.iter().take_while(cut).cloned().collect();
        assert_eq!(before_stage_1_stopped(&lines).unwrap(), error);
    }

    #[test]
    fn the_status_of_init_is_read_as_wait_has_it() {
        let end = |status: &str| {
            end_of_init(&lines(&[&format!(
                "[ 1.0] Kernel panic - not syncing: Attempted to kill init! exitcode=0x{status}"
            )]))
        };
        assert!(end("00007f00").unwrap().starts_with("exit code 127"));
        assert_eq!(end("0000000b").unwrap(), "signal 11");
        assert_eq!(end("00000100").unwrap(), "exit code 1");
        assert_eq!(end("zz"), None);
    }

    #[test]
    fn what_a_boot_waits_for_is_named() {
        let waits =
            lines(&["[ ***  ] A start job is running for data.mount - /data (1min 3s / no limit)"]);
        assert_eq!(waited_for(&waits).unwrap(), "/data");
        let waits = lines(&["[  *** ] Job unlock.service/start running (1min 3s / no limit)"]);
        assert_eq!(waited_for(&waits).unwrap(), "unlock.service");
    }

    #[test]
    fn what_grub_breaks_over_lines_is_one_error() {
        let broken = lines(&[
            "error: file",
            "`/boot/kerne",
            "ls/linux-6.1-bzImage' not found.",
            "error: you need to load the kernel first.",
        ]);
        assert_eq!(
            grub_error(&broken).unwrap(),
            "file `/boot/kernels/linux-6.1-bzImage' not found"
        );
    }

    #[test]
    fn a_console_that_says_none_of_it_names_nothing() {
        let healthy = lines(&[
            "[  OK  ] Reached target Multi-User System.",
            "<<< Welcome to NixOS >>>",
        ]);
        for named in [panic, end_of_init, failed_unit, waited_for] {
            assert_eq!(named(&healthy), None);
        }
        assert_eq!(missing_device(&healthy, |_| true), None);
        assert_eq!(failed_mount(&healthy, |_| true), None);
        for named in [grub_error, oops, lock_up] {
            assert_eq!(named(&healthy), None);
        }
    }

    #[test]
    fn what_a_boot_can_do_without_is_not_named() {
        let lines = lines(&[
            "[ TIME ] Timed out waiting for device /dev/disk/by-label/spare.",
            "[DEPEND] Dependency failed for /spare.",
            "[ TIME ] Timed out waiting for device /dev/disk/by-label/data.",
            "[DEPEND] Dependency failed for /data.",
        ]);
        let needed = |name: &str| !name.contains("spare");
        assert_eq!(
            missing_device(&lines, needed).unwrap(),
            "/dev/disk/by-label/data"
        );
        assert_eq!(failed_mount(&lines, needed).unwrap(), "/data");
    }
}
