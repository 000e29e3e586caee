//! The machine of each power-on, and the wait until it is up.

use super::choose::BootRoute;
use super::guest::Guest;
use super::run::{KernelFiles, RunError, machine};
use super::run_disk::{RunDisk, Writes};
use super::steps::{Progressed, Stepped, Steps};
use crate::vm::{BootSource, MachineSpec};
use crate::vocabulary::{BootId, ClosureFacts};

impl Steps<'_> {
    /// Powers the machine on again, with the disk as it is now.
    pub(super) async fn power_on_again(
        &self,
        guest: &mut Guest<'_, '_>,
        disk: &mut RunDisk,
        writes: Writes,
    ) -> Result<(), RunError> {
        let foretold = self.foretell_power_on(disk).await?;
        let (spec, fds) = disk.attach(self.next_machine(), writes)?;
        guest.power_on_again(&spec, fds).await?;
        self.foretold(guest, foretold)
    }

    /// Waits until another boot than the last one is up.
    pub(super) async fn comes_up(
        &self,
        guest: &mut Guest<'_, '_>,
        progressed: &mut Progressed,
    ) -> Stepped {
        let old = progressed.boot_id.take();
        match guest.wait_for_boot(old.as_ref(), self.deadlines).await? {
            Ok(boot_id) => self.is_up(guest, progressed, boot_id).await?,
            Err(trouble) => return Ok(Err(trouble)),
        }
        Ok(Ok(()))
    }

    /// The machine is up, and can be reached: not before, since one that goes off at once is for the wait to tell.
    pub(super) async fn is_up(
        &self,
        guest: &mut Guest<'_, '_>,
        progressed: &mut Progressed,
        boot_id: BootId,
    ) -> Result<(), RunError> {
        progressed.boot_id = Some(boot_id);
        progressed.ports = guest.forwarded_ports().await?;
        self.continuity.through(&progressed.ports);
        Ok(())
    }

    pub(super) fn installed_machine(&self) -> MachineSpec {
        match self.route {
            BootRoute::Bootloader => machine(self.plan, self.proof, self.uefi.clone()),
            BootRoute::Direct { .. } => {
                let installed = self.plan.baseline.as_ref().unwrap_or(&self.plan.candidate);
                self.directly(installed, &self.closures.installed)
            }
        }
    }

    /// The machine of every power-on after the first.
    pub(super) fn next_machine(&self) -> MachineSpec {
        match self.route {
            BootRoute::Bootloader => machine(self.plan, self.proof, self.uefi.clone()),
            BootRoute::Direct { .. } => {
                self.directly(&self.plan.candidate, &self.closures.candidate)
            }
        }
    }

    /// The machine with QEMU itself starting the kernel; a reboot ends it, since the next kernel may be another one.
    pub(super) fn directly(&self, facts: &ClosureFacts, files: &KernelFiles) -> MachineSpec {
        MachineSpec {
            boot: BootSource::Kernel {
                kernel: files.kernel.clone(),
                initrd: files.initrd.clone(),
                command_line: format!(
                    "init={}/init {}",
                    facts.toplevel,
                    facts.kernel_params.join(" ")
                ),
            },
            no_reboot: true,
            ..machine(self.plan, self.proof, None)
        }
    }
}
