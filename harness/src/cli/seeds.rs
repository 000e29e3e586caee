//! The files of the configuration that go on the test disk, read.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::Failure;
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
                bounded(&source, left).map_err(|error| {
                    format!(
                        "failed to read {}, the source of {}: {error}",
                        source.display(),
                        file.path
                    )
                })?
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

fn bounded(source: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let metadata = std::fs::metadata(source)?;
    // A pipe of that name would be waited for.
    if !metadata.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut content = Vec::new();
    File::open(source)?
        .take(limit + 1)
        .read_to_end(&mut content)?;
    if u64::try_from(content.len()).unwrap_or(u64::MAX) > limit {
        return Err(io::Error::other(format!(
            "all files together are larger than {} MiB",
            LIMIT >> 20
        )));
    }
    Ok(content)
}

/// What the plan says of a file, which tells its disk from another.
pub(super) fn seeded(seed: &Seed) -> Seeded {
    let mut hasher = Sha256::new();
    hasher.update(format!("{:o} {} {}\n", seed.mode, seed.owner, seed.group));
    hasher.update(&seed.content);
    let sha256 = hasher
        .finalize()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    Seeded {
        path: seed.path.clone(),
        sha256,
    }
}
