use std::collections::{BTreeMap, BTreeSet};

use super::named_ports;
use super::unit_set::Unit;
use crate::closure::files::{ClosureFiles, FileError};
use crate::closure::{nginx_config, units};
use crate::nginx::{self, Directive};

/// What nginx needs of the rest of the closure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NginxNeeds {
    /// Where it passes requests on to over loopback, each port once.
    pub upstreams: Vec<Upstream>,
    /// Files in the store that the configuration names and the closure does not contain: the directive, then the path.
    pub missing: Vec<(String, String)>,
}

/// A port on loopback that requests are passed on to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// As the configuration has it: `http://127.0.0.1:8081`.
    pub written: String,
    pub port: u16,
    /// A unit, or a file that units or `etc` lead to, names the port; `true` too where not all of them could be searched.
    pub named: bool,
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
    found.walk(&parsed.directives, false);
    missing.extend(
        found
            .opened
            .into_iter()
            .filter(|(_, path)| is_missing(&files, path)),
    );
    let wanted: BTreeSet<u16> = found
        .upstreams
        .keys()
        .filter(|port| !found.listens.contains(port))
        .copied()
        .collect();
    let named = named_ports::search(files, units, &path, &wanted);
    let upstreams = found
        .upstreams
        .into_iter()
        .map(|(port, written)| Upstream {
            written,
            port,
            named: !wanted.contains(&port) || named.contains(&port),
        })
        .collect();
    NginxNeeds {
        upstreams,
        missing: missing.into_iter().collect(),
    }
}

fn configuration(files: &ClosureFiles) -> Option<String> {
    let unit = units::load(files, nginx_config::UNIT).ok()??;
    nginx_config::config_path(files, &unit)
}

/// Only the store is certain: certificates below `/var` are made at run time.
fn is_missing(files: &ClosureFiles, path: &str) -> bool {
    path.starts_with("/nix/store/")
        && !path.contains(['*', '?', '[', '$'])
        && match files.resolve(path) {
            Ok(_) => false,
            Err(FileError::Missing(_)) => true,
            // A link of the store that leads to state of the machine is another matter.
            Err(FileError::Outside(_)) => crate::vocabulary::StorePath::split(path)
                .is_ok_and(|(path, _)| !files.closure().contains(&path)),
            Err(_) => false,
        }
}

/// What the directives say, wherever they stand.
#[derive(Default)]
struct Found {
    upstreams: BTreeMap<u16, String>,
    listens: BTreeSet<u16>,
    opened: Vec<(String, String)>,
}

impl Found {
    fn walk(&mut self, directives: &[Directive], in_upstream: bool) {
        for directive in directives {
            let name = directive.name.as_str();
            let argument = directive.argument();
            if PASSES.contains(&name) || (in_upstream && name == "server") {
                if let Some(port) = loopback_port(argument) {
                    self.upstreams
                        .entry(port)
                        .or_insert_with(|| argument.to_owned());
                }
            } else if name == "listen" {
                let port = argument.rsplit(':').next().unwrap_or(argument);
                self.listens.extend(port.parse::<u16>());
            } else if OPENED_AT_START.contains(&name) {
                self.opened.push((name.to_owned(), argument.to_owned()));
            }
            self.walk(directive.children(), name == "upstream");
        }
    }
}

/// The port of `http://127.0.0.1:8081/path` and the like; `None` for other hosts, sockets, variables and names of upstreams.
fn loopback_port(written: &str) -> Option<u16> {
    let rest = written.split_once("://").map_or(written, |(_, rest)| rest);
    let authority = rest.split('/').next()?;
    let (host, port) = authority.rsplit_once(':')?;
    let loopback = host == "localhost" || host == "[::1]" || host.starts_with("127.");
    loopback.then(|| port.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_literal_ports_on_loopback_count() {
        assert_eq!(loopback_port("http://127.0.0.1:8081/x"), Some(8081));
        assert_eq!(loopback_port("localhost:9000"), Some(9000));
        assert_eq!(loopback_port("https://[::1]:1/"), Some(1));
        for other in [
            "http://backend",
            "http://10.0.0.1:80",
            "http://127.0.0.1:$port",
            "unix:/run/a.sock:/x",
            "http://127.0.0.1",
            "",
        ] {
            assert_eq!(loopback_port(other), None, "{other}");
        }
    }
}
