//! Overrides beside the receipts: one is written before a deploy that no receipt covers, and whoever asks the gate hears of it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Failure, tell, whole_file};
use crate::deploy::{Override, made};
use crate::fold::sanitise;
use crate::vocabulary::StorePath;

const EXTENSION: &str = "override";
/// Larger than any record.
const READ_LIMIT: u64 = 2 << 20;

/// Puts a record into the directory, whole or not at all; gives its path.
pub(super) fn write(directory: &Path, record: &Override) -> Result<PathBuf, Failure> {
    let text = record.to_text()?;
    let time = record.made_at.strftime("%Y%m%dT%H%M%SZ");
    let name = format!(
        "{time}-{}-{}.{EXTENSION}",
        record.host,
        record.candidate.base_name()
    );
    let place = directory.join(name.replace('/', "_"));
    let written =
        fs::create_dir_all(directory).and_then(|()| whole_file::write(&place, text.as_bytes()));
    written.map_err(|error| {
        format!(
            "an override must be recorded, and {} cannot be written: {error}",
            place.display()
        )
    })?;
    Ok(place)
}

/// Tells of the override by which the host came to run what it runs, and of records that cannot be read.
pub(super) fn tell_of(directory: &Path, host: Option<&str>, current: &StorePath) {
    let (records, unreadable) = read_all(directory);
    for name in unreadable {
        let name = sanitise::line(&name);
        tell(&format!(
            "warning: {name} cannot be read: it may tell of an override\n"
        ));
    }
    if let Some(record) = host.and_then(|host| made(&records, host, current)) {
        tell(&sanitise::line(&format!(
            "warning: what {} runs was deployed by an override on {} by {}, and not proven: {}",
            record.host,
            record.made_at.strftime("%Y-%m-%d"),
            record.by,
            record.reason
        )));
        tell("\n");
    }
}

/// Every record of the directory, and the names of those that cannot be read.
fn read_all(directory: &Path) -> (Vec<Override>, Vec<String>) {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut places: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    places.retain(|place| place.extension().is_some_and(|known| known == EXTENSION));
    places.sort();
    let mut records = Vec::new();
    let mut unreadable = Vec::new();
    for place in places {
        match whole_file::read(&place, READ_LIMIT)
            .ok()
            .and_then(|bytes| Override::parse(&bytes).ok())
        {
            Some(record) => records.push(record),
            None => unreadable.push(place.display().to_string()),
        }
    }
    (records, unreadable)
}

/// Who runs this, as far as the environment tells.
pub(super) fn who() -> String {
    let named = |name| env::var(name).ok().filter(|value| !value.is_empty());
    let user = named("USER").or_else(|| named("LOGNAME"));
    let user = user.unwrap_or_else(|| format!("user {}", rustix::process::getuid().as_raw()));
    let user = match named("SUDO_USER") {
        Some(real) => format!("{real}, as {user} by sudo"),
        None => user,
    };
    let machine = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match machine.trim() {
        "" => user,
        machine => format!("{user} on {machine}"),
    }
}
