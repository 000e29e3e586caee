//! The named deadlines of a rehearsal, scaled by how fast guests run here.

use std::time::Duration;

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

    /// From the root shell to systemd's word that it has started.
    pub(super) fn startup(self) -> Duration {
        self.scale(super::dumps::STARTUP)
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

    pub(super) fn scale(self, reference: Duration) -> Duration {
        reference.mul_f64(self.factor)
    }
}
