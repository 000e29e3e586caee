use std::collections::{BTreeMap, BTreeSet};

use super::idle_units::IdleUnits;
use super::nginx_needs::Named;
use super::unit_set::Unit;
use crate::closure::files::ClosureFiles;
use crate::closure::{mentions, nginx_config};
use crate::vocabulary::Place;

/// Configuration that is searched: more is taken to name every place.
const MAX_FILES: usize = 2_000;
const MAX_TOTAL: u64 = 64 << 20;
/// A larger file is a program or data.
const MAX_FILE: u64 = 1 << 20;
/// Sockets that are looked for, each in every text.
const MAX_SOCKETS: usize = 1_000;
/// Idle units of which it is asked what may start them.
const MAX_IDLE: usize = 20;
/// From a unit to a script, to what it runs with, to what that includes.
const MAX_DEPTH: usize = 3;

/// Those of the places that occur in a unit other than nginx's, in a text that units lead to, or in a file of `etc`; and by what.
///
/// Silence is the safe side: where the bounds end the search, every place counts as named.
pub(super) fn search(
    files: ClosureFiles,
    units: &BTreeMap<String, Unit>,
    nginx_configuration: &str,
    wanted: &BTreeSet<Place>,
) -> BTreeMap<Place, Named> {
    if wanted.is_empty() {
        return BTreeMap::new();
    }
    let mut search = Search {
        files,
        missing: wanted.clone(),
        seen: real(files, nginx_configuration).into_iter().collect(),
        left: MAX_TOTAL,
        by: None,
        found: BTreeMap::new(),
    };
    let sockets = wanted
        .iter()
        .filter(|place| matches!(place, Place::Socket(_)));
    if sockets.count() > MAX_SOCKETS {
        let all = wanted.iter().cloned();
        return all.map(|place| (place, Named::Yes)).collect();
    }
    let idle = IdleUnits::among(&files, units);
    let others = units.iter().filter(|(name, _)| *name != nginx_config::UNIT);
    let (resting, running): (Vec<_>, Vec<_>) = others.partition(|(name, _)| idle.has(name));
    for (_, unit) in running {
        search.text(&unit.assignments, MAX_DEPTH);
    }
    search.directory("/etc", 4);
    for (name, unit) in resting {
        search.by = Some(name);
        search.text(&unit.assignments, MAX_DEPTH);
    }
    if search.is_out_of_bounds() {
        let all = wanted.iter().cloned();
        return all.map(|place| (place, Named::Yes)).collect();
    }
    let names: BTreeSet<&String> = search.found.values().flatten().copied().collect();
    // More are not asked after: something may start them.
    let unstarted: BTreeSet<&String> = names
        .into_iter()
        .take(MAX_IDLE)
        .filter(|name| !idle.may_be_started(&files, units, name))
        .collect();
    let named = search.found.into_iter().map(|(place, by)| {
        let named = match by {
            Some(name) if unstarted.contains(name) => Named::ByIdle(name.clone()),
            _ => Named::Yes,
        };
        (place, named)
    });
    named.collect()
}

fn real(files: ClosureFiles, path: &str) -> Option<String> {
    Some(files.resolve(path).ok()?.logical)
}

struct Search<'a> {
    files: ClosureFiles<'a>,
    missing: BTreeSet<Place>,
    seen: BTreeSet<String>,
    left: u64,
    /// The idle unit that is searched.
    by: Option<&'a String>,
    /// By what.
    found: BTreeMap<Place, Option<&'a String>>,
}

impl Search<'_> {
    fn is_over(&self) -> bool {
        self.missing.is_empty() || self.is_out_of_bounds()
    }

    fn is_out_of_bounds(&self) -> bool {
        self.seen.len() > MAX_FILES || self.left == 0
    }

    fn text(&mut self, text: &str, depth: usize) {
        for place in ports(text).map(Place::Port) {
            if self.missing.remove(&place) {
                self.found.insert(place, self.by);
            }
        }
        let named = |place: &Place| match place {
            Place::Port(_) => false,
            Place::Socket(path) => names_socket(text, path),
        };
        let named: Vec<Place> = self.missing.iter().filter(|p| named(p)).cloned().collect();
        for place in named {
            self.missing.remove(&place);
            self.found.insert(place, self.by);
        }
        if depth == 0 {
            return;
        }
        let paths: Vec<String> = mentions::in_bytes(text.as_bytes())
            .map(|mention| mention.path)
            .chain(named_in_etc(text))
            .collect();
        for path in paths {
            self.file(&path, depth - 1);
        }
    }

    /// Programs are not searched: a number in one means nothing.
    fn file(&mut self, path: &str, depth: usize) {
        if self.is_over() {
            return;
        }
        // nginx's own file must not be met again by the other of its names.
        let Some(real) = real(self.files, path) else {
            return;
        };
        if !self.seen.insert(real) {
            return;
        }
        let Ok(bytes) = self.files.read(path, MAX_FILE) else {
            return;
        };
        self.left = self.left.saturating_sub(bytes.len() as u64);
        if bytes.starts_with(b"\x7fELF") {
            return;
        }
        self.text(&String::from_utf8_lossy(&bytes), depth);
    }

    /// The files of `etc`, without nginx's own.
    fn directory(&mut self, path: &str, depth: usize) {
        let Ok(names) = self.files.list(path) else {
            return;
        };
        for name in names {
            let inner = format!("{path}/{name}");
            let skipped = ["/etc/nginx", "/etc/systemd", "/etc/ssl", "/etc/services"];
            if self.is_over() || skipped.contains(&inner.as_str()) {
                continue;
            }
            self.file(&inner, 0);
            if depth > 0 {
                self.directory(&inner, depth - 1);
            }
        }
    }
}

/// The numbers of a text that may be ports: with no other digit beside them.
fn ports(text: &str) -> impl Iterator<Item = u16> + '_ {
    text.as_bytes()
        .split(|byte| !byte.is_ascii_digit())
        .filter(|digits| !digits.starts_with(b"0"))
        .filter_map(|digits| std::str::from_utf8(digits).ok()?.parse().ok())
}

/// Whether a text has the file name of a socket, or the directory below `/run` that it is in: who makes that, makes what is in it.
fn names_socket(text: &str, path: &str) -> bool {
    let Some((directory, name)) = path.rsplit_once('/') else {
        return true;
    };
    if text.contains(name) {
        return true;
    }
    let Some(below) = directory.strip_prefix("/run/") else {
        return false;
    };
    // The texts of units have their specifier for `/run`, and `RuntimeDirectory=`, which is relative to it.
    let first = below.split('/').next().unwrap_or(below);
    let is_made = || {
        text.lines()
            .filter_map(|line| line.split_once("RuntimeDirectory="))
            .flat_map(|(_, names)| names.split([' ', '\t', ':', '"', '/']))
            .any(|made| made == first)
    };
    text.contains(directory) || text.contains(&format!("%t/{below}")) || is_made()
}

/// The paths below `/etc` in a text, as far as blanks and quotes set them apart.
fn named_in_etc(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| c.is_whitespace() || "\"'=;,:".contains(c))
        .filter(|word| word.starts_with("/etc/"))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_a_number_of_its_own() {
        let ports = |text| ports(text).collect::<Vec<u16>>();
        assert_eq!(ports("-p 8081 -d [::]:80"), [8081, 80]);
        assert_eq!(ports("18081, 80810 08081"), [18081]);
        assert!(ports("").is_empty());
    }

    #[test]
    fn a_socket_is_named_by_its_file_or_its_directory() {
        for text in [
            "listen = /run/app/web.sock",
            "listen = /var/run/app/web.sock",
            "socket: web.sock",
            "cd /run/app && exec x",
            "[Socket] ListenStream=%t/app/x",
            "[Service] RuntimeDirectory=other app\n",
        ] {
            assert!(names_socket(text, "/run/app/web.sock"), "{text}");
        }
        for text in ["", "app", "RuntimeDirectory=application", "/run/web"] {
            assert!(!names_socket(text, "/run/app/web.sock"), "{text}");
        }
        assert!(!names_socket("/run/other.sock", "/run/web.sock"));
    }
}
