//! Closures as `nix-store --export` writes them. Nothing signs them: they go into a store of their own, which is named by what the files
//! hold, and never into the host's.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest as _, Sha256};

use crate::cli::{Failure, run_directory, tell};
use crate::image::{Cache, CacheEntry, Use};
use crate::offspring::die_with_parent;

/// The root of the store that has what these files hold.
pub(super) fn import(files: &[PathBuf], cache: Option<&Path>) -> Result<PathBuf, Failure> {
    let key = key(files)?;
    let directory = run_directory::cache_directory(cache)?;
    let trouble = |error: io::Error| -> Failure {
        format!("cannot use the cache {}: {error}", directory.display()).into()
    };
    let cache = Cache::open(&directory).map_err(trouble)?;
    let reservation = match cache.entry(&key).map_err(trouble)? {
        CacheEntry::Ready(used) => return Ok(root_of(used)),
        CacheEntry::Missing(reservation) => reservation,
    };
    let root = reservation.workshop().join(ROOT);
    fs::create_dir(&root).map_err(trouble)?;
    for file in files {
        tell(&format!("importing {}\n", file.display()));
        import_one(file, &root)?;
    }
    Ok(root_of(reservation.publish().map_err(trouble)?))
}

/// Its closures are read as long as this process lives, and so long nobody may remove it.
fn root_of(used: Use) -> PathBuf {
    Box::leak(Box::new(used)).place().join(ROOT)
}

/// Below the entry of the cache.
const ROOT: &str = "root";

fn import_one(file: &Path, root: &Path) -> Result<(), Failure> {
    let input = open(file)?;
    let mut command = Command::new("nix-store");
    command.arg("--store").arg(root);
    command.args(["--option", "build-users-group", "", "--import"]);
    command.stdin(input).stdout(Stdio::null());
    die_with_parent(&mut command);
    let status = command.status().map_err(|error| not_started(&error))?;
    match status.success() {
        true => Ok(()),
        false => Err(format!(
            "nix-store could not import {} ({status}; Nix says above why): export a whole closure, as by `nix-store --export \
             $(nix-store -qR TOPLEVEL) > FILE`",
            file.display()
        )
        .into()),
    }
}

/// A name for what all files hold.
fn key(files: &[PathBuf]) -> Result<String, Failure> {
    let mut all = Sha256::new();
    let mut chunk = vec![0; 1 << 20];
    for file in files {
        let mut input = open(file)?;
        let mut one = Sha256::new();
        loop {
            let read = input
                .read(&mut chunk)
                .map_err(|error| format!("failed to read {}: {error}", file.display()))?;
            if read == 0 {
                break;
            }
            one.update(&chunk[..read]);
        }
        all.update(one.finalize());
    }
    let hex = base16ct::lower::encode_string(&all.finalize());
    Ok(format!("store-{}", &hex[..32]))
}

fn open(file: &Path) -> Result<File, Failure> {
    File::open(file)
        .map_err(|error| format!("failed to open --exported {}: {error}", file.display()).into())
}

/// That Nix could not be started.
pub(super) fn not_started(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::NotFound => "`nix-store` is not installed, and fetches and imports closures: install Nix, or make a closure directory for --closure elsewhere"
            .into(),
        _ => format!("cannot start `nix-store`: {error}").into(),
    }
}
