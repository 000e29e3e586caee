//! What the bootloader will start at a power-on, read from the disk and the firmware's variables while the machine is off.

use super::choose::BootRoute;
use super::guest::Guest;
use super::run::RunError;
use super::run_disk::RunDisk;
use super::steps::Steps;
use crate::image::{Journal, Offline, Unread};
use crate::next_boot::{self, Files, NextBoot};
use crate::shell::End;
use crate::vm::{BOOT_LOADER_INTERFACE, efi_variable};
use crate::vocabulary::{Observation, Prediction};

impl Steps<'_> {
    /// What the next power-on will start; `None` where QEMU starts the kernel itself.
    pub(super) async fn foretell_power_on(
        &self,
        disk: &RunDisk,
    ) -> Result<Option<Prediction>, RunError> {
        if self.route != BootRoute::Bootloader {
            return Ok(None);
        }
        let variables = match &self.uefi {
            Some(uefi) => Some(uefi.variables()?),
            None => None,
        };
        let open = disk.reader()?;
        let work = tokio::task::spawn_blocking(move || {
            let read = |journal| {
                let disk = open(journal)?;
                let variables = variables.as_deref();
                let machine = OffMachine { disk, variables };
                next(&machine).map(|next| (next, machine))
            };
            let ((next, offered), machine) = read(Journal::Replayed)?;
            let (next, offered) = match next.loader.as_str() {
                // Its drivers read ext4 as if there were no journal.
                "GRUB" => {
                    let without = read(Journal::Ignored).map_err(|reason| {
                        format!("GRUB reads the disk without its journal, and then: {reason}")
                    });
                    without?.0
                }
                _ => (next, offered),
            };
            if let Some(toplevel) = &next.toplevel {
                there(&machine.disk, &next, &format!("{toplevel}/init"))?;
            }
            Ok((next, offered))
        });
        Ok(Some(match work.await {
            Ok(Ok((next, offered))) => Prediction::of(next, offered),
            Ok(Err(reason)) => Prediction::Unknown { reason },
            // A file system may be damaged in a way that its reader does not expect. Nothing rests on what it says.
            Err(ended) => Prediction::Unknown {
                reason: format!("the reader of the disk gave up: {ended}"),
            },
        }))
    }

    /// Records what was read before the machine was powered on.
    pub(super) fn foretold(
        &self,
        guest: &mut Guest<'_, '_>,
        prediction: Option<Prediction>,
    ) -> Result<(), RunError> {
        if let Some(prediction) = prediction {
            let boot = guest.boot();
            guest
                .recorder()
                .record(Observation::Foretold { boot, prediction })?;
        }
        Ok(())
    }
}

/// The entry that will be started, all of whose files are there, and what the menu offers.
fn next(machine: &OffMachine<'_>) -> Result<(NextBoot, Vec<String>), String> {
    let answers = next_boot::answers(machine);
    let next = next_boot::read(&answers)?;
    let files = next.kernel.iter().chain(&next.initrds);
    for path in files.filter_map(|file| file.path.as_deref()) {
        there(&machine.disk, &next, path)?;
    }
    Ok((next, next_boot::offered(&answers)))
}

fn there(disk: &Offline, next: &NextBoot, path: &str) -> Result<(), String> {
    match disk.read(path, 0) {
        Ok((_, 1..)) => Ok(()),
        Ok(_) => Err(format!("`{}` needs {path}: it is empty", next.entry)),
        Err(reason) => Err(format!("`{}` needs {path}: {reason}", next.entry)),
    }
}

struct OffMachine<'a> {
    disk: Offline,
    variables: Option<&'a [u8]>,
}

impl Files for OffMachine<'_> {
    fn read(&self, path: &str, limit: usize) -> Result<(Vec<u8>, u64), End> {
        self.disk.read(path, limit).map_err(|reason| match reason {
            Unread::Absent => End::Absent,
            Unread::Unreadable(_) => End::Unreadable,
        })
    }

    fn list(&self, directory: &str) -> Vec<String> {
        self.disk.list(directory).unwrap_or_default()
    }

    fn fat_mount_points(&self) -> Vec<String> {
        self.disk.fat_mount_points().map(str::to_owned).collect()
    }

    fn is_uefi(&self) -> bool {
        self.variables.is_some()
    }

    fn variable(&self, name: &str) -> Option<Vec<u8>> {
        efi_variable(self.variables?, BOOT_LOADER_INTERFACE, name)
    }
}
