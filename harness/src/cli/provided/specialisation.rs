use std::fs;

use crate::cli::Failure;
use crate::closure::Source;
use crate::vocabulary::StorePath;

/// The toplevel of a specialisation: `TOPLEVEL/specialisation/NAME` is a link to it.
pub(super) fn of(source: &Source, toplevel: &StorePath, name: &str) -> Result<StorePath, Failure> {
    let directory = source.host_path(toplevel).join("specialisation");
    let mut known: Vec<String> = fs::read_dir(&directory)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    known.sort();
    if !known.iter().any(|known| known == name) {
        let known = if known.is_empty() {
            "none".to_owned()
        } else {
            known.join(", ")
        };
        return Err(format!("{toplevel} has no specialisation `{name}`: it has {known}").into());
    }
    let target = fs::read_link(directory.join(name)).ok();
    let path = target
        .as_deref()
        .and_then(|target| StorePath::parse(target.to_str()?).ok());
    path.ok_or_else(|| {
        format!("{toplevel}/specialisation/{name} is no link to a store path").into()
    })
}
