//! The host's programs that a rehearsal takes, looked for before it begins: a run that cannot be ended leaves nothing.

use std::path::Path;

use super::choose::{BootRoute, boot_route};
use super::devices::processor;
use super::firmware;
use super::provision::{disk_key, layout};
use super::run::RunError;
use crate::image::{self, DiskError, Layout, PartitionKind};
use crate::vocabulary::Plan;

/// Whether the cache in `directory` has the disk of `plan`.
pub fn is_cached(plan: &Plan, directory: &Path) -> bool {
    layout(plan).is_ok_and(|layout| {
        directory
            .join("disks")
            .join(disk_key(plan, &layout))
            .is_dir()
    })
}

/// Looks for QEMU, and for what makes the disk where the cache in `directory` has none. A plan without steps needs nothing.
///
/// # Errors
/// When a program is not installed, with the package that brings it.
pub fn require_programs(plan: &Plan, directory: &Path) -> Result<(), RunError> {
    if plan.steps.is_empty() {
        return Ok(());
    }
    let mut programs = vec![processor(&plan.target).0.program(), "qemu-img"];
    if !is_cached(plan, directory)
        && let Ok(layout) = layout(plan)
    {
        programs.extend(programs_to_build(&layout));
    }
    image::require(&programs).map_err(DiskError::from)?;
    if boot_route(plan) == BootRoute::Bootloader {
        firmware::images(plan)?;
    }
    Ok(())
}

fn programs_to_build(layout: &Layout) -> Vec<&'static str> {
    let kinds = layout.partitions.iter().map(|partition| partition.kind);
    let mut programs = vec!["sfdisk"];
    programs.extend(kinds.map(|kind| match kind {
        PartitionKind::Ext4 => "mke2fs",
        PartitionKind::Vfat => "mkfs.vfat",
        PartitionKind::Swap => "mkswap",
    }));
    if !rustix::process::geteuid().is_root() {
        programs.push("debugfs");
    }
    programs
}
