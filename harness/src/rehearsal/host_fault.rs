//! What a guest's kernel complains of, and is the host's doing: it says nothing about the closure.

/// What a kernel says when its clock stands still.
///
/// Of the kernel's `check_timer()` (`arch/x86/kernel/apic/io_apic.c`): it counts the ticks of a few milliseconds of its own processor's
/// time, and panics where too few came. An emulated machine always has a timer; its thread got no processor.
const STARVED: &str = "Kernel panic - not syncing: IO-APIC + timer doesn't work";

/// Whether a guest says, by `line`, that the host starved it to death.
pub(super) fn is_starved(line: &str) -> bool {
    line.contains(STARVED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_stands_still_is_the_hosts_fault_and_another_panic_is_the_guests() {
        let line = "[    0.064000] Kernel panic - not syncing: IO-APIC + timer doesn't work!  Boot with apic=debug and send a report.";
        assert!(is_starved(line));
        for line in [
            "[    1.2] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)",
            "[    0.0] IO-APIC + timer doesn't work, says the message of another log",
        ] {
            assert!(!is_starved(line), "{line}");
        }
    }
}
