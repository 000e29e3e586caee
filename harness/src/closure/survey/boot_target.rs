use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::closure::files::ClosureFiles;
use crate::closure::unit_file::UnitFile;
use crate::closure::units::{MAX_UNITS, UNIT_DIRECTORY, UnitDirectory, template_of};

/// Settings that start other units (systemd.unit(5)).
const PULLS: &[&str] = &["Wants", "Requires", "BindsTo", "Upholds"];

/// Everything that a boot to `default.target` starts; instances are added to `loaded`.
pub(super) fn pulled_in(
    files: ClosureFiles,
    directory: &UnitDirectory,
    loaded: &mut BTreeMap<String, UnitFile>,
    names: &[String],
) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut pending = vec!["default.target".to_owned()];
    while let Some(name) = pending.pop() {
        // A name with a slash is none, and would lead out of the directory.
        if name.contains('/') || reached.len() > MAX_UNITS || !reached.insert(name.clone()) {
            continue;
        }
        pending.extend(alias(files, &name, names));
        if !loaded.contains_key(&name)
            && template_of(&name).is_some()
            && let Ok(Some(unit)) = directory.load(&name)
        {
            loaded.insert(name.clone(), unit);
        }
        for kind in ["wants", "requires", "upholds"] {
            let of_template = template_of(&name).map(|t| format!("{UNIT_DIRECTORY}/{t}.{kind}"));
            let own = Some(format!("{UNIT_DIRECTORY}/{name}.{kind}"));
            for dir in own.into_iter().chain(of_template) {
                pending.extend(files.list(&dir).unwrap_or_default());
            }
        }
        if let Some(unit) = loaded.get(&name) {
            pending.extend(pulls(&name, unit));
        }
    }
    reached
}

/// The other name of a unit whose file is a link to it: `default.target` is one.
fn alias(files: ClosureFiles, name: &str, names: &[String]) -> Option<String> {
    let host = files.resolve(UNIT_DIRECTORY).ok()?.host.join(name);
    let target = fs::read_link(host).ok()?;
    let other = target.file_name()?.to_str()?;
    let is_unit = names.iter().any(|known| known == other);
    (other != name && is_unit).then(|| other.to_owned())
}

fn pulls(name: &str, unit: &UnitFile) -> Vec<String> {
    let mut pulled: Vec<String> = PULLS
        .iter()
        .flat_map(|key| unit.list("Unit", key))
        .flat_map(str::split_whitespace)
        .map(str::to_owned)
        .collect();
    // What a socket, timer or path starts is the service of its name, unless it says otherwise.
    for (kind, section, key) in [
        (".socket", "Socket", "Service"),
        (".timer", "Timer", "Unit"),
        (".path", "Path", "Unit"),
    ] {
        if let Some(stem) = name.strip_suffix(kind) {
            match unit.list(section, key).last() {
                Some(named) => pulled.push((*named).to_owned()),
                None if accepts(unit, kind) => pulled.push(of_connections(stem)),
                None => pulled.push(format!("{stem}.service")),
            }
        }
    }
    pulled
}

/// A socket that starts an instance of a template for each connection.
fn accepts(unit: &UnitFile, kind: &str) -> bool {
    kind == ".socket"
        && unit.list("Socket", "Accept").last().is_some_and(|value| {
            ["1", "yes", "y", "true", "t", "on"].contains(&value.to_ascii_lowercase().as_str())
        })
}

/// The template whose instances serve the connections of the socket with the given name, without its kind.
fn of_connections(stem: &str) -> String {
    let prefix = stem.split_once('@').map_or(stem, |(prefix, _)| prefix);
    format!("{prefix}@.service")
}
