//! The services of a toplevel, and what their starting commands execute behind scripts and wrappers.

use std::collections::{BTreeMap, BTreeSet};

use super::machine::{Image, Program, Service};
use super::pulled_in;
use crate::closure::{UnitFile, command_lines, command_words, interpreter, last_exec};
use crate::fold::sanitise;
use crate::shell::{End, Frames};
use crate::vocabulary::ElfClass;

/// Scripts that start each other.
const MAX_DEPTH: usize = 6;
/// More services than any machine has.
const MAX_SERVICES: usize = 5000;
/// As much of a unit as the machine is asked for; the limits here hold for one that sends more.
const UNIT_LIMIT: usize = 100_000;
/// More commands than any service has.
const MAX_COMMANDS: usize = 100;
/// Steps from a command to a program, of all services together.
const MAX_STEPS: usize = 200_000;

/// Every service that is no template, with its programs; the paths beside them have not been asked for yet.
///
/// `None` where the units could not be listed.
pub(super) fn read(
    frames: &Frames,
    toplevel: &str,
) -> Option<(BTreeMap<String, Service>, BTreeSet<String>)> {
    frames.whole("units")?;
    let wanted = pulled_in::at_boot(frames, toplevel);
    let mut services = BTreeMap::new();
    let mut walk = Walk {
        frames,
        toplevel,
        unasked: BTreeSet::new(),
        scripts: BTreeMap::new(),
        steps: 0,
        found: Vec::new(),
    };
    let units = frames.named("unit ").map(|(name, _)| name);
    let instances = wanted.iter().map(String::as_str);
    let instances = instances.filter(|name| name.contains('@'));
    let is_service = |name: &&str| name.ends_with(".service");
    for name in units.chain(instances).filter(is_service).take(MAX_SERVICES) {
        let Some(file) = load(frames, name) else {
            continue;
        };
        let assignments = file.assignments();
        let mut service = Service {
            wanted: wanted.contains(name),
            conditional: assignments
                .lines()
                .any(|line| line.contains("] Condition") || line.contains("] Assert")),
            programs: Vec::new(),
        };
        for (key, path) in commands(&file, toplevel) {
            walk.follow(&path, 0);
            let programs = walk.found.drain(..).map(|(path, image)| Program {
                key: key.to_owned(),
                path: sanitise::line(&path),
                image,
            });
            service.programs.extend(programs);
        }
        services.insert(sanitise::line(name), service);
    }
    Some((services, walk.unasked))
}

/// A unit with its drop-ins; of an instance its template's too. `None` for a template, which is never started itself.
pub(super) fn load(frames: &Frames, name: &str) -> Option<UnitFile> {
    let template = name
        .split_once('@')
        .map(|(stem, _)| format!("{stem}@.service"));
    if template.as_deref() == Some(name) {
        return None;
    }
    let own = frames.get(&format!("unit {name}"));
    let of_template = template
        .as_ref()
        .and_then(|t| frames.get(&format!("unit {t}")));
    let mut file = UnitFile::default();
    file.add(beginning(&own.or(of_template)?.body));
    for name in template.iter().map(String::as_str).chain([name]) {
        for (_, drop_in) in frames.named(&format!("drop-in {name} ")) {
            file.add(beginning(&drop_in.body));
        }
    }
    Some(file)
}

fn beginning(text: &str) -> &str {
    let mut end = text.len().min(UNIT_LIMIT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The commands that must succeed for a service to start: the key, and the path on the machine.
fn commands(file: &UnitFile, toplevel: &str) -> Vec<(&'static str, String)> {
    let mut commands = Vec::new();
    for key in ["ExecStartPre", "ExecStart"] {
        let lines = file.list("Service", key);
        for line in lines.into_iter().flat_map(command_lines) {
            let executable = line.trim_start();
            let prefixes = executable
                .find(|c: char| !"@-:+!|".contains(c))
                .unwrap_or_default();
            // With `-` a failure counts as success, and `|` names a shell's script.
            if executable[..prefixes].contains(['-', '|']) {
                continue;
            }
            let first = command_words(line).into_iter().next();
            let path = first.and_then(|word| on_machine(&word, toplevel));
            commands.extend(path.map(|path| (key, path)));
        }
    }
    commands.truncate(MAX_COMMANDS);
    commands
}

/// The path of a program after the next boot; `None` for what is made at run time, or depends on a specifier.
fn on_machine(path: &str, toplevel: &str) -> Option<String> {
    if path.contains(['%', '$', '\n', '\r', '\0']) {
        return None;
    }
    for (prefix, below) in [("/run/current-system/", ""), ("/etc/", "etc/")] {
        if let Some(rest) = path.strip_prefix(prefix) {
            return Some(format!("{toplevel}/{below}{rest}"));
        }
    }
    path.starts_with("/nix/store/").then(|| path.to_owned())
}

struct Walk<'a> {
    frames: &'a Frames,
    toplevel: &'a str,
    unasked: BTreeSet<String>,
    /// What each script leads to.
    scripts: BTreeMap<String, Vec<String>>,
    steps: usize,
    found: Vec<(String, Image)>,
}

impl Walk<'_> {
    fn follow(&mut self, path: &str, depth: usize) {
        self.steps += 1;
        let name = format!("program {path}");
        let Some(frame) = self.frames.get(&name) else {
            self.unasked.insert(path.to_owned());
            return;
        };
        let class = self
            .frames
            .bytes(&name)
            .and_then(|bytes| ElfClass::of_header(&bytes));
        match (&frame.end, class) {
            // A script may name a program only for a case that never happens.
            (End::Absent | End::Dangling, _) if depth > 0 => {}
            (End::Absent | End::Dangling, _) => self.found(path, Image::Missing),
            (_, Some(class)) => self.found(path, Image::Elf(class)),
            (_, None) => match self.script(path) {
                Some(next) if depth < MAX_DEPTH && self.steps < MAX_STEPS => {
                    for path in next {
                        self.follow(&path, depth + 1);
                    }
                }
                _ => self.found(path, Image::Unknown),
            },
        }
    }

    /// The interpreter of a script, and what its last line replaces it with; `None` for what is no script.
    fn script(&mut self, path: &str) -> Option<Vec<String>> {
        if let Some(next) = self.scripts.get(path) {
            return Some(next.clone());
        }
        let script = self.frames.get(&format!("script {path}"))?;
        let text = beginning(&script.body);
        let next = [interpreter(text).map(str::to_owned), last_exec(text)];
        let next: Vec<String> = next
            .into_iter()
            .flatten()
            .filter_map(|path| on_machine(&path, self.toplevel))
            .collect();
        self.scripts.insert(path.to_owned(), next.clone());
        Some(next)
    }

    fn found(&mut self, path: &str, image: Image) {
        self.found.push((path.to_owned(), image));
    }
}

#[cfg(test)]
mod tests;
