use super::specifiers::expanded;
use super::tracer::Tracer;
use crate::closure::execution::hop::Hop;
use crate::closure::execution::script::names_libraries;
use crate::closure::files::ClosureFiles;
use crate::closure::unit_file::{UnitFile, command_lines, command_prefixes, command_words};
use crate::closure::units;

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

/// What systemd.service(5) and systemd.socket(5) execute. Mounts and swaps start helpers of systemd's own, which no setting names.
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

/// More commands than any unit has.
const MAX_COMMANDS: usize = 1_000;

/// Follows every command of a unit.
pub(super) fn of_unit(
    files: &ClosureFiles,
    tracer: &mut Tracer,
    name: &str,
    file: &UnitFile,
    assignments: &str,
) -> Vec<Command> {
    let own_library_path = names_libraries(assignments);
    let mut commands = Vec::new();
    for (section, keys) in COMMANDS {
        for key in *keys {
            let assigned = file.list(section, key);
            let left = MAX_COMMANDS.saturating_sub(commands.len());
            for line in assigned.into_iter().flat_map(command_lines).take(left) {
                let program = command_words(line).into_iter().next().unwrap_or_default();
                let mut command = Command {
                    key: (*key).to_owned(),
                    optional: command_prefixes(line).contains('-'),
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
    commands
}

/// The absolute path of a program; `None` where only the machine knows it, or where the unit searches directories of its own.
fn located(files: &ClosureFiles, name: &str, file: &UnitFile, program: &str) -> Option<String> {
    let path = expanded(program, name)?;
    let searches = !file.list("Service", "ExecSearchPath").is_empty();
    if path.is_empty() || (searches && !path.contains('/')) {
        return None;
    }
    Some(units::absolute(files, path))
}
