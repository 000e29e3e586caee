//! The approved report as a file: where it is, whether a run is still that, and the approving of one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::as_approved::{Outcome, shown};
use super::configuration::HostArgs;
use super::{Failure, tell, whole_file};
use crate::approval::{self, SIZE_LIMIT, Snapshot};
use crate::report::Report;
use crate::vocabulary::Verdict;

/// Beside the configuration, where insta has snapshots beside a test.
const EXTENSION: &str = "snap";
const DIRECTORY: &str = "snapshots";
/// In the directory of the run: all lines that differ.
pub(super) const DIFFERENCE_FILE: &str = "approved.diff";

/// Which approved report a run is held against.
#[derive(Debug, Args)]
pub(super) struct ApprovedArgs {
    /// The approved report, in insta's format (default: snapshots/bootproof__HOST.snap beside the configuration)
    #[arg(long, value_name = "FILE")]
    pub(super) approved: Option<PathBuf>,
}

/// Where the approved report of a host lies, and what it is.
pub(super) struct Approved {
    pub(super) file: PathBuf,
    /// `None` where nothing was approved yet.
    snapshot: Option<Snapshot>,
    /// The file that it belongs to, and the arguments that name it, for a command that a person can copy.
    source: String,
    pub(super) named_by: String,
}

impl Approved {
    /// What the arguments name; `None` where they name no host and no file.
    ///
    /// # Errors
    /// When the file is there and is no approved report.
    pub(super) fn find(args: &ApprovedArgs, host: &HostArgs) -> Result<Option<Self>, Failure> {
        let config = &host.config;
        let (file, source, named_by) = match (&args.approved, &host.host) {
            (Some(file), _) if file.extension().is_none_or(|known| known != EXTENSION) => {
                return Err(format!(
                    "--approved {}: the name must end in .{EXTENSION}, as insta's files do",
                    file.display()
                )
                .into());
            }
            (Some(file), _) => {
                let named_by = format!("--approved {}", file.display());
                (file.clone(), file.clone(), named_by)
            }
            (None, Some(host)) => {
                let name = approval::file_name(host).ok_or_else(|| {
                    format!(
                        "an approved report of the host `{}` has no name as a file: name one with --approved FILE",
                        host.escape_debug()
                    )
                })?;
                let beside = config.parent().unwrap_or(Path::new(""));
                let named_by = match config.as_os_str() == "bootproof.toml" {
                    true => format!("--host {host}"),
                    false => format!("--config {} --host {host}", config.display()),
                };
                (beside.join(DIRECTORY).join(name), config.clone(), named_by)
            }
            (None, None) => return Ok(None),
        };
        let name = source.file_name().unwrap_or_default();
        Ok(Some(Self {
            snapshot: read(&file)?,
            source: name.to_string_lossy().into_owned(),
            file,
            named_by,
        }))
    }

    /// Holds a run against the approved report. One that differs is put beside it as a pending one, for `cargo insta review`.
    pub(super) fn hold(&self, report: &Report, run_directory: &Path) -> Result<Outcome, Failure> {
        let Some(approved) = &self.snapshot else {
            return Ok(Outcome::None);
        };
        let now = Snapshot::of(&approval::text_of(report)?);
        let Some(difference) = approval::compare(approved, &now) else {
            // A directory that cannot be written to is no reason to fail: CI may have it so.
            let _ = self.forget_pending();
            return Ok(Outcome::Same(approved.sha256()));
        };
        let not_pending = self.write(&self.pending(), &now).err();
        let all = difference.lines.join("\n") + "\n";
        fs::write(run_directory.join(DIFFERENCE_FILE), all)?;
        Ok(Outcome::Differs {
            difference,
            not_pending: not_pending.map(|error| error.to_string()),
        })
    }

    /// Makes this report the approved one, and says what that changed. Gives the SHA-256 of what is approved now.
    ///
    /// # Errors
    /// When its rehearsal did not come to an end, or the file cannot be written.
    pub(super) fn approve(&self, report: &Report) -> Result<String, Failure> {
        if let Some(why) = approval::unfinished(report) {
            return Err(format!("nothing can be approved: {why}").into());
        }
        let now = Snapshot::of(&approval::text_of(report)?);
        let file = self.file.display();
        let told = match &self.snapshot {
            None => format!("approved: {file}\n"),
            Some(old) => match approval::compare(old, &now) {
                None => format!("approved already: {file}\n"),
                Some(difference) => format!(
                    "approved: {file}, with what differs from before:\n\n{}\n",
                    shown(&difference, None)
                ),
            },
        };
        self.write(&self.file, &now)?;
        self.forget_pending()?;
        tell(&told);
        if report.verdict != Verdict::Pass {
            tell(&format!(
                "the verdict stays {}: an approval says what is expected, and not that it is well\n",
                report.verdict
            ));
        }
        Ok(now.sha256())
    }

    /// Where insta has what is not yet approved.
    pub(super) fn pending(&self) -> PathBuf {
        self.file.with_extension("snap.new")
    }

    fn forget_pending(&self) -> Result<(), Failure> {
        let pending = self.pending();
        match fs::remove_file(&pending) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(format!("failed to remove {}: {error}", pending.display()).into())
            }
            _ => Ok(()),
        }
    }

    /// Writes a snapshot, whole or not at all.
    fn write(&self, place: &Path, snapshot: &Snapshot) -> Result<(), Failure> {
        let failed = |error: io::Error| format!("failed to write {}: {error}", place.display());
        if snapshot.text().len() > SIZE_LIMIT - (64 << 10) {
            return Err(failed(io::Error::other("the report is too long to be approved")).into());
        }
        let directory = match place.parent() {
            Some(directory) if directory != Path::new("") => directory,
            _ => Path::new("."),
        };
        fs::create_dir_all(directory).map_err(failed)?;
        let text = snapshot.to_file(&self.source, &format!("bootproof test {}", self.named_by));
        whole_file::write(place, text.as_bytes()).map_err(failed)?;
        Ok(())
    }
}

fn read(file: &Path) -> Result<Option<Snapshot>, Failure> {
    let limit = u64::try_from(SIZE_LIMIT).unwrap_or(u64::MAX);
    let bytes = match whole_file::read(file, limit) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(format!(
                "failed to read the approved report {}: {error}",
                file.display()
            )
            .into());
        }
    };
    let snapshot = Snapshot::parse(&bytes).map_err(|error| {
        format!(
            "{} is no approved report: {error} (restore it from version control, or remove it and approve a run anew)",
            file.display()
        )
    })?;
    Ok(Some(snapshot))
}
