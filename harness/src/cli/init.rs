//! `bootproof init`: a first bootproof.toml for a closure.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Write as _};

use super::args::InitArgs;
use super::{Exit, Failure, tell};
use crate::closure::{self, Survey};
use crate::config::{self, Proposal};
use crate::fold::sanitise;
use crate::rehearsal;

/// Reads the closure and writes the file, which must not exist yet.
pub(super) fn run(args: &InitArgs) -> Result<Exit, Failure> {
    let place = &args.host.config;
    let exists = || {
        format!(
            "{} is there already, and stays as it is: name another file with --config",
            place.display()
        )
    };
    if place.symlink_metadata().is_ok() {
        return Err(exists().into());
    }
    let closure = match (&args.candidate, &args.source.closure) {
        (Some(candidate), _) => closure::resolve(&args.source.source(), candidate)?,
        (None, Some(dir)) => closure::resolve_directory(dir)?,
        (None, None) => return Err("name the candidate, such as ./result".into()),
    };
    let facts = closure::read_facts(&closure)?;
    let survey = closure::outline(&closure);
    let needed = needed(&survey);
    let host = match &args.host.host {
        Some(host) => host.clone(),
        None => host_of(closure.toplevel.name()),
    };
    let text = config::propose(&Proposal {
        host: &host,
        facts: &facts,
        disk_bus: rehearsal::likely_disk_bus(&facts),
        needed: &needed,
    });
    // What cannot be read again must not be written.
    config::parse(&text).map_err(|error| format!("the proposal is none ({error})"))?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(place)
        .map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => exists(),
            _ => format!("failed to make {}: {error}", place.display()),
        })?;
    file.write_all(text.as_bytes())
        .map_err(|error| format!("failed to write {}: {error}", place.display()))?;
    tell(&sanitise_lines(&format!(
        "{}: the host `{host}`, {} endpoints of nginx and {} files that the machine has to have are proposed: read it through, then\n  \
         bootproof test{} --toplevel {} --config {} --host {host}\n",
        place.display(),
        facts.http.len(),
        needed.len(),
        args.source.words(),
        closure.toplevel,
        place.display(),
    )));
    Ok(Exit::Pass)
}

fn sanitise_lines(text: &str) -> String {
    text.lines()
        .map(|line| sanitise::line(line) + "\n")
        .collect()
}

/// The host of `nixos-system-HOST-VERSION` (nixos/modules/system/activation/top-level.nix).
fn host_of(toplevel: &str) -> String {
    let host = toplevel
        .strip_prefix("nixos-system-")
        .and_then(|rest| {
            let version =
                |(at, _): &(usize, &str)| rest[at + 1..].starts_with(|c: char| c.is_ascii_digit());
            let (at, _) = rest.rmatch_indices('-').find(version)?;
            Some(&rest[..at])
        })
        .filter(|host| !host.is_empty());
    host.unwrap_or("machine").to_owned()
}

/// Settings of systemd.exec(5) that name files of the machine, and whether the value begins with an id and a colon.
const SETTINGS: &[(&str, bool)] = &[
    ("EnvironmentFile", false),
    ("LoadCredential", true),
    ("LoadCredentialEncrypted", true),
];

/// Files outside of the store that units and nginx open, by path, each with what opens it first.
fn needed(survey: &Survey) -> Vec<(String, String)> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for (name, unit) in &survey.units {
        for line in unit.assignments.lines() {
            let Some((key, value)) = line
                .strip_prefix("[Service] ")
                .and_then(|assignment| assignment.split_once('='))
            else {
                continue;
            };
            let Some((_, has_id)) = SETTINGS.iter().find(|(known, _)| *known == key.trim()) else {
                continue;
            };
            let path = if *has_id {
                value.split_once(':').map(|(_, path)| path)
            } else {
                Some(value)
            };
            if let Some(path) = path.map(str::trim).filter(|path| is_of_the_machine(path)) {
                found
                    .entry(path.to_owned())
                    .or_insert_with(|| format!("{name} ({key}=)"));
            }
        }
    }
    for (directive, path) in &survey.nginx.made_at_run_time {
        if is_of_the_machine(path) {
            found
                .entry(path.clone())
                .or_insert_with(|| format!("nginx ({directive})"));
        }
    }
    found.into_iter().collect()
}

/// An absolute path that must be there: neither the store's, nor one after `-`, nor one with a pattern or a specifier.
fn is_of_the_machine(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("/nix/store/")
        && !path.contains(['%', '*', '?', '['])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::FakeClosure;

    #[test]
    fn a_host_is_called_as_its_toplevel_says() {
        for (toplevel, host) in [
            ("nixos-system-web-24.11.20241116.abcdef", "web"),
            ("nixos-system-web-2-24.11pre-git", "web-2"),
            ("nixos-system-nixos-unstable", "machine"),
            ("toplevel", "machine"),
        ] {
            assert_eq!(host_of(toplevel), host);
        }
    }

    #[test]
    fn the_secrets_that_units_read_are_found_and_no_others() {
        let fake = FakeClosure::new();
        fake.file(
            "etc/systemd/system/a.service",
            "[Service]\nExecStart=/bin/a\nEnvironmentFile=/var/lib/a.env\nEnvironmentFile=-/etc/may-be-missing\n\
             LoadCredential=key:/var/keys/a\nLoadCredential=name\nEnvironmentFile=/nix/store/x\nEnvironmentFile=/etc/%i\n",
        );
        let needed = needed(&closure::outline(&fake.closure()));
        let told = |path: &str, by: &str| (path.to_owned(), by.to_owned());
        assert_eq!(
            needed,
            [
                told("/var/keys/a", "a.service (LoadCredential=)"),
                told("/var/lib/a.env", "a.service (EnvironmentFile=)"),
            ]
        );
    }
}
