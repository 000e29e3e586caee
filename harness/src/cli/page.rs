//! The report as a page: what it needs of a run's directory is read here.

use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::{Failure, whole_file};
use crate::report::Report;
use crate::report::html::{self, Recording, Screen};
use crate::vocabulary::{Observation, Plan, Recorded, screen_file};

/// A larger picture is none of a screen that a person could read.
const PICTURE_LIMIT: u64 = 8 << 20;
/// More boots are not given up in one run.
const PICTURES: usize = 8;

/// The page of a recorded run.
///
/// # Errors
/// None that a text in memory can meet.
pub(super) fn page(
    report: &Report,
    plan: &Plan,
    observations: &[Recorded],
    run_directory: &Path,
) -> Result<String, Failure> {
    let screens: Vec<Screen> = observations
        .iter()
        .filter_map(|recorded| match &recorded.observation {
            Observation::Screen { boot, sha256 } => screen(run_directory, *boot, sha256),
            _ => None,
        })
        .take(PICTURES)
        .collect();
    let recording = Recording {
        plan,
        observations,
        screens: &screens,
    };
    Ok(html::render(report, &recording)?)
}

/// The picture that was recorded; `None` for a file that is missing or another, which the page says.
fn screen(run_directory: &Path, boot: u32, sha256: &str) -> Option<Screen> {
    const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
    let png = whole_file::read(&run_directory.join(screen_file(boot)), PICTURE_LIMIT).ok()?;
    let is_recorded = base16ct::lower::encode_string(&Sha256::digest(&png)) == sha256;
    (png.starts_with(SIGNATURE) && is_recorded).then_some(Screen { boot, png })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_picture_that_was_recorded_is_shown() {
        let directory = tempfile::tempdir().unwrap();
        let png = b"\x89PNG\r\n\x1a\nrest";
        let sha256 = "0".repeat(64);
        assert_eq!(screen(directory.path(), 2, &sha256), None);
        std::fs::write(directory.path().join("screen-2.png"), png).unwrap();
        assert_eq!(screen(directory.path(), 2, &sha256), None);
        let digest = base16ct::lower::encode_string(&Sha256::digest(png));
        let found = screen(directory.path(), 2, &digest).unwrap();
        assert_eq!((found.boot, found.png.as_slice()), (2, png.as_slice()));
    }
}
