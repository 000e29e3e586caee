//! The candidate of `gate` and `deploy`: named, or built, and then held against what a flake means.

use super::Failure;
use super::args::BuildArgs;
use super::provided::Provided;
use crate::closure::{self, Closure};
use crate::inspect::{self, BuiltBy, Meant, MeantBy};

/// What is about to be deployed.
pub(super) struct Candidate {
    pub(super) closure: Closure,
    /// How it differs from what was meant: the difference that matters most.
    pub(super) difference: Option<String>,
}

/// Reads it, as it was provided.
///
/// # Errors
/// When what is named is no toplevel.
pub(super) fn candidate(provided: &Provided, by: &BuildArgs) -> Result<Candidate, Failure> {
    let closure = provided.candidate()?;
    let meant = provided.meant.as_deref();
    let difference = match meant
        .map(|meant| closure::resolve(&provided.source, meant))
        .transpose()?
    {
        Some(meant) if meant.toplevel != closure.toplevel => difference(&closure, &meant, by)?,
        _ => None,
    };
    Ok(Candidate {
        closure,
        difference,
    })
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
