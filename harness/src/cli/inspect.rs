//! `bootproof inspect`: what the files of a closure prove, without booting it.

use std::io::{self, IsTerminal as _, Write as _};

use super::args::{InspectArgs, InspectFormat};
use super::provided::{Provided, Wanted};
use super::{Exit, Failure};
use crate::closure::{self, Closure, Survey};
use crate::inspect::{
    self, Against, BuiltBy, Candidate, Expected, Inspection, Meant, MeantBy, Options,
};
use crate::vocabulary::{ClosureFacts, System, TargetMachine};

/// Inspects, prints, and ends by the verdict.
pub(super) fn run(args: &InspectArgs) -> Result<Exit, Failure> {
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
    print(&inspection, args.format)?;
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
fn print(inspection: &Inspection, format: InspectFormat) -> Result<(), Failure> {
    match format {
        InspectFormat::Human => {
            let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            let text = inspect::human::render(inspection, colour);
            io::stderr().write_all(text.as_bytes())?;
        }
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
