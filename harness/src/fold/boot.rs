//! What is kept of one boot of the guest.

use crate::vocabulary::{BootId, Prediction, Stage, Step};

use super::sanitise;

/// How many of the last lines of a console are kept; the raw console is a file of the run directory.
const CONSOLE_LIMIT: usize = 1_000;

/// One boot of the guest, whether by power or by reboot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BootRecord {
    /// Counted from 1 within the run.
    pub number: u32,
    /// The step that it belongs to.
    pub step: Option<Step>,
    pub boot_id: Option<BootId>,
    /// How the root shell was reached.
    pub transport: Option<String>,
    /// When the machine was powered on or reset for it, in milliseconds since the run began.
    pub began_ms: u64,
    /// Each stage that was reached, with its time in milliseconds since the run began.
    pub stages: Vec<(Stage, u64)>,
    /// The last lines of the console, in order; of the screen, where only that told why the boot ends.
    pub console: Vec<String>,
    /// Lines that were seen and not kept.
    pub console_dropped: u64,
    /// How many lines had been seen when the switch began, where that was in this boot.
    pub lines_at_switch: Option<u64>,
    /// What the bootloader was going to start, read from the disk before the power-on.
    pub foretold: Option<Prediction>,
    /// How QEMU ended, with the last line of its stderr, where it ended.
    pub exit: Option<String>,
}

impl BootRecord {
    pub(super) fn new(number: u32, step: Option<Step>, began_ms: u64) -> Self {
        Self {
            number,
            step,
            began_ms,
            ..Self::default()
        }
    }

    /// The lines that were seen before the switch began, and those since; all are of before where there was no switch.
    pub fn around_switch(&self) -> (&[String], &[String]) {
        let kept = self.lines_at_switch.map_or(self.console.len(), |seen| {
            let kept = seen.saturating_sub(self.console_dropped);
            usize::try_from(kept).map_or(self.console.len(), |kept| kept.min(self.console.len()))
        });
        self.console.split_at(kept)
    }

    pub(super) fn switch_begins(&mut self) {
        self.lines_at_switch = Some(self.console.len() as u64 + self.console_dropped);
    }

    pub(super) fn add_line(&mut self, line: &str) {
        // Half of the limit goes at once, so that a chatty guest costs no copy a line.
        if self.console.len() == CONSOLE_LIMIT {
            self.console.drain(..CONSOLE_LIMIT / 2);
            self.console_dropped += CONSOLE_LIMIT as u64 / 2;
        }
        self.console.push(sanitise::line(line));
    }

    pub(super) fn add_stage(&mut self, stage: Stage, at_ms: u64) {
        if self.stages.iter().all(|(seen, _)| *seen != stage) {
            self.stages.push((stage, at_ms));
        }
    }

    pub(super) fn exited(&mut self, status: &str, stderr: &str) {
        let status = sanitise::line(status);
        self.exit = Some(match sanitise::last_lines(stderr, 1).pop() {
            Some(last) => format!("{status}: {last}"),
            None => status,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_switch_divides_the_lines_although_some_are_dropped() {
        let mut boot = BootRecord::new(1, None, 0);
        boot.add_line("a");
        assert_eq!(boot.around_switch().0, ["a"]);
        boot.switch_begins();
        boot.add_line("b");
        assert_eq!(boot.around_switch(), (&["a".into()][..], &["b".into()][..]));
        for n in 0..2_000 {
            boot.add_line(&n.to_string());
        }
        assert!(boot.around_switch().0.is_empty());
    }

    #[test]
    fn a_chatty_console_is_bounded_and_keeps_its_end() {
        let mut boot = BootRecord::new(1, None, 0);
        for n in 0..10_000 {
            boot.add_line(&n.to_string());
        }
        assert!(boot.console.len() <= CONSOLE_LIMIT);
        assert_eq!(boot.console.last().map(String::as_str), Some("9999"));
        assert_eq!(boot.console.len() as u64 + boot.console_dropped, 10_000);
    }
}
