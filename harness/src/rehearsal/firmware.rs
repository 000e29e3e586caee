//! The firmware of a machine with UEFI: which images, and the variables, which are part of the machine as its disk is.
//!
//! A new machine begins with the firmware's own; what installing the bootloader made of them is kept beside the disk in the
//! cache, and every run goes on with a copy. Nothing of it concerns a machine with a BIOS.

use std::fs::{self, File};
use std::io::{self, Seek as _};
use std::path::Path;
use std::sync::Arc;

use super::devices::processor;
use super::run::RunError;
use crate::vm::{QemuBinary, Uefi, UefiImages, uefi_images};
use crate::vocabulary::{Firmware, Plan};

/// The file of the variables, beside the disk in the cache, and in a run's directory.
const VARIABLES_FILE: &str = "efi-variables.fd";

/// The images that the plan's machine needs; `None` for a BIOS, which QEMU brings itself.
///
/// # Errors
/// When this host has none, with the package that brings them.
pub(super) fn images(plan: &Plan) -> Result<Option<UefiImages>, RunError> {
    if plan.firmware.is_bios() {
        return Ok(None);
    }
    let binary = processor(&plan.target).0;
    uefi_images(binary).map(Some).ok_or(RunError::NoUefi {
        package: match binary {
            QemuBinary::X86_64 => "ovmf",
            QemuBinary::I386 => "ovmf-ia32",
        },
    })
}

/// What the name of a disk in the cache depends on: variables fit the code that made them.
pub(super) fn identity(plan: &Plan) -> Option<String> {
    match plan.firmware {
        Firmware::Bios => None,
        Firmware::Uefi => Some(format!("{:?}", uefi_images(processor(&plan.target).0))),
    }
}

/// The firmware of a machine whose disk is made in `workshop`, where its variables stay.
///
/// # Errors
/// When the images are missing, or cannot be read or copied.
pub(super) fn of_a_new_machine(
    plan: &Plan,
    workshop: &Path,
) -> Result<Option<Arc<Uefi>>, RunError> {
    let Some(images) = images(plan)? else {
        return Ok(None);
    };
    let variables = copied(&images.variables, &workshop.join(VARIABLES_FILE))?;
    Ok(Some(Arc::new(Uefi::open(&images, variables)?)))
}

/// The firmware of a run on the disk in `base`; its variables are in the run's directory, and stay there as evidence.
///
/// # Errors
/// As [`of_a_new_machine`].
pub(super) fn of_a_run(
    plan: &Plan,
    base: &Path,
    run_directory: &Path,
) -> Result<Option<Arc<Uefi>>, RunError> {
    let Some(images) = images(plan)? else {
        return Ok(None);
    };
    let from = base.join(VARIABLES_FILE);
    let variables = copied(&from, &run_directory.join(VARIABLES_FILE))?;
    Ok(Some(Arc::new(Uefi::open(&images, variables)?)))
}

/// The firmware of the machine that the run in `run_directory` left; its variables stay as the run left them.
///
/// # Errors
/// When the images or the variables cannot be read.
pub(super) fn again(plan: &Plan, run_directory: &Path) -> io::Result<Option<Arc<Uefi>>> {
    let Some(images) = images(plan).map_err(io::Error::other)? else {
        return Ok(None);
    };
    let mut variables = tempfile::tempfile()?;
    io::copy(
        &mut File::open(run_directory.join(VARIABLES_FILE))?,
        &mut variables,
    )?;
    variables.rewind()?;
    Ok(Some(Arc::new(Uefi::open(&images, variables)?)))
}

/// A copy that can be written, whatever the original is.
fn copied(from: &Path, to: &Path) -> io::Result<File> {
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", from.display()));
    // An attempt that was set aside may have left one.
    match fs::remove_file(to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(named(error)),
        _ => {}
    }
    let mut file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(to)?;
    io::copy(&mut File::open(from).map_err(named)?, &mut file)?;
    file.rewind()?;
    Ok(file)
}
