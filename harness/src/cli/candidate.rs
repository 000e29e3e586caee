//! The candidate of `gate` and `deploy`: named, or built, and then held against what a flake means.

use super::Failure;
use super::args::{BuildArgs, SourceArgs};
use super::build::build;
use crate::closure::{self, Closure};
use crate::inspect::{self, BuiltBy, Meant, MeantBy};

/// What is about to be deployed.
pub(super) struct Candidate {
    pub(super) closure: Closure,
    /// How it differs from what was meant: the difference that matters most.
    pub(super) difference: Option<String>,
}

/// Builds and reads it; `None` where nothing is named or built.
///
/// # Errors
/// When a build fails, or what is named is no toplevel.
pub(super) fn candidate(
    named: Option<&str>,
    by: &BuildArgs,
    source: &SourceArgs,
) -> Result<Option<Candidate>, Failure> {
    let built = build(by, &source.store)?;
    let source = source.source();
    let meant = built.of_flake.as_deref();
    let Some(toplevel) = built.by_command.as_deref().or(named).or(meant) else {
        return Ok(None);
    };
    let closure = closure::resolve(&source, toplevel)?;
    let difference = match meant
        .map(|meant| closure::resolve(&source, meant))
        .transpose()?
    {
        Some(meant) if meant.toplevel != closure.toplevel => difference(&closure, &meant, by)?,
        _ => None,
    };
    Ok(Some(Candidate {
        closure,
        difference,
    }))
}

fn difference(
    closure: &Closure,
    meant: &Closure,
    by: &BuildArgs,
) -> Result<Option<String>, Failure> {
    let (facts, survey) = closure::examine(closure)?;
    let meant = Meant {
        closure: meant,
        facts: &closure::read_facts(meant)?,
        by: MeantBy::Flake,
        built_by: match by.build_command {
            Some(_) => BuiltBy::DeployTool,
            None => BuiltBy::Unknown,
        },
    };
    let candidate = inspect::Candidate {
        closure,
        facts: &facts,
        survey: &survey,
    };
    Ok(inspect::builds::first_of(&candidate, meant))
}
