//! The files of the configuration that go on the test disk, read.

use std::io;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::{Failure, whole_file};
use crate::config::{Content, SeededFile};
use crate::rehearsal::Seed;
use crate::vocabulary::Seeded;

/// All contents are held in memory.
const LIMIT: u64 = 256 << 20;

/// Reads what the tables name; sources are relative to `beside`.
pub(super) fn read(files: &[SeededFile], beside: &Path) -> Result<Vec<Seed>, Failure> {
    let mut left = LIMIT;
    let mut seeds = Vec::new();
    for file in files {
        let content = match &file.content {
            Content::Text(text) => text.clone().into_bytes(),
            Content::Source(source) => {
                let source = beside.join(source);
                whole_file::read(&source, left).map_err(|error| unread(&source, file, &error))?
            }
        };
        left = left.saturating_sub(u64::try_from(content.len()).unwrap_or(u64::MAX));
        seeds.push(Seed {
            path: file.path.clone(),
            content,
            mode: file.mode,
            owner: file.owner,
            group: file.group,
        });
    }
    Ok(seeds)
}

fn unread(source: &Path, file: &SeededFile, error: &io::Error) -> String {
    let why = match error.kind() {
        io::ErrorKind::FileTooLarge => {
            format!("all files together are larger than {} MiB", LIMIT >> 20)
        }
        _ => error.to_string(),
    };
    format!(
        "failed to read {}, the source of {}: {why}",
        source.display(),
        file.path
    )
}

/// What the plan says of a file, which tells its disk from another.
pub(super) fn seeded(seed: &Seed) -> Seeded {
    let mut hasher = Sha256::new();
    hasher.update(format!("{:o} {} {}\n", seed.mode, seed.owner, seed.group));
    hasher.update(&seed.content);
    let sha256 = base16ct::lower::encode_string(&hasher.finalize());
    Seeded {
        path: seed.path.clone(),
        sha256,
    }
}
