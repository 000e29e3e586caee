use clap::{Args, ValueEnum};

use crate::vocabulary::{DiskBus, System, TargetMachine, size};

/// What is told of the machine that will run the closure, to a rehearsal and to an inspection alike.
#[derive(Debug, Args)]
pub(in crate::cli) struct TargetArgs {
    /// What the target machine's CPU runs: x86_64-linux (default) or i686-linux for a 32-bit one
    #[arg(long, value_name = "SYSTEM")]
    pub(in crate::cli) target_system: Option<String>,
    /// The bus of the target machine's disk (default: what the initrd drives and the bootloader's device is called)
    #[arg(long, value_enum, value_name = "BUS")]
    pub(in crate::cli) disk: Option<DiskArgument>,
    /// What is free on the target machine's /boot, as df(1) says it: 180M, 1.5G, or bytes: is there room for one more kernel?
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    pub(in crate::cli) boot_free: Option<u64>,
    /// What the target machine's /boot has in all
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    pub(in crate::cli) boot_size: Option<u64>,
}

impl TargetArgs {
    /// The machine: `known`, with what is told laid over it.
    ///
    /// # Errors
    /// For a platform that bootproof has no rules for.
    pub(in crate::cli) fn machine(&self, known: TargetMachine) -> Result<TargetMachine, String> {
        let system = match self.target_system.clone().map(System::from) {
            None => known.system.clone(),
            Some(System::Other(system)) => {
                return Err(format!(
                    "--target-system {system}: bootproof knows x86_64-linux and i686-linux machines"
                ));
            }
            Some(system) => system,
        };
        Ok(TargetMachine {
            system,
            disk_bus: self.disk.map(Into::into).or(known.disk_bus),
            boot_free_mib: self.boot_free.map(size::mib).or(known.boot_free_mib),
            boot_size_mib: self.boot_size.map(size::mib).or(known.boot_size_mib),
            ..known
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum DiskArgument {
    Virtio,
    Sata,
    Scsi,
    Nvme,
}

impl From<DiskArgument> for DiskBus {
    fn from(argument: DiskArgument) -> Self {
        match argument {
            DiskArgument::Virtio => Self::Virtio,
            DiskArgument::Sata => Self::Sata,
            DiskArgument::Scsi => Self::Scsi,
            DiskArgument::Nvme => Self::Nvme,
        }
    }
}
