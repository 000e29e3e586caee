use std::collections::{BTreeMap, BTreeSet};

use super::boot_target::pulled_in;
use super::commands::{self, Command};
use super::needed_files::{self, NeededFile};
use super::tracer::Tracer;
use crate::closure::files::ClosureFiles;
use crate::closure::mentions;
use crate::closure::unit_file::UnitFile;
use crate::closure::units::{MAX_UNITS, UNIT_DIRECTORY, UnitDirectory};

/// A unit with its drop-ins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unit {
    /// Every assignment that systemd reads, one a line, drop-ins included.
    pub assignments: String,
    /// The boot target pulls it in, directly or through other units.
    pub at_boot: bool,
    /// It has a `Condition…` or `Assert…`, so that a boot need not start it.
    pub conditional: bool,
    /// One of them is about the machine's architecture.
    pub by_architecture: bool,
    pub view: View,
    pub commands: Vec<Command>,
    /// Paths of the store that its settings name and the closure does not contain.
    pub strangers: Vec<String>,
    /// What systemd opens before it executes anything, and the closure does not have.
    pub missing_files: Vec<NeededFile>,
    /// Environment files below `/etc` that the closure's `etc` does not have.
    pub files_of_people: Vec<String>,
}

/// Which files a unit's programs see.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum View {
    /// Those of the machine.
    #[default]
    Machine,
    /// Those of the machine, with others bound to places of their choice.
    Binds,
    /// Those of an image or directory, where what the closure lacks may be.
    OwnRoot,
}

impl Unit {
    /// The value that counts of a setting which takes one: the last.
    pub fn setting(&self, section: &str, key: &str) -> Option<&str> {
        let start = format!("[{section}] {key}=");
        self.assignments
            .lines()
            .filter_map(|line| line.strip_prefix(&start))
            .next_back()
            .filter(|value| !value.is_empty())
    }
}

/// Units of these kinds are read; the others have neither commands nor wants.
const KINDS: &[&str] = &[
    ".service", ".socket", ".target", ".timer", ".path", ".mount", ".swap", ".slice",
];
/// Settings of systemd.exec(5) that put files where a service looks for its program.
const OWN_ROOT: &[&str] = &[
    "RootDirectory=",
    "RootImage=",
    "RootMStack=",
    "MountImages=",
    "ExtensionImages=",
    "ExtensionDirectories=",
];
const BINDS: &[&str] = &["BindPaths=", "BindReadOnlyPaths="];
/// All units of the closure by name; instances that are only wanted are among them.
pub(super) struct Units {
    pub(super) units: BTreeMap<String, Unit>,
    pub(super) unreadable: Vec<(String, String)>,
    /// Names in the directory of systemd's own units, which it searches after `/etc/systemd/system`.
    pub(super) of_systemd: BTreeSet<String>,
}

/// Reads all units and follows what the boot target pulls in.
pub(super) fn read(files: ClosureFiles, tracer: &mut Tracer) -> Units {
    let mut unreadable = Vec::new();
    let names = files.list(UNIT_DIRECTORY).unwrap_or_else(|error| {
        unreadable.push(("systemd units".to_owned(), error.to_string()));
        Vec::new()
    });
    let mut loaded = BTreeMap::new();
    let directory = UnitDirectory::new(files);
    let is_unit = |name: &&String| KINDS.iter().any(|kind| name.ends_with(kind));
    for name in names.iter().filter(is_unit).take(MAX_UNITS) {
        match directory.load(name) {
            Ok(Some(unit)) => drop(loaded.insert(name.clone(), unit)),
            Ok(None) => {}
            Err(error) => unreadable.push((name.clone(), error.to_string())),
        }
    }
    let at_boot = pulled_in(files, &directory, &mut loaded, &names);
    let units = loaded
        .iter()
        .map(|(name, file)| {
            let unit = describe(&files, tracer, name, file, at_boot.contains(name));
            (name.clone(), unit)
        })
        .collect();
    let of_systemd = files.list(&files.in_toplevel("systemd/lib/systemd/system"));
    Units {
        units,
        unreadable,
        of_systemd: of_systemd.unwrap_or_default().into_iter().collect(),
    }
}

fn describe(
    files: &ClosureFiles,
    tracer: &mut Tracer,
    name: &str,
    file: &UnitFile,
    at_boot: bool,
) -> Unit {
    let assignments = file.assignments();
    let set = |keys: &[&str]| {
        assignments.lines().any(|line| {
            let key = line.split_once("] ").map_or("", |(_, key)| key);
            keys.iter().any(|start| key.starts_with(start))
        })
    };
    Unit {
        strangers: strangers(files, &assignments),
        missing_files: needed_files::missing(files, name, file),
        files_of_people: needed_files::of_people(files, name, file),
        at_boot,
        conditional: set(&["Condition", "Assert"]),
        by_architecture: set(&["ConditionArchitecture=", "AssertArchitecture="]),
        view: match () {
            () if set(OWN_ROOT) => View::OwnRoot,
            () if set(BINDS) => View::Binds,
            () => View::Machine,
        },
        commands: commands::of_unit(files, tracer, name, file, &assignments),
        assignments,
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
        let files = ClosureFiles::new(&closure);
        read(files, &mut Tracer::new(files)).units
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
