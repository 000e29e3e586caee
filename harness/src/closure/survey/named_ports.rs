use std::collections::{BTreeMap, BTreeSet};

use super::unit_set::Unit;
use crate::closure::files::ClosureFiles;
use crate::closure::{mentions, nginx_config};

/// Configuration that is searched: more is taken to name every port.
const MAX_FILES: usize = 2_000;
const MAX_TOTAL: u64 = 64 << 20;
/// A larger file is a program or data.
const MAX_FILE: u64 = 1 << 20;
/// From a unit to a script, to what it runs with, to what that includes.
const MAX_DEPTH: usize = 3;

/// Those of the ports that occur in a unit other than nginx's, in a text that units lead to, or in a file of `etc`.
///
/// Silence is the safe side: where the bounds end the search, every port counts as named.
pub(super) fn search(
    files: ClosureFiles,
    units: &BTreeMap<String, Unit>,
    nginx_configuration: &str,
    wanted: &BTreeSet<u16>,
) -> BTreeSet<u16> {
    let mut search = Search {
        files,
        missing: wanted.clone(),
        seen: BTreeSet::from([nginx_configuration.to_owned()]),
        left: MAX_TOTAL,
    };
    if wanted.is_empty() {
        return BTreeSet::new();
    }
    for (_, unit) in units.iter().filter(|(name, _)| *name != nginx_config::UNIT) {
        search.text(&unit.assignments, MAX_DEPTH);
    }
    search.directory("/etc", 4);
    if search.seen.len() > MAX_FILES || search.left == 0 {
        return wanted.clone();
    }
    wanted.difference(&search.missing).copied().collect()
}

struct Search<'a> {
    files: ClosureFiles<'a>,
    missing: BTreeSet<u16>,
    seen: BTreeSet<String>,
    left: u64,
}

impl Search<'_> {
    fn is_over(&self) -> bool {
        self.missing.is_empty() || self.seen.len() > MAX_FILES || self.left == 0
    }

    fn text(&mut self, text: &str, depth: usize) {
        self.missing.retain(|port| !names(text, *port));
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
        if self.is_over() || !self.seen.insert(path.to_owned()) {
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

/// Whether a number stands in the text with no other digit beside it.
fn names(text: &str, port: u16) -> bool {
    let digits = port.to_string();
    let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    text.match_indices(&digits).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + digits.len()..].chars().next();
        !is_digit(before) && !is_digit(after)
    })
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
        assert!(names("-p 8081 -d", 8081));
        assert!(names("[::]:8081", 8081));
        assert!(!names("18081", 8081));
        assert!(!names("80810", 8081));
        assert!(!names("", 8081));
    }
}
