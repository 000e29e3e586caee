//! Where a run's recording goes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Failure;
use super::args::TestArgs;

/// The directory of finished disks and imported closures: what is told, or the user's.
pub(super) fn cache_directory(told: Option<&Path>) -> Result<PathBuf, Failure> {
    let told = told.map(Path::to_owned);
    match told.or_else(|| std::env::var_os("BOOTPROOF_CACHE_DIR").map(PathBuf::from)) {
        Some(directory) => Ok(directory),
        None => Ok(home("XDG_CACHE_HOME", ".cache", "--cache-dir")?.join("bootproof")),
    }
}

/// Where new run directories are made.
pub(super) fn runs_directory(named: Option<&Path>) -> Result<PathBuf, Failure> {
    match named {
        Some(directory) => Ok(directory.to_owned()),
        None => Ok(home("XDG_STATE_HOME", ".local/state", "--runs-dir")?.join("bootproof/runs")),
    }
}

/// Makes the directory of one run.
pub(super) fn make(args: &TestArgs, name: &str) -> Result<PathBuf, Failure> {
    let Some(directory) = args.run_dir.clone() else {
        return new_below(&runs_directory(args.runs_dir.as_deref())?, name);
    };
    if directory.join("plan.json").exists() {
        return Err(format!(
            "{} holds the recording of another run: name a new directory with --run-dir",
            directory.display()
        )
        .into());
    }
    create(&directory)?;
    Ok(directory)
}

pub(super) fn new_below(runs: &Path, name: &str) -> Result<PathBuf, Failure> {
    create(runs)?;
    let time = jiff::Zoned::now().strftime("%Y%m%dT%H%M%S").to_string();
    for attempt in 1.. {
        let suffix = if attempt == 1 {
            String::new()
        } else {
            format!("-{attempt}")
        };
        let directory = runs.join(format!("{time}-{name}{suffix}"));
        match fs::create_dir(&directory) {
            Ok(()) => return Ok(directory),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(cannot_make(&directory, &error)),
        }
    }
    Err("no free name for a run directory".into())
}

fn create(directory: &Path) -> Result<(), Failure> {
    fs::create_dir_all(directory).map_err(|error| cannot_make(directory, &error))
}

fn cannot_make(directory: &Path, error: &io::Error) -> Failure {
    format!(
        "failed to make the directory {}: {error}",
        directory.display()
    )
    .into()
}

/// A directory of the XDG Base Directory Specification.
fn home(variable: &str, below_home: &str, option: &str) -> Result<PathBuf, Failure> {
    if let Some(directory) = std::env::var_os(variable).map(PathBuf::from)
        && directory.is_absolute()
    {
        return Ok(directory);
    }
    match std::env::home_dir() {
        Some(home) if home.is_absolute() => Ok(home.join(below_home)),
        _ => Err(format!(
            "neither {variable} nor a home directory is set: name a directory with {option}"
        )
        .into()),
    }
}
