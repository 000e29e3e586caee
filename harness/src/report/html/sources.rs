//! Every text of the guest that evidence was quoted from: the console of each boot, the journal of each state, the output of each
//! command. A source has all its lines; which are shown is for `excerpt`.

use crate::fold::Run;
use crate::vocabulary::{Observation, Recorded, State};

/// One text, and all its lines.
pub(super) struct Source<'a> {
    pub(super) kind: Kind<'a>,
    /// Where the whole text is, for a person.
    pub(super) whole: String,
    pub(super) lines: Vec<Line<'a>>,
}

/// Which text it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// Of the boot with this number.
    Console(u32),
    Journal(State),
    /// Of the command with this place in the recording, and its name.
    Output(usize, &'a str),
}

impl Kind<'_> {
    /// The beginning of the ids of its lines.
    pub(super) fn id(self) -> String {
        match self {
            Self::Console(boot) => format!("console-{boot}"),
            Self::Journal(state) => format!("journal-{state}"),
            Self::Output(n, _) => format!("output-{n}"),
        }
    }

    pub(super) fn title(self, run: &Run) -> String {
        match self {
            Self::Console(boot) => {
                let step = run.boot(boot).and_then(|b| b.step);
                let step = step.map_or(String::new(), |step| format!(" ({step})"));
                format!("Console of boot {boot}{step}")
            }
            Self::Journal(state) => format!("Journal, {state}"),
            Self::Output(n, program) => {
                let command = run.commands.get(n).map_or(program, |c| c.command.as_str());
                let mut words = command.split_whitespace();
                let program = words.find(|word| !word.contains('='));
                let program = program.unwrap_or(command);
                format!(
                    "Output of {}",
                    program.rsplit('/').next().unwrap_or(program)
                )
            }
        }
    }
}

/// One line, as it was recorded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    /// Milliseconds: since the run began on a console, since the kernel started in a journal.
    pub(super) at_ms: Option<u64>,
    pub(super) unit: Option<&'a str>,
    pub(super) text: &'a str,
    /// The journal's priority is `err` or graver (syslog(3)).
    pub(super) grave: bool,
}

/// The sources of a recording: consoles by boot, then journals by state, then commands in order.
pub(super) fn sources<'a>(observations: &'a [Recorded], run: &'a Run) -> Vec<Source<'a>> {
    let mut all: Vec<Source<'a>> = run
        .boots
        .iter()
        .map(|boot| Source {
            kind: Kind::Console(boot.number),
            whole: format!("console-{}.log", boot.number),
            lines: Vec::new(),
        })
        .collect();
    for recorded in observations {
        if let Observation::Console { boot, line } = &recorded.observation
            && let Some(source) = all.iter_mut().find(|s| s.kind == Kind::Console(*boot))
        {
            source.lines.push(Line {
                at_ms: Some(recorded.at_ms),
                unit: None,
                text: line,
                grave: false,
            });
        }
    }
    all.extend(run.states.iter().filter_map(|(state, record)| {
        let lines = record.journal.as_ref()?.iter().map(|entry| Line {
            at_ms: entry.monotonic_us.map(|us| us / 1000),
            unit: entry.unit.as_deref().or(entry.identifier.as_deref()),
            text: &entry.message,
            grave: entry.priority.is_some_and(|priority| priority <= 3),
        });
        Some(Source {
            kind: Kind::Journal(*state),
            whole: "observations.jsonl".to_owned(),
            lines: lines.collect(),
        })
    }));
    all.extend(run.commands.iter().enumerate().map(|(n, command)| {
        let lines = command.output.iter().map(|line| Line {
            at_ms: None,
            unit: None,
            text: line,
            grave: false,
        });
        Source {
            kind: Kind::Output(n, program(&command.command)),
            whole: "observations.jsonl".to_owned(),
            lines: lines.collect(),
        }
    }));
    all.retain(|source| !source.lines.is_empty());
    all
}

/// The name that evidence of a command's output has as its source: as `check` makes it.
fn program(command: &str) -> &str {
    let program = command.split_whitespace().next().unwrap_or_default();
    program.rsplit('/').next().unwrap_or(program)
}
