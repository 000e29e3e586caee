//! The recording of a run: an observation is on disk before anything is made of it.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::vocabulary::{Hold, Observation, Plan, Recorded, Unproven};

/// What a run tells while it works. The command line prints it; tests ignore it.
pub trait Progress {
    fn observed(&mut self, recorded: &Recorded);
    /// The run waits for `what`, at most until `deadline` has passed since now.
    fn waiting(&mut self, what: &str, deadline: Duration);
    /// Work on the host begins, such as building a disk.
    fn working(&mut self, what: &str);
    /// The guest is the user's until the sender speaks or is gone; `port` on the host's loopback is the guest's that the plan names.
    fn held(&mut self, hold: Hold, port: Option<u16>) -> oneshot::Receiver<()>;
}

/// Writes `observations.jsonl`, and keeps what was written for the report.
pub struct Recorder<'a> {
    origin: Origin,
    /// Of several that go on from one, which one this is, counted from 1.
    branch: Option<u32>,
    /// The number of the last boot.
    boots: Cell<u32>,
    file: File,
    recorded: Vec<Recorded>,
    progress: &'a mut dyn Progress,
}

/// What all recordings of one run have in common.
#[derive(Debug, Clone)]
pub struct Origin {
    directory: PathBuf,
    began: Instant,
}

/// A guest that prints without end must not fill the disk or the memory of the host.
const MAX_OBSERVATIONS: usize = 200_000;

impl<'a> Recorder<'a> {
    /// Begins the recording in `directory`, writing `plan.json` first.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn begin(
        directory: &Path,
        plan: &Plan,
        progress: &'a mut dyn Progress,
    ) -> io::Result<Self> {
        let plan = serde_json::to_string_pretty(plan)?;
        std::fs::write(directory.join(PLAN_FILE), plan + "\n")?;
        Ok(Self {
            origin: Origin {
                directory: directory.to_owned(),
                began: Instant::now(),
            },
            branch: None,
            boots: Cell::new(0),
            file: File::create(directory.join(OBSERVATIONS_FILE))?,
            recorded: Vec::new(),
            progress,
        })
    }

    /// A recording beside that of the run, of the machine `number`, which goes on by itself; [`Recorder::take_in`] makes them one. Its boots are
    /// numbered from `number`01 on, whatever the others do meanwhile.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn branch(
        origin: &Origin,
        number: u32,
        progress: &'a mut dyn Progress,
    ) -> io::Result<Self> {
        Ok(Self {
            origin: origin.clone(),
            branch: Some(number),
            boots: Cell::new(number * Plan::BOOTS_OF_A_WAY),
            file: File::create(branch_file(&origin.directory, number))?,
            recorded: Vec::new(),
            progress,
        })
    }

    /// Takes in what the branch `number` recorded, whose file is then gone.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn take_in(&mut self, number: u32, branch: Vec<Recorded>) -> io::Result<()> {
        for recorded in branch {
            self.write(&recorded)?;
            self.recorded.push(recorded);
        }
        std::fs::remove_file(branch_file(self.directory(), number))
    }

    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// What every time in the recording is counted from.
    pub fn began(&self) -> Instant {
        self.origin.began
    }

    /// The run's directory.
    pub fn directory(&self) -> &Path {
        &self.origin.directory
    }

    /// The number of a boot that begins; that of the first is told by [`Recorder::boot_is`].
    pub fn next_boot(&self) -> u32 {
        self.boots.set(self.boots.get() + 1);
        self.boots.get()
    }

    /// The boot of this number is under way.
    pub fn boot_is(&self, number: u32) {
        self.boots.set(self.boots.get().max(number));
    }

    /// The path of a file of the run's, which no other branch has.
    pub fn place(&self, name: &str, extension: &str) -> PathBuf {
        let name = match self.branch {
            Some(branch) => format!("{name}.{branch}.{extension}"),
            None => format!("{name}.{extension}"),
        };
        self.directory().join(name)
    }

    pub fn progress(&mut self) -> &mut dyn Progress {
        self.progress
    }

    /// Records `observation` now.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn record(&mut self, observation: Observation) -> io::Result<()> {
        if self.recorded.len() >= MAX_OBSERVATIONS
            && matches!(observation, Observation::Console { .. })
        {
            return Ok(());
        }
        let recorded = Recorded {
            at_ms: u64::try_from(self.began().elapsed().as_millis()).unwrap_or(u64::MAX),
            observation,
        };
        self.write(&recorded)?;
        self.progress.observed(&recorded);
        self.recorded.push(recorded);
        Ok(())
    }

    fn write(&mut self, recorded: &Recorded) -> io::Result<()> {
        let mut line = serde_json::to_vec(recorded)?;
        line.push(b'\n');
        self.file.write_all(&line)
    }

    /// Records something that could not be observed.
    ///
    /// # Errors
    /// As [`Recorder::record`].
    pub fn unproven(&mut self, unproven: Unproven) -> io::Result<()> {
        self.record(Observation::Unproven(unproven))
    }

    pub fn waiting(&mut self, what: &str, deadline: Duration) {
        self.progress.waiting(what, deadline);
    }

    pub fn working(&mut self, what: &str) {
        self.progress.working(what);
    }

    /// All that was recorded, in order.
    pub fn finish(self) -> Vec<Recorded> {
        self.recorded
    }
}

fn branch_file(directory: &Path, number: u32) -> PathBuf {
    directory.join(format!("observations.{number}.jsonl"))
}

pub const PLAN_FILE: &str = "plan.json";
pub const OBSERVATIONS_FILE: &str = "observations.jsonl";

/// Moves what an attempt left in `directory` to `attempt-NUMBER` below it.
///
/// # Errors
/// When a file cannot be moved.
pub(super) fn set_aside(directory: &Path, number: usize) -> io::Result<()> {
    let place = directory.join(format!("attempt-{number}"));
    std::fs::create_dir(&place)?;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let of_the_attempt = entry.file_type()?.is_file() && entry.file_name() != "argv.json";
        if of_the_attempt {
            std::fs::rename(entry.path(), place.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// Why a run's directory cannot be read again.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    #[error("failed to read {}: {source} (is it the directory of a run?)", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{} is no recording that this version reads: {source}", path.display())]
    Malformed {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error("{} has format version {found}, this version of bootproof reads {wanted}", path.display())]
    Version {
        path: PathBuf,
        found: u32,
        wanted: u32,
    },
}

/// Reads a recording back: the same plan and observations that the run had.
///
/// A last line that was cut off by a kill is left out.
///
/// # Errors
/// When a file is missing, malformed, or of another version.
pub fn read_recording(directory: &Path) -> Result<(Plan, Vec<Recorded>), RecordingError> {
    let read = |name: &str| {
        let path = directory.join(name);
        std::fs::read(&path)
            .map(|bytes| (path.clone(), bytes))
            .map_err(|source| RecordingError::Io { path, source })
    };
    let (path, bytes) = read(PLAN_FILE)?;
    let malformed = |path: &Path| {
        let path = path.to_owned();
        move |source| RecordingError::Malformed { path, source }
    };
    let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(malformed(&path))?;
    let found = value
        .get("format_version")
        .and_then(serde_json::Value::as_u64);
    let wanted = crate::vocabulary::FORMAT_VERSION;
    if let Some(found) = found
        && found != u64::from(wanted)
    {
        return Err(RecordingError::Version {
            path,
            found: u32::try_from(found).unwrap_or(u32::MAX),
            wanted,
        });
    }
    let plan = serde_json::from_value(value).map_err(malformed(&path))?;

    let (path, bytes) = read(OBSERVATIONS_FILE)?;
    let observations = whole_lines(&bytes)
        .map(serde_json::from_slice)
        .collect::<Result<_, _>>()
        .map_err(malformed(&path))?;
    Ok((plan, observations))
}

/// The lines that have an end. A kill cuts the last one off anywhere, in the middle of a character too.
fn whole_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes
        .split_inclusive(|byte| *byte == b'\n')
        .filter_map(|line| line.strip_suffix(b"\n"))
}

#[cfg(test)]
mod tests;
