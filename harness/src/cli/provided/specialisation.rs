use crate::cli::Failure;
use crate::closure::{self, Source};
use crate::vocabulary::StorePath;

/// The toplevel of a specialisation.
pub(super) fn of(source: &Source, toplevel: &StorePath, name: &str) -> Result<StorePath, Failure> {
    let all = closure::specialisations(source, toplevel);
    match all.iter().find(|(known, _)| known == name) {
        Some((_, Some(path))) => Ok(path.clone()),
        Some((_, None)) => {
            Err(format!("{toplevel}/specialisation/{name} is no link to a store path").into())
        }
        None if all.is_empty() => {
            Err(format!("{toplevel} has no specialisation `{name}`: it has none").into())
        }
        None => {
            let known: Vec<&str> = all.iter().map(|(known, _)| known.as_str()).collect();
            let known = known.join(", ");
            Err(format!("{toplevel} has no specialisation `{name}`: it has {known}").into())
        }
    }
}
