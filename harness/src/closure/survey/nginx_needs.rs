use std::collections::{BTreeMap, BTreeSet};

use super::named_places;
use super::unit_set::Unit;
use crate::closure::files::ClosureFiles;
use crate::closure::unit_file::command_words;
use crate::closure::{nginx_config, units};
use crate::nginx::{self, Directive};
use crate::vocabulary::Place;

/// What nginx needs of the rest of the closure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NginxNeeds {
    /// The file that its unit names; `None` where the closure has no nginx, or its configuration cannot be read.
    pub configuration: Option<String>,
    /// Where it passes requests on to on the same machine, each place once.
    pub upstreams: Vec<Upstream>,
    /// Files in the store that the configuration names and the closure does not contain: the directive, then the path.
    pub missing: Vec<(String, String)>,
    /// Files that nginx opens at its start and that no closure holds, likewise.
    pub made_at_run_time: Vec<(String, String)>,
    /// A file of the configuration without its hash, then why every nginx refuses it.
    pub refused: Vec<(String, String)>,
}

/// A place on the same machine that requests are passed on to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    pub place: Place,
    /// As the configuration has it: `proxy_pass http://127.0.0.1:8081`.
    pub written: String,
    /// The block that has it: `server alpha.example, location /`.
    pub block: String,
    pub named: Named,
}

/// Whether a unit, or a file that units or `etc` lead to, names a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// Also where not all of them could be searched.
    Yes,
    /// This unit alone does, and nothing starts it: no unit and no script, and neither device nor bus.
    ByIdle(String),
    No,
}

const PASSES: &[&str] = &[
    "proxy_pass",
    "fastcgi_pass",
    "uwsgi_pass",
    "scgi_pass",
    "grpc_pass",
];
/// Directives whose file nginx opens before it serves anything.
const OPENED_AT_START: &[&str] = &[
    "ssl_certificate",
    "ssl_certificate_key",
    "ssl_trusted_certificate",
    "ssl_client_certificate",
    "ssl_dhparam",
    "ssl_crl",
    "ssl_password_file",
    "ssl_stapling_file",
];

/// Reads the configuration of the closure's nginx; nothing where there is none or it cannot be read, which the facts tell.
pub(super) fn read(files: ClosureFiles, units: &BTreeMap<String, Unit>) -> NginxNeeds {
    let Some(path) = configuration(&files) else {
        return NginxNeeds::default();
    };
    let Ok(text) = files.text(&path) else {
        return NginxNeeds::default();
    };
    let (dir, _) = path.rsplit_once('/').unwrap_or_default();
    let mut missing = BTreeSet::new();
    let parsed = nginx::parse(&path, &text, &mut |pattern| {
        if is_missing(&files, pattern) {
            missing.insert(("include".to_owned(), pattern.to_owned()));
        }
        nginx_config::include(&files, dir, pattern)
    });
    let mut found = Found::default();
    found.walk(&parsed.directives, "nginx.conf", false);
    missing.extend(
        found
            .opened
            .iter()
            .filter(|(_, path)| is_missing(&files, path))
            .cloned(),
    );
    let made_at_run_time = found.opened.iter();
    let made_at_run_time = made_at_run_time.filter(|(_, path)| is_state(&files, path));
    let wanted: BTreeSet<Place> = found
        .upstreams
        .keys()
        .filter(|place| !found.listens.contains(place))
        .cloned()
        .collect();
    let named = named_places::search(files, units, &path, &wanted);
    NginxNeeds {
        made_at_run_time: made_at_run_time.cloned().collect(),
        upstreams: found
            .upstreams
            .into_iter()
            .map(|(place, (block, written))| Upstream {
                named: match named.get(&place) {
                    Some(named) => named.clone(),
                    None if wanted.contains(&place) => Named::No,
                    None => Named::Yes,
                },
                place,
                written,
                block,
            })
            .collect(),
        missing: missing.into_iter().collect(),
        refused: match is_given_to_nginx(&files, &path) {
            true => parsed.refused.into_iter().map(hashless).collect(),
            false => Vec::new(),
        },
        configuration: Some(path),
    }
}

fn configuration(files: &ClosureFiles) -> Option<String> {
    let unit = units::load(files, nginx_config::UNIT).ok()??;
    nginx_config::config_path(files, &unit)
}

fn hashless((file, reason): (String, String)) -> (String, String) {
    (nginx_config::without_hash(&file), reason)
}

/// What only a script names may be a template, from which it makes the configuration.
fn is_given_to_nginx(files: &ClosureFiles, path: &str) -> bool {
    const PROGRAMS: &[&str] = &["nginx", "openresty", "angie"];
    let Ok(Some(unit)) = units::load(files, nginx_config::UNIT) else {
        return false;
    };
    unit.list("Service", "ExecStart").iter().any(|command| {
        let words = command_words(command);
        let program = words.first().and_then(|word| word.rsplit('/').next());
        program.is_some_and(|name| PROGRAMS.contains(&name))
            && words.windows(2).any(|pair| pair == ["-c", path])
    })
}

/// Only the store is certain: certificates below `/var` are made at run time.
fn is_missing(files: &ClosureFiles, path: &str) -> bool {
    !path.contains('$') && files.lacks(path)
}

/// Neither in the store nor in the closure's `etc`: a secret, or a certificate that a service fetches.
fn is_state(files: &ClosureFiles, path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("/nix/store/")
        && !path.contains('$')
        && !files.is_there(path)
}

/// What the directives say, wherever they stand.
#[derive(Default)]
struct Found {
    /// The first block that passes requests on to each, and how that is written.
    upstreams: BTreeMap<Place, (String, String)>,
    listens: BTreeSet<Place>,
    opened: BTreeSet<(String, String)>,
}

impl Found {
    fn walk(&mut self, directives: &[Directive], block: &str, in_upstream: bool) {
        for directive in directives {
            let name = directive.name.as_str();
            let argument = directive.argument();
            if PASSES.contains(&name) || (in_upstream && name == "server") {
                let is_down = directive
                    .arguments
                    .iter()
                    .any(|argument| argument == "down");
                if let Some(place) = place(argument).filter(|_| !is_down) {
                    self.upstreams
                        .entry(place)
                        .or_insert_with(|| (block.to_owned(), format!("{name} {argument}")));
                }
            } else if name == "listen" {
                self.listens.extend(listened(argument));
            } else if OPENED_AT_START.contains(&name) {
                self.opened.insert((name.to_owned(), argument.to_owned()));
            }
            let inner = named_block(directive, block);
            self.walk(directive.children(), &inner, name == "upstream");
        }
    }
}

/// How people call a block: by the server's first name, the location's path, the upstream's name.
fn named_block(directive: &Directive, block: &str) -> String {
    match directive.name.as_str() {
        "server" => {
            let name = directive
                .child("server_name")
                .map_or("", Directive::argument);
            format!("server {name}").trim_end().to_owned()
        }
        "location" => format!("{block}, location {}", directive.arguments.join(" ")),
        "upstream" => format!("upstream {}", directive.argument()),
        _ => block.to_owned(),
    }
}

/// Sockets below `/run` alone: nothing survives there from before the boot.
fn place(written: &str) -> Option<Place> {
    Place::of_upstream(written).filter(|place| match place {
        Place::Port(_) => true,
        Place::Socket(path) => path.starts_with("/run/"),
    })
}

fn listened(argument: &str) -> Option<Place> {
    let port = argument.rsplit(':').next().unwrap_or(argument);
    let port = port.parse().ok().map(Place::Port);
    port.or_else(|| place(argument))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sockets_below_run_count() {
        assert!(place("unix:/var/run/x.sock").is_some());
        assert!(place("http://127.0.0.1:8081").is_some());
        assert_eq!(place("unix:/var/lib/x.sock"), None);
    }
}
