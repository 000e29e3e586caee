//! The directory of receipts: one is written after a rehearsal, and the gate reads all.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::{Failure, whole_file};
use crate::gate::Found;
use crate::receipt::{Receipt, SealError, Sealed, SecretKey};
use crate::report::{Report, SuppressionUse};
use crate::vocabulary::{ClosureIdentity, Plan, Step, StepOutcome, Suppression};

const EXTENSION: &str = "receipt";
/// Larger than any receipt.
const READ_LIMIT: u64 = 1 << 20;

/// What a finished rehearsal proved; `None` where no machine ran, so that nothing was rehearsed.
pub(super) fn receipt(
    plan: &Plan,
    report: &Report,
    report_file: &[u8],
    host: Option<&str>,
    candidate: ClosureIdentity,
    baseline: Option<ClosureIdentity>,
) -> Option<Receipt> {
    let used = report.accelerator.as_ref()?;
    // All specialisations of a candidate without any were booted.
    let has_none = plan.specialisations.is_empty() && plan.specialisations_left_out.is_empty();
    let done = report.steps.iter().filter(|step| match &step.outcome {
        Some(StepOutcome::Done) => true,
        Some(StepOutcome::NotOffered { .. }) => step.step == Step::Specialisations && has_none,
        _ => false,
    });
    Some(Receipt {
        made_at: Timestamp::now(),
        tool_version: report.tool_version.clone(),
        verdict: report.verdict,
        host: host.map(str::to_owned),
        candidate,
        baseline,
        target: plan.target.clone(),
        expect_system: plan.expect_system.clone(),
        accelerator: used.accelerator,
        qemu: used.qemu.clone(),
        firmware: report.firmware.clone(),
        steps: done.map(|step| step.step).collect(),
        probes: plan.probes.clone(),
        suppressions: used_suppressions(report),
        report: base16ct::lower::encode_string(&Sha256::digest(report_file)),
        approved: None,
    })
}

fn used_suppressions(report: &Report) -> Vec<Suppression> {
    let used = report
        .suppressions
        .iter()
        .filter(|told| told.came_of_it == SuppressionUse::Used);
    used.map(|told| told.suppression.clone()).collect()
}

/// Signs a receipt and puts it into the directory, whole or not at all; gives its path.
pub(super) fn write(
    directory: &Path,
    receipt: &Receipt,
    key: &SecretKey,
) -> Result<PathBuf, Failure> {
    let sealed = Sealed::seal(receipt, key)?;
    fs::create_dir_all(directory)
        .map_err(|error| format!("failed to make {}: {error}", directory.display()))?;
    let time = receipt.made_at.strftime("%Y%m%dT%H%M%SZ");
    let host = receipt.host.as_deref().unwrap_or("any");
    let name = format!(
        "{time}-{host}-{}.{EXTENSION}",
        receipt.candidate.toplevel.base_name()
    );
    let place = directory.join(name.replace('/', "_"));
    whole_file::write(&place, sealed.to_text().as_bytes())
        .map_err(|error| format!("failed to write {}: {error}", place.display()))?;
    Ok(place)
}

/// Every file of the directory that is called a receipt, readable or not, by name. A directory that is not there has none.
pub(super) fn read_all(directory: &Path) -> Result<Vec<Found>, Failure> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(format!("failed to read {}: {error}", directory.display()).into()),
    };
    let mut places = Vec::new();
    for entry in entries {
        let place = entry?.path();
        if place.extension().is_some_and(|known| known == EXTENSION) {
            places.push(place);
        }
    }
    places.sort();
    Ok(places.iter().map(|place| read(place)).collect())
}

fn read(place: &Path) -> Found {
    let sealed = match whole_file::read(place, READ_LIMIT) {
        Ok(bytes) => Sealed::parse(&bytes),
        Err(error) => Err(SealError::Content(error.to_string())),
    };
    let name = place.file_name().unwrap_or_default();
    Found {
        name: name.to_string_lossy().into_owned(),
        sealed,
    }
}
