//! `bootproof cache`: what the cache of finished disks holds, and what goes; and how much it may take.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::SystemTime;

use serde::Serialize;

use super::args::{CacheAction, CacheArgs, CacheCommand, CacheFormat};
use super::configuration::HostArgs;
use super::{Exit, Failure, run_directory, tell};
use crate::rehearsal::{Cache, CachedDisk, Spare, file_system_bytes};
use crate::vocabulary::size;

/// What a cache may take that nobody says more of.
const DEFAULT_LIMIT: u64 = 20 << 30;

/// Lists the cache, or cleans it.
pub(super) fn run(command: &CacheCommand) -> Result<Exit, Failure> {
    let directory = run_directory::cache_directory(command.cache.cache_dir.as_deref())?;
    let limit = limit(&command.cache, &command.host, &directory)?;
    if !directory.exists() {
        // Looking makes nothing.
        tell(&format!("{} is not there yet\n", directory.display()));
        return print(command.format, &Listing::empty(&directory, limit));
    }
    let cache = Cache::open(&directory)
        .map_err(|error| format!("failed to open the cache {}: {error}", directory.display()))?;
    let trouble =
        |error: io::Error| format!("failed to look through {}: {error}", directory.display());
    if let Some(CacheAction::Clean { max_size, all }) = command.action {
        let spare = if all {
            Spare::InUse
        } else {
            Spare::InUseAndKept
        };
        let removed = cache
            .shrink(max_size.unwrap_or(0), spare)
            .map_err(trouble)?;
        tell(&told_of(&removed));
    }
    let contents = cache.contents().map_err(trouble)?;
    let listing = Listing {
        directory: directory.display().to_string(),
        bytes: contents.bytes(),
        limit,
        being_made: contents.being_made,
        disks: contents.disks.iter().map(Listed::of).collect(),
    };
    print(command.format, &listing)
}

/// What finished disks may take in `directory`, in bytes: by the option or its variable, else by the configuration where there is one.
pub(super) fn limit(args: &CacheArgs, host: &HostArgs, directory: &Path) -> Result<u64, Failure> {
    if let Some(limit) = args.cache_size {
        return Ok(limit);
    }
    if host.config.exists()
        && let Some(limit) = host.read()?.configuration.cache_size
    {
        return Ok(limit);
    }
    // The nearest directory that is there: the cache itself may not be made yet.
    let there = directory.ancestors().find(|place| place.is_dir());
    let whole = file_system_bytes(there.unwrap_or(Path::new("."))).unwrap_or(u64::MAX);
    Ok(DEFAULT_LIMIT.min(whole / 4))
}

fn told_of(removed: &[CachedDisk]) -> String {
    let bytes = removed.iter().map(|disk| disk.bytes).sum();
    let disks = match removed.len() {
        1 => "1 disk".to_owned(),
        many => format!("{many} disks"),
    };
    let mut text = format!("removed {disks}, {}\n", size::say(bytes));
    for overlay in removed.iter().flat_map(|disk| &disk.kept_for) {
        let _ = writeln!(
            text,
            "  {} cannot be booted again without one of them",
            overlay.display()
        );
    }
    text
}

fn print(format: CacheFormat, listing: &Listing) -> Result<Exit, Failure> {
    let text = match format {
        CacheFormat::Human => listing.human(SystemTime::now()),
        CacheFormat::Json => serde_json::to_string_pretty(listing)? + "\n",
    };
    io::stdout().write_all(text.as_bytes())?;
    Ok(Exit::Pass)
}

/// What is printed; sizes in bytes, times in seconds since 1970.
#[derive(Debug, Serialize)]
struct Listing {
    directory: String,
    bytes: u64,
    limit: u64,
    /// What takes room without being a disk yet.
    being_made: u64,
    disks: Vec<Listed>,
}

#[derive(Debug, Serialize)]
struct Listed {
    key: String,
    bytes: u64,
    last_use: u64,
    in_use: bool,
    kept_for: Vec<String>,
}

impl Listed {
    fn of(disk: &CachedDisk) -> Self {
        Self {
            key: disk.key.clone(),
            bytes: disk.bytes,
            last_use: seconds(disk.last_use),
            in_use: disk.in_use,
            kept_for: disk
                .kept_for
                .iter()
                .map(|overlay| overlay.display().to_string())
                .collect(),
        }
    }
}

impl Listing {
    fn empty(directory: &Path, limit: u64) -> Self {
        Self {
            directory: directory.display().to_string(),
            bytes: 0,
            limit,
            being_made: 0,
            disks: Vec::new(),
        }
    }

    fn human(&self, now: SystemTime) -> String {
        let mut text = format!(
            "{}: {} of at most {}\n",
            self.directory,
            size::say(self.bytes),
            size::say(self.limit)
        );
        for disk in &self.disks {
            let mut notes = String::new();
            if disk.in_use {
                notes.push_str("  in use");
            }
            match disk.kept_for.len() {
                0 => {}
                1 => notes.push_str("  needed by a kept run"),
                many => {
                    let _ = write!(notes, "  needed by {many} kept runs");
                }
            }
            let _ = writeln!(
                text,
                "  {:>9}  used {:<14}  {}{notes}",
                size::say(disk.bytes),
                ago(seconds(now).saturating_sub(disk.last_use)),
                disk.key
            );
        }
        if self.being_made > 1 << 20 {
            let _ = writeln!(text, "  {:>9}  being made", size::say(self.being_made));
        }
        text
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// A time that has passed, as people say it.
fn ago(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..60 => return "just now".to_owned(),
        60..3600 => (seconds / 60, "minute"),
        3600..86_400 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural} ago")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_listing_tells_size_last_use_and_who_needs_it() {
        let listing = Listing {
            directory: "/cache".to_owned(),
            bytes: 3 << 30,
            limit: 20 << 30,
            being_made: 300 << 20,
            disks: vec![Listed {
                key: "ab-nixos-system-web".to_owned(),
                bytes: 700 << 20,
                last_use: 1000,
                in_use: true,
                kept_for: vec!["run/disk.qcow2".to_owned()],
            }],
        };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1000 + 2 * 3600);
        insta::assert_snapshot!(listing.human(now), @r"
        /cache: 3.0 GiB of at most 20.0 GiB
            700 MiB  used 2 hours ago     ab-nixos-system-web  in use  needed by a kept run
            300 MiB  being made
        ");
    }

    #[test]
    fn times_are_told_as_people_say_them() {
        for (seconds, text) in [
            (3, "just now"),
            (60, "1 minute ago"),
            (7200, "2 hours ago"),
            (90_000, "1 day ago"),
        ] {
            assert_eq!(ago(seconds), text);
        }
    }
}
