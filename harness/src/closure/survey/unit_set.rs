use std::collections::{BTreeMap, BTreeSet};

use super::boot_target::pulled_in;
use super::execution::{Hop, Tracer};
use super::script::names_libraries;
use crate::closure::files::ClosureFiles;
use crate::closure::mentions;
use crate::closure::unit_file::{UnitFile, command_words};
use crate::closure::units::{self, MAX_UNITS, UNIT_DIRECTORY};

/// A unit with its drop-ins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unit {
    /// Every assignment that systemd reads, one a line, drop-ins included.
    pub assignments: String,
    /// The boot target pulls it in, directly or through other units.
    pub at_boot: bool,
    /// It has a `Condition…` or `Assert…`, so that a boot need not start it.
    pub conditional: bool,
    pub commands: Vec<Command>,
    /// Paths of the store that its settings name and the closure does not contain.
    pub strangers: Vec<String>,
}

/// One `Exec…=` of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// `ExecStart`, `ExecStopPost`, …
    pub key: String,
    /// Prefixed with `-`: systemd goes on when it fails.
    pub optional: bool,
    /// What is executed, in order; empty where it is made at run time.
    pub hops: Vec<Hop>,
    /// A program outside the closure, in state that is made at run time, or one whose name systemd makes up at run time.
    pub unseen: Option<String>,
}

/// Units of these kinds are read; the others have neither commands nor wants.
const KINDS: &[&str] = &[
    ".service", ".socket", ".target", ".timer", ".path", ".mount", ".swap", ".slice",
];
/// What systemd.service(5) and systemd.socket(5) execute.
const COMMANDS: &[(&str, &[&str])] = &[
    (
        "Service",
        &[
            "ExecCondition",
            "ExecStartPre",
            "ExecStart",
            "ExecStartPost",
            "ExecReload",
            "ExecStop",
            "ExecStopPost",
        ],
    ),
    (
        "Socket",
        &[
            "ExecStartPre",
            "ExecStartPost",
            "ExecStopPre",
            "ExecStopPost",
        ],
    ),
];
/// All units of the closure by name; instances that are only wanted are among them.
pub(super) struct Units {
    pub(super) units: BTreeMap<String, Unit>,
    pub(super) unreadable: Vec<(String, String)>,
}

/// Reads all units and follows what the boot target pulls in.
pub(super) fn read(files: ClosureFiles) -> Units {
    let mut unreadable = Vec::new();
    let names = files.list(UNIT_DIRECTORY).unwrap_or_else(|error| {
        unreadable.push(("systemd units".to_owned(), error.to_string()));
        Vec::new()
    });
    let mut loaded = BTreeMap::new();
    let is_unit = |name: &&String| KINDS.iter().any(|kind| name.ends_with(kind));
    for name in names.iter().filter(is_unit).take(MAX_UNITS) {
        match units::load(&files, name) {
            Ok(Some(unit)) => drop(loaded.insert(name.clone(), unit)),
            Ok(None) => {}
            Err(error) => unreadable.push((name.clone(), error.to_string())),
        }
    }
    let at_boot = pulled_in(files, &mut loaded, &names);
    let mut tracer = Tracer::new(files);
    let units = loaded
        .iter()
        .map(|(name, file)| {
            let unit = describe(&files, &mut tracer, name, file, at_boot.contains(name));
            (name.clone(), unit)
        })
        .collect();
    Units { units, unreadable }
}

fn describe(
    files: &ClosureFiles,
    tracer: &mut Tracer,
    name: &str,
    file: &UnitFile,
    at_boot: bool,
) -> Unit {
    let assignments = file.assignments();
    let own_library_path = names_libraries(&assignments);
    let mut commands = Vec::new();
    for (section, keys) in COMMANDS {
        for key in *keys {
            for line in file.list(section, key) {
                let program = command_words(line).into_iter().next().unwrap_or_default();
                let mut command = Command {
                    key: (*key).to_owned(),
                    optional: prefixes(line).contains('-'),
                    hops: Vec::new(),
                    unseen: None,
                };
                match located(files, name, file, &program) {
                    Some(path) => {
                        let trace = tracer.trace(&path, own_library_path);
                        command.hops = trace.hops;
                        command.unseen = trace.unseen;
                    }
                    None => command.unseen = Some(program),
                }
                commands.push(command);
            }
        }
    }
    let conditional = assignments.lines().any(|line| {
        let line = line.strip_prefix("[Unit] ").unwrap_or("");
        line.starts_with("Condition") || line.starts_with("Assert")
    });
    Unit {
        strangers: strangers(files, &assignments),
        assignments,
        at_boot,
        conditional,
        commands,
    }
}

fn strangers(files: &ClosureFiles, assignments: &str) -> Vec<String> {
    let named: BTreeSet<String> = mentions::in_bytes(assignments.as_bytes())
        .flat_map(|mention| mentions::store_paths(&mention.path))
        .filter(|path| !files.closure().contains(path))
        .map(|path| path.to_string())
        .collect();
    named.into_iter().collect()
}

fn prefixes(line: &str) -> &str {
    let line = line.trim_start();
    &line[..line.len()
        - line
            .trim_start_matches(['@', '-', ':', '+', '!', '|'])
            .len()]
}

/// The absolute path of a program, with the specifiers of systemd.unit(5) that the name alone decides; `None` where another is in it, or
/// where the unit searches directories of its own.
fn located(files: &ClosureFiles, name: &str, file: &UnitFile, program: &str) -> Option<String> {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let (prefix, instance) = stem.split_once('@').unwrap_or((stem, ""));
    let mut path = String::new();
    let mut chars = program.chars();
    while let Some(c) = chars.next() {
        match c {
            '%' => match chars.next()? {
                '%' => path.push('%'),
                'i' if !instance.is_empty() => path.push_str(instance),
                'p' => path.push_str(prefix),
                'n' => path.push_str(name),
                'N' => path.push_str(stem),
                _ => return None,
            },
            c => path.push(c),
        }
    }
    let searches = !file.list("Service", "ExecSearchPath").is_empty();
    if path.is_empty() || (searches && !path.contains('/')) {
        return None;
    }
    Some(units::absolute(files, path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::{FakeClosure, elf};
    use crate::vocabulary::ElfClass;

    fn unit(fake: &FakeClosure, name: &str, text: &str) {
        fake.file(&format!("etc/systemd/system/{name}"), text);
    }

    fn read_units(fake: &FakeClosure) -> BTreeMap<String, Unit> {
        let closure = fake.closure();
        read(ClosureFiles::new(&closure)).units
    }

    #[test]
    fn the_boot_target_pulls_in_wants_sockets_and_instances() {
        let fake = FakeClosure::new();
        unit(
            &fake,
            "multi-user.target",
            "[Unit]\nRequires=basic.target\n",
        );
        unit(&fake, "basic.target", "[Unit]\nWants=a.socket\n");
        unit(&fake, "a.socket", "[Socket]\nListenStream=80\n");
        for name in ["a.service", "idle.service", "t@.service"] {
            unit(&fake, name, "[Service]\nExecStart=/run/%i/x\n");
        }
        let dir = "etc/systemd/system";
        let link = |below: &str, to| fake.link("toplevel", &format!("{dir}/{below}"), to);
        link("default.target", "multi-user.target");
        link("multi-user.target.wants/t@one.service", "../t@.service");
        let units = read_units(&fake);
        let booted: Vec<_> = units.iter().filter(|(_, u)| u.at_boot).collect();
        let booted: Vec<_> = booted.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            booted,
            [
                "a.service",
                "a.socket",
                "basic.target",
                "default.target",
                "multi-user.target",
                "t@one.service",
            ]
        );
        let instance = &units["t@one.service"].commands[0];
        assert_eq!(instance.unseen.as_deref(), Some("/run/one/x"));
        assert!(units["t@.service"].commands[0].hops.is_empty());
    }

    #[test]
    fn a_name_that_leads_out_of_the_directory_is_no_unit() {
        let fake = FakeClosure::new();
        let text = "[Unit]\nWants=../../../../../../etc/hostname a@../../x.service\n";
        unit(&fake, "default.target", text);
        let units = read_units(&fake);
        assert_eq!(units.keys().collect::<Vec<_>>(), ["default.target"]);
    }

    #[test]
    fn every_command_of_a_unit_is_followed() {
        let fake = FakeClosure::new();
        let program = fake.program("app", "bin/app", elf(ElfClass::X86_64));
        let text = format!(
            "[Unit]\nConditionPathExists=/x\n[Service]\nExecStartPre=-{program} a\nExecStart=/gone\nExecStop={program}\n"
        );
        unit(&fake, "a.service", &text);
        let drop_in = format!("[Service]\nExecStart=\nExecStart=@{program} app\n");
        unit(&fake, "a.service.d/x.conf", &drop_in);
        let units = read_units(&fake);
        let unit = &units["a.service"];
        assert!(unit.conditional && !unit.at_boot);
        let seen: Vec<_> = unit
            .commands
            .iter()
            .map(|c| (c.key.as_str(), c.optional, c.hops[0].class))
            .collect();
        let class = Some(ElfClass::X86_64);
        assert_eq!(
            seen,
            [
                ("ExecStartPre", true, class),
                ("ExecStart", false, class),
                ("ExecStop", false, class),
            ]
        );
    }
}
