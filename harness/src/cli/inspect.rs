//! `bootproof inspect`: what the files of a closure prove, without booting it.

use std::io::{self, IsTerminal as _, Write as _};

use super::args::{InspectArgs, InspectFormat};
use super::{Exit, Failure};
use crate::closure::{self, Closure, Source};
use crate::inspect::{self, Expected, Inspection, Options};
use crate::vocabulary::System;

/// Inspects, prints, and ends by the verdict.
pub(super) fn run(args: &InspectArgs) -> Result<Exit, Failure> {
    let (candidate, baseline) = resolve(args)?;
    let facts = closure::read_facts(&candidate)?;
    let before = baseline.as_ref().map(closure::read_facts).transpose()?;
    let options = Options {
        expected: args
            .expect_system
            .clone()
            .map(|system| Expected::by_user(System::from(system))),
        target: args.target.machine()?,
    };
    let inspection = inspect::inspect(
        &candidate,
        &facts,
        baseline.as_ref().zip(before.as_ref()),
        &options,
    );
    print(&inspection, args.format)?;
    Ok(Exit::from(inspection.verdict))
}

fn resolve(args: &InspectArgs) -> Result<(Closure, Option<Closure>), Failure> {
    let source = match &args.closure {
        Some(dir) => Source::Directory { dir: dir.clone() },
        None => Source::Store {
            root: args.store.clone(),
        },
    };
    let candidate = match (&args.toplevel, &args.closure) {
        (None, Some(dir)) => closure::resolve_directory(dir)?,
        (toplevel, _) => closure::resolve(&source, toplevel.as_deref().unwrap_or_default())?,
    };
    let baseline = args
        .baseline
        .as_ref()
        .map(|baseline| closure::resolve(&source, baseline))
        .transpose()?;
    Ok((candidate, baseline))
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
