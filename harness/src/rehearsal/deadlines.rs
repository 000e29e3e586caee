//! The named deadlines of a rehearsal, scaled by how fast guests run here.

use std::time::Duration;

use crate::vocabulary::Stage;

/// Every deadline, for one accelerator.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadlines {
    factor: f64,
}

impl Deadlines {
    /// `factor` tells how many times slower guests run than on the reference machine; a faster one gets no shorter
    /// deadlines, since not all that a boot waits for is the processor.
    pub(super) fn new(factor: f64) -> Self {
        Self {
            factor: factor.max(1.0),
        }
    }

    /// From power-on, or the word to reboot, to the root shell. A NixOS closure takes about a minute under TCG.
    pub(super) fn boot(self) -> Duration {
        self.scale(Duration::from_secs(300))
    }

    /// How long a boot may stay in one stage, as its console tells; `None` where only the whole boot is bounded.
    ///
    /// A console that has not said anything yet may be one that never does. A systemd in the initrd waits 90 s for a device, a script's
    /// activation may take long the first time, and from sysinit on it is the root shell that is waited for.
    pub(super) fn stage(self, stage: Option<Stage>) -> Option<Duration> {
        let seconds = match stage? {
            Stage::Firmware | Stage::Kernel => 90,
            Stage::Bootloader => 120,
            Stage::Initrd | Stage::Stage2 => 150,
            Stage::Sysinit | Stage::MultiUser => return None,
        };
        Some(self.scale(Duration::from_secs(seconds)))
    }

    /// How long the console may be silent before the screen is read: a bootloader speaks there.
    pub(super) fn screen(self) -> Duration {
        Duration::from_secs(5)
    }

    /// From the root shell to systemd's word that it has started, where the user allows it `seconds`.
    pub(super) fn startup(self, seconds: Option<u32>) -> Duration {
        self.scale(Duration::from_secs(u64::from(seconds.unwrap_or(STARTUP))))
    }

    /// The closure's bootloader installer: 6 s for GRUB under TCG.
    pub(super) fn install(self) -> Duration {
        self.scale(Duration::from_secs(300))
    }

    /// `switch-to-configuration switch`: 14 s under TCG; units may take their own time-outs of 90 s.
    pub(super) fn switch(self) -> Duration {
        self.scale(Duration::from_secs(420))
    }

    /// From the word to power off to the end of QEMU.
    pub(super) fn power_off(self) -> Duration {
        self.scale(Duration::from_secs(240))
    }

    /// One HTTP answer.
    pub(super) fn http(self) -> Duration {
        self.scale(Duration::from_secs(10))
    }

    /// From one request for an endpoint to the next, whatever the steps do.
    pub(super) fn beat(self) -> Duration {
        self.watch(Duration::from_secs(1))
    }

    /// For how long something is watched. Unlike a deadline it is always waited for, and the factor is measured in one moment, in which the
    /// host may do anything: nobody gains by a window of minutes.
    pub(super) fn watch(self, reference: Duration) -> Duration {
        reference.mul_f64(self.factor.min(WATCHED_FACTOR))
    }

    pub(super) fn scale(self, reference: Duration) -> Duration {
        reference.mul_f64(self.factor)
    }
}

/// In seconds; the longest time-out of systemd's own that is usual is 90.
const STARTUP: u32 = 240;
const WATCHED_FACTOR: f64 = 4.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_moment_of_the_host_makes_deadlines_long_and_no_window() {
        let deadlines = Deadlines::new(20.0);
        let window = Duration::from_secs(12);
        assert_eq!(deadlines.scale(window), 20 * window);
        assert_eq!(deadlines.watch(window), 4 * window);
        assert_eq!(Deadlines::new(2.0).watch(window), 2 * window);
    }

    #[test]
    fn a_stage_has_less_time_than_the_whole_boot_and_more_than_systemd_waits_for_a_device() {
        let deadlines = Deadlines::new(2.0);
        for stage in [
            Stage::Firmware,
            Stage::Bootloader,
            Stage::Kernel,
            Stage::Initrd,
            Stage::Stage2,
        ] {
            let budget = deadlines.stage(Some(stage)).unwrap();
            assert!(budget < deadlines.boot());
        }
        let initrd = Deadlines::new(0.1).stage(Some(Stage::Initrd)).unwrap();
        assert!(initrd > Duration::from_secs(90));
    }

    #[test]
    fn a_console_that_never_spoke_and_a_system_that_starts_have_the_whole_boots_time() {
        let deadlines = Deadlines::new(1.0);
        for stage in [None, Some(Stage::Sysinit), Some(Stage::MultiUser)] {
            assert_eq!(deadlines.stage(stage), None);
        }
    }
}
