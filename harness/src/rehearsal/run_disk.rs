//! The disk of a run, over all its power-ons: an overlay, and after a power cut what had reached the disk.
//!
//! Where the plan cuts the power, all that is written is logged from the first power-on: a disk as a cut leaves it is the base with the
//! logs written to it again, up to the cut.

use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};

use super::run::RunError;
use crate::image::{self, Cut, CutPoints, Format, Journal, Layout, Logged, Offline, Part};
use crate::vm::{MachineFds, MachineSpec, WriteLog};

pub(super) struct RunDisk {
    /// The finished disk in the cache, which nothing writes to.
    base: PathBuf,
    layout: Layout,
    /// Where files are made that have no name.
    directory: PathBuf,
    image: File,
    format: Format,
    is_logged: bool,
    history: Vec<Power>,
    /// The machine that was saved with this disk.
    state: Option<File>,
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
    /// They are on the disk as it was rebuilt, until it is rebuilt again.
    OnTheRebuilt,
}

impl RunDisk {
    /// An overlay on the disk `base`; `is_logged` where its power will be cut.
    pub(super) fn new(
        image: File,
        base: PathBuf,
        layout: Layout,
        directory: &Path,
        is_logged: bool,
    ) -> Self {
        Self {
            base,
            layout,
            directory: directory.to_owned(),
            image,
            format: Format::Qcow2,
            is_logged,
            history: Vec::new(),
            state: None,
        }
    }

    /// Reads its files as they are now, for as long as no machine runs with it.
    pub(super) fn reader(
        &self,
    ) -> Result<impl Fn(Journal) -> Result<Offline, String> + Send + use<>, RunError> {
        let (image, format) = (self.image.try_clone()?, self.format);
        let (base, layout) = (self.base.clone(), self.layout.clone());
        Ok(move |journal| Offline::open(&image, format, &base, &layout, journal))
    }

    /// Where the machine with this disk is to be saved.
    pub(super) fn state(&mut self) -> Result<File, RunError> {
        let state = tempfile::tempfile_in(&self.directory)?;
        self.state = Some(state.try_clone()?);
        Ok(state)
    }

    /// This disk and the saved machine as another run's, which begins where this one stopped.
    pub(super) async fn copy(&self) -> Result<Self, RunError> {
        let mut history = Vec::new();
        for (n, power) in self.history.iter().enumerate() {
            // The last one is written on.
            let log = match n + 1 == self.history.len() {
                true => self.copy_of(&power.log).await?,
                false => power.log.try_clone()?,
            };
            let kept = power.kept;
            history.push(Power { log, kept });
        }
        // Opened again, since every machine reads it from its beginning.
        let state = self.state.as_ref().map(|state| File::open(place(state)));
        Ok(Self {
            base: self.base.clone(),
            layout: self.layout.clone(),
            directory: self.directory.clone(),
            image: self.copy_of(&self.image).await?,
            format: self.format,
            is_logged: self.is_logged,
            history,
            state: state.transpose()?,
        })
    }

    async fn copy_of(&self, file: &File) -> Result<File, RunError> {
        let copy = tempfile::tempfile_in(&self.directory)?;
        let (from, to) = (place(file), place(&copy));
        tokio::task::spawn_blocking(move || image::copy_sparse(&from, &to)).await??;
        Ok(copy)
    }

    /// The machine `spec` as it was saved, with this disk, and the files for it.
    pub(super) fn attach_saved(
        &mut self,
        spec: MachineSpec,
    ) -> Result<(MachineSpec, MachineFds), RunError> {
        let state = match self.state.take() {
            Some(state) => Some(state.into()),
            None => return Err(std::io::Error::other("no machine was saved").into()),
        };
        let log = self.history.last().map(|power| power.log.try_clone());
        let spec = MachineSpec {
            disk_format: self.format.as_str(),
            write_log: log.is_some().then_some(WriteLog::Continued),
            resumes: true,
            ..spec
        };
        let files = MachineFds {
            image: self.image.try_clone()?.into(),
            write_log: log.transpose()?.map(Into::into),
            state,
        };
        Ok((spec, files))
    }

    /// The machine `spec` with this disk, and the disk for it.
    pub(super) fn attach(
        &mut self,
        spec: MachineSpec,
        writes: Writes,
    ) -> Result<(MachineSpec, MachineFds), RunError> {
        let is_logged = self.is_logged && writes == Writes::Stay;
        let mut write_log = None;
        if is_logged {
            let log = tempfile::tempfile_in(&self.directory)?;
            write_log = Some(log.try_clone()?.into());
            self.history.push(Power { log, kept: None });
        }
        let spec = MachineSpec {
            disk_format: self.format.as_str(),
            write_log: is_logged.then_some(WriteLog::New),
            throwaway: writes == Writes::Go,
            ..spec
        };
        let files = MachineFds {
            image: self.image.try_clone()?.into(),
            write_log,
            state: None,
        };
        Ok((spec, files))
    }

    /// How much was written up to now, for [`RunDisk::cuts`].
    pub(super) fn written(&self) -> Result<usize, RunError> {
        Ok(self.newest()?.len())
    }

    /// The power cuts that are worth a boot, of the power-on that was cut off: those since `since`.
    pub(super) fn cuts(&self, since: usize) -> Result<Vec<Cut>, RunError> {
        Ok(image::cuts(&self.newest()?, since))
    }

    /// The power cuts within parts of the power-on that was cut off, the first of which begins at the entry `begin`.
    pub(super) fn cut_points(&self, begin: usize, parts: &[Part]) -> Result<CutPoints, RunError> {
        Ok(image::cut_points(&self.newest()?, begin, parts))
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
            image::copy_sparse(&base, &place(&rebuilt))?;
            for (log, kept) in replayed {
                let entries = image::read_log(&log, bytes)?;
                let kept = kept.unwrap_or(entries.len()).min(entries.len());
                image::replay(&log, &entries[..kept], &rebuilt)?;
            }
            Ok(rebuilt)
        });
        self.image = work.await??;
        self.format = Format::Raw;
        Ok(())
    }
}

/// A file without a name has one there, for `cp`, which is a process of its own, and to be opened again.
fn place(file: &File) -> PathBuf {
    PathBuf::from(format!(
        "/proc/{}/fd/{}",
        std::process::id(),
        file.as_raw_fd()
    ))
}
