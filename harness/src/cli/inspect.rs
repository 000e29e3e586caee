//! `bootproof inspect`: what the files of a closure prove, without booting it.

use std::io::{self, IsTerminal as _, Write as _};

use super::args::{InspectArgs, InspectFormat, Verbosity};
use super::progress::{Event, JsonLines};
use super::provided::{Provided, Wanted};
use super::{Exit, Failure, chain, tell};
use crate::closure::{self, Closure, Survey};
use crate::inspect::human::Style;
use crate::inspect::{
    self, Against, BuiltBy, Candidate, Expected, Inspection, Meant, MeantBy, Options,
};
use crate::vocabulary::{ClosureFacts, Observation, System, TargetMachine};

/// Inspects, prints, and ends by the verdict.
pub(super) fn run(args: &InspectArgs) -> Result<Exit, Failure> {
    let lines = JsonLines::new(None, args.verbosity);
    let result = carry_out(args);
    if let (Err(error), InspectFormat::JsonLines) = (&result, args.format) {
        lines.failed(&chain(&**error));
    }
    result
}

fn carry_out(args: &InspectArgs) -> Result<Exit, Failure> {
    let closures = resolve(args)?;
    let (closure, (facts, survey)) = &closures.candidate;
    let options = Options {
        expected: args
            .expect_system
            .clone()
            .map(|system| Expected::by_user(System::from(system))),
        verify_contents: args.verify_contents,
        target: args.target.machine(TargetMachine::default())?,
    };
    let against = Against {
        baseline: closures.baseline.as_ref().map(|(c, f)| (c, f)),
        meant: closures.meant.as_ref().map(|((closure, facts), by)| Meant {
            closure,
            facts,
            by: *by,
            built_by: match args.build.build_command {
                Some(_) => BuiltBy::DeployTool,
                None => BuiltBy::Unknown,
            },
        }),
    };
    let candidate = Candidate {
        closure,
        facts,
        survey,
    };
    let inspection = inspect::inspect(&candidate, &against, &options)?;
    print(&inspection, args)?;
    Ok(Exit::from(inspection.verdict))
}

type Read = (Closure, ClosureFacts);

/// All closures that the arguments name.
struct Closures {
    candidate: (Closure, (ClosureFacts, Survey)),
    baseline: Option<Read>,
    meant: Option<(Read, MeantBy)>,
}

fn resolve(args: &InspectArgs) -> Result<Closures, Failure> {
    let provided = Provided::get(&Wanted {
        candidate: args.toplevel.as_deref(),
        baseline: args.baseline.as_deref(),
        build: &args.build,
        input: &args.input,
        source: &args.source,
        host: None,
        cache_directory: None,
        with_baseline: true,
    })?;
    let named = |toplevel: &str| -> Result<Read, Failure> {
        let closure = closure::resolve_ahead(&provided.source, toplevel)?;
        let facts = closure::read_facts(&closure)?;
        Ok((closure, facts))
    };
    let candidate = provided.candidate()?;
    let examined = closure::examine(&candidate)?;
    let meant = match (&provided.meant, &args.meant) {
        (Some(toplevel), _) => Some((named(toplevel)?, MeantBy::Flake)),
        (None, Some(toplevel)) => Some((named(toplevel)?, MeantBy::Path)),
        (None, None) => None,
    };
    let baseline = provided.baseline.as_deref().map(named).transpose()?;
    Ok(Closures {
        candidate: (candidate, examined),
        baseline,
        meant,
    })
}

/// People's report goes to stderr, a machine's to stdout.
fn print(inspection: &Inspection, args: &InspectArgs) -> Result<(), Failure> {
    let Verbosity {
        quiet,
        verbose: all,
    } = args.verbosity;
    match args.format {
        InspectFormat::Human if quiet => tell(&format!("{}\n", inspection.headline)),
        InspectFormat::Human => {
            let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            let text = inspect::human::render(inspection, Style { colour, all });
            io::stderr().write_all(text.as_bytes())?;
        }
        InspectFormat::Junit => {
            let text = inspect::junit::render(inspection);
            io::stdout().write_all(text.as_bytes())?;
        }
        InspectFormat::Sarif => {
            let text = inspect::sarif::render(inspection)?;
            io::stdout().write_all(text.as_bytes())?;
        }
        InspectFormat::JsonLines => say(inspection, args.verbosity),
        InspectFormat::Json => {
            let text = serde_json::to_string_pretty(inspection)? + "\n";
            io::stdout().write_all(text.as_bytes())?;
        }
        InspectFormat::Markdown => {
            let text = inspect::markdown::render(inspection);
            io::stdout().write_all(text.as_bytes())?;
        }
    }
    Ok(())
}

/// The inspection as JSON lines: what a rehearsal says of its first stage, and the verdict.
fn say(inspection: &Inspection, verbosity: Verbosity) {
    let lines = JsonLines::new(Some(inspection.toplevel.name()), verbosity);
    lines.tell(Event::of(&Observation::Inspected(inspection.recorded())));
    for unproven in &inspection.unproven {
        lines.tell(Event::of(&Observation::Unproven(unproven.clone())));
    }
    let exit = Exit::from(inspection.verdict);
    lines.finish(
        &inspection.findings,
        inspection.verdict,
        &inspection.headline,
        exit,
    );
}
