use std::collections::{BTreeMap, BTreeSet};

use super::Directive;
use super::listen::{self, Listen, Unasked};
use super::location::{self, Place};
use super::upstream::Upstreams;
use crate::vocabulary::{HttpEndpoint, Listener};

/// As many as a rehearsal can ask for in each state.
const MAX_ENDPOINTS: usize = 200;
/// Endpoints that are looked at: listeners, names and locations multiply.
const MAX_LISTED: usize = 20_000;
/// Aliases of one server lead to the same locations.
const MAX_NAMES: usize = 8;

/// What a server can be asked for, in the configuration's order, and what was left out of it: the subject, then why.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    pub endpoints: Vec<HttpEndpoint>,
    pub problems: Vec<(String, String)>,
}

/// Lists every listener × name × location of every `server` in `http`.
///
/// Listeners of one server on the same port count once, IPv4 preferred. A server without a plain name is asked for as `localhost`
/// where it is the listener's default, for elsewhere another server would answer.
pub fn endpoints(directives: &[Directive]) -> Endpoints {
    let mut found = Endpoints::default();
    let mut seen = BTreeSet::new();
    let mut listed = 0;
    for http in directives.iter().filter(|d| d.name == "http") {
        let upstreams = Upstreams::read(http.children());
        let servers: Vec<Server> = http
            .children()
            .iter()
            .filter(|d| d.name == "server")
            .map(|server| Server::read(server, &upstreams, &mut found.problems))
            .collect();
        let defaults = default_servers(&servers);
        for (index, server) in servers.iter().enumerate() {
            let left = MAX_LISTED - listed;
            let endpoints = server.endpoints(index, &defaults, left, &mut found.problems);
            listed += endpoints.len();
            for endpoint in endpoints {
                let key = (
                    endpoint.listener.clone(),
                    endpoint.server_name.clone(),
                    endpoint.path.clone(),
                );
                // Of two servers with one name on one listener nginx takes the first.
                if seen.insert(key) {
                    found.endpoints.push(endpoint);
                }
            }
        }
    }
    if found.endpoints.len() > MAX_ENDPOINTS {
        let left_out = found.endpoints.split_off(MAX_ENDPOINTS);
        let first = left_out.first().map(HttpEndpoint::url).unwrap_or_default();
        let number = left_out.len();
        let reason = match listed {
            MAX_LISTED => format!("at least {number} endpoints are left out, from {first} on"),
            _ => format!("{number} endpoints are left out, from {first} on"),
        };
        found.problems.push(("nginx".to_owned(), reason));
    }
    found
}

struct Server {
    listens: Vec<Listen>,
    names: Vec<String>,
    places: Vec<Place>,
}

/// For each address and port, the server that answers for names that no server has.
type Defaults = BTreeMap<(Option<String>, u16), usize>;

impl Server {
    fn read(
        server: &Directive,
        upstreams: &Upstreams,
        problems: &mut Vec<(String, String)>,
    ) -> Self {
        let names = names_of(server);
        let subject = names.first().map_or("nginx server", String::as_str);
        let is_on = |name: &str| server.child(name).is_some_and(|d| d.argument() == "on");
        let mut listens = Vec::new();
        let mut has_listen = false;
        for directive in server.children().iter().filter(|d| d.name == "listen") {
            has_listen = true;
            match listen::parse(directive) {
                // `ssl on` is how it was said before nginx 1.15.
                Ok(mut listen) => {
                    listen.listener.tls |= is_on("ssl");
                    listens.push(listen);
                }
                Err(Unasked::Silently) => {}
                Err(Unasked::Because(reason)) => problems.push((subject.to_owned(), reason)),
            }
        }
        if !has_listen {
            listens.push(listen::default_listen());
        }
        let places = location::places(server, upstreams);
        let rejects_tls = is_on("ssl_reject_handshake");
        listens.retain(|listen| !(rejects_tls && listen.listener.tls));
        Self {
            listens,
            names,
            places,
        }
    }

    fn endpoints(
        &self,
        index: usize,
        defaults: &Defaults,
        most: usize,
        problems: &mut Vec<(String, String)>,
    ) -> Vec<HttpEndpoint> {
        let mut endpoints = Vec::new();
        for listen in self.best_listens() {
            let is_default = defaults.get(&key(&listen.listener)) == Some(&index);
            let names = match self.names.as_slice() {
                [] if is_default => vec!["localhost".to_owned()],
                [] => {
                    let port = listen.listener.port;
                    let reason = format!("a server on port {port} has no plain name to ask for");
                    let problem = ("nginx server".to_owned(), reason);
                    let is_told = problems.len() < MAX_ENDPOINTS && !problems.contains(&problem);
                    if !self.places.is_empty() && is_told {
                        problems.push(problem);
                    }
                    continue;
                }
                names => names.to_vec(),
            };
            for server_name in names {
                let left = most - endpoints.len();
                let places = self.places.iter().take(left);
                endpoints.extend(places.map(|place| HttpEndpoint {
                    listener: listen.listener.clone(),
                    server_name: server_name.clone(),
                    path: place.path.clone(),
                    upstream: place.upstream.clone(),
                }));
            }
        }
        endpoints
    }

    /// One listener for each port, with and without TLS, in the order of their first mention.
    fn best_listens(&self) -> Vec<&Listen> {
        let mut best: Vec<&Listen> = Vec::new();
        let mut places = BTreeMap::new();
        for listen in &self.listens {
            let key = (listen.listener.port, listen.listener.tls);
            let place = *places.entry(key).or_insert(best.len());
            match best.get_mut(place) {
                Some(other) if listen.rank < other.rank => *other = listen,
                Some(_) => {}
                None => best.push(listen),
            }
        }
        best
    }
}

fn key(listener: &Listener) -> (Option<String>, u16) {
    (listener.address.clone(), listener.port)
}

/// The first server of each listener, unless another is marked as its default.
fn default_servers(servers: &[Server]) -> Defaults {
    let mut defaults = Defaults::new();
    let listens = || {
        servers
            .iter()
            .enumerate()
            .flat_map(|(index, server)| server.listens.iter().map(move |listen| (index, listen)))
    };
    for (index, listen) in listens() {
        defaults.entry(key(&listen.listener)).or_insert(index);
    }
    for (index, listen) in listens().filter(|(_, listen)| listen.is_default) {
        defaults.insert(key(&listen.listener), index);
    }
    defaults
}

/// The names that a client can send: no patterns, no variables, no catch-all; `.example.org` stands for `example.org` too.
fn names_of(server: &Directive) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let written = server
        .children()
        .iter()
        .filter(|directive| directive.name == "server_name")
        .flat_map(|directive| &directive.arguments);
    for name in written {
        let name = name.strip_prefix('.').unwrap_or(name).to_ascii_lowercase();
        let is_plain = !name.is_empty()
            && name != "_"
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-_[]:".contains(&byte));
        if is_plain && !names.contains(&name) && names.len() < MAX_NAMES {
            names.push(name);
        }
    }
    names
}

#[cfg(test)]
mod tests;
