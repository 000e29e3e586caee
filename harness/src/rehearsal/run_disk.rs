//! The disk of a run, over all its power-ons: an overlay, and after a power cut what had reached the disk.
//!
//! Where the plan cuts the power, all that is written is logged from the first power-on: a disk as a cut leaves it is the base with the
//! logs written to it again, up to the cut.

use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};

use super::run::RunError;
use crate::image::{self, Cut, Logged};
use crate::vm::{DiskFds, MachineSpec};

pub(super) struct RunDisk {
    /// The finished disk in the cache, which nothing writes to.
    base: PathBuf,
    /// Where files are made that have no name.
    directory: PathBuf,
    image: File,
    format: &'static str,
    is_logged: bool,
    history: Vec<Power>,
}

/// One time under power.
struct Power {
    log: File,
    /// How many entries count; all, where it ended in order.
    kept: Option<usize>,
}

/// How a power-on treats what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writes {
    Stay,
    /// They are forgotten with the machine.
    Go,
}

impl RunDisk {
    /// An overlay on the disk `base`; `is_logged` where its power will be cut.
    pub(super) fn new(image: File, base: PathBuf, directory: &Path, is_logged: bool) -> Self {
        Self {
            base,
            directory: directory.to_owned(),
            image,
            format: "qcow2",
            is_logged,
            history: Vec::new(),
        }
    }

    /// The machine `spec` with this disk, and the disk for it.
    pub(super) fn attach(
        &mut self,
        spec: MachineSpec,
        writes: Writes,
    ) -> Result<(MachineSpec, DiskFds), RunError> {
        let is_logged = self.is_logged && writes == Writes::Stay;
        let mut write_log = None;
        if is_logged {
            let log = tempfile::tempfile_in(&self.directory)?;
            write_log = Some(log.try_clone()?.into());
            self.history.push(Power { log, kept: None });
        }
        let spec = MachineSpec {
            disk_format: self.format,
            write_log: is_logged,
            throwaway: writes == Writes::Go,
            ..spec
        };
        let image = self.image.try_clone()?.into();
        Ok((spec, DiskFds { image, write_log }))
    }

    /// How much was written up to now, for [`RunDisk::cuts`].
    pub(super) fn written(&self) -> Result<usize, RunError> {
        Ok(self.newest()?.len())
    }

    /// The power cuts that are worth a boot, of the power-on that was cut off: those since `since`.
    pub(super) fn cuts(&self, since: usize) -> Result<Vec<Cut>, RunError> {
        Ok(image::cuts(&self.newest()?, since))
    }

    /// What the cuts differ in, in writes: kept, and lost.
    pub(super) fn lost(&self, cut: &Cut) -> Result<(usize, usize), RunError> {
        let log = self.newest()?;
        let count = |part: &[Logged]| part.iter().filter(|entry| entry.is_write()).count();
        let (kept, lost) = log.split_at(cut.kept.min(log.len()));
        Ok((count(kept), count(lost)))
    }

    fn newest(&self) -> Result<Vec<Logged>, RunError> {
        match self.history.last() {
            Some(power) => Ok(image::read_log(&power.log, self.bytes()?)?),
            None => Ok(Vec::new()),
        }
    }

    fn bytes(&self) -> Result<u64, RunError> {
        Ok(std::fs::metadata(&self.base)?.len())
    }

    /// Makes the disk what `cut` of the last power-on left of it.
    pub(super) async fn rebuild(&mut self, cut: &Cut) -> Result<(), RunError> {
        if let Some(power) = self.history.last_mut() {
            power.kept = Some(cut.kept);
        }
        let bytes = self.bytes()?;
        let rebuilt = tempfile::tempfile_in(&self.directory)?;
        let base = self.base.clone();
        let mut replayed = Vec::new();
        for power in &self.history {
            replayed.push((power.log.try_clone()?, power.kept));
        }
        let work = tokio::task::spawn_blocking(move || -> Result<File, RunError> {
            // A file without a name has one there, for `cp`, which is a process of its own.
            let place = format!("/proc/{}/fd/{}", std::process::id(), rebuilt.as_raw_fd());
            image::copy_sparse(&base, Path::new(&place))?;
            for (log, kept) in replayed {
                let entries = image::read_log(&log, bytes)?;
                let kept = kept.unwrap_or(entries.len()).min(entries.len());
                image::replay(&log, &entries[..kept], &rebuilt)?;
            }
            Ok(rebuilt)
        });
        self.image = work.await??;
        self.format = "raw";
        Ok(())
    }
}
