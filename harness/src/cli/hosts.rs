//! `bootproof hosts`: the hosts of bootproof.toml, for a loop or a CI matrix.

use std::io::{self, Write as _};

use super::args::{HostsArgs, HostsFormat};
use super::{Exit, Failure};

/// Prints their names, sorted.
pub(super) fn run(args: &HostsArgs) -> Result<Exit, Failure> {
    let chosen = args.host.read()?;
    let all = chosen.configuration.hosts.keys();
    let names: Vec<&String> = all
        .filter(|name| args.host.host.as_ref().is_none_or(|host| host == *name))
        .filter(|name| args.partition.is_none_or(|partition| partition.has(name)))
        .collect();
    let text: String = match args.format {
        HostsFormat::Lines => names.iter().map(|name| format!("{name}\n")).collect(),
        HostsFormat::Json => serde_json::to_string(&names)? + "\n",
    };
    io::stdout().write_all(text.as_bytes())?;
    Ok(Exit::Pass)
}
