use std::collections::BTreeMap;
use std::fmt::Write;

use super::Directive;
use super::upstream::Upstreams;

/// A path to ask a server for, and where nginx passes it on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) path: String,
    pub(super) upstream: Option<String>,
}

/// How a `location` matches.
enum Match<'a> {
    Exact(&'a str),
    Prefix(&'a str),
    /// A regular expression, which names no path, or `@name`, which no client can ask for.
    Other,
}

/// The paths worth asking for: `/`, then each prefix or exact location that passes requests on, nested ones too.
///
/// Left out: what answers a certificate authority, what is `internal`, and what closes the connection (`return 444`).
pub(super) fn places(server: &Directive, upstreams: &Upstreams) -> Vec<Place> {
    if closes(server) {
        return Vec::new();
    }
    if server.child("return").is_some() {
        return vec![Place {
            path: "/".to_owned(),
            upstream: None,
        }];
    }
    let mut found = Found::default();
    found.collect(server, upstreams);
    let root = found
        .exact
        .remove("/")
        .or_else(|| found.prefix.remove("/"))
        .unwrap_or(Answer::Itself);
    found.prefix.remove("/");
    let mut answers = vec![("/".to_owned(), root)];
    for (path, answer) in found.exact {
        found.prefix.remove(&path);
        answers.push((path, answer));
    }
    answers.extend(found.prefix);
    answers[1..].sort_by(|a, b| a.0.cmp(&b.0));
    answers
        .into_iter()
        .filter_map(|(path, answer)| match answer {
            Answer::Passed(upstream) => Some((path, Some(upstream))),
            Answer::Itself if path == "/" => Some((path, None)),
            Answer::Itself | Answer::Never => None,
        })
        .map(|(path, upstream)| Place {
            path: encode(&path),
            upstream,
        })
        .collect()
}

enum Answer {
    Passed(String),
    Itself,
    Never,
}

#[derive(Default)]
struct Found {
    exact: BTreeMap<String, Answer>,
    prefix: BTreeMap<String, Answer>,
}

impl Found {
    fn collect(&mut self, parent: &Directive, upstreams: &Upstreams) {
        for location in parent.children().iter().filter(|d| d.name == "location") {
            let answer = || {
                if closes(location) || location.child("internal").is_some() {
                    return Answer::Never;
                }
                match upstreams.of_block(location) {
                    Some(upstream) => Answer::Passed(upstream),
                    None => Answer::Itself,
                }
            };
            match match_of(location) {
                Match::Exact(path) if is_askable(path) => {
                    self.exact.entry(path.to_owned()).or_insert_with(answer);
                }
                Match::Prefix(path) if is_askable(path) => {
                    self.prefix.entry(path.to_owned()).or_insert_with(answer);
                    self.collect(location, upstreams);
                }
                Match::Exact(_) | Match::Prefix(_) | Match::Other => {}
            }
        }
    }
}

fn match_of(location: &Directive) -> Match<'_> {
    match location.arguments.as_slice() {
        [modifier, path] => match modifier.as_str() {
            "=" => Match::Exact(path),
            "^~" => Match::Prefix(path),
            _ => Match::Other,
        },
        // The modifier may be glued to the path.
        [path] => match path.split_at_checked(1) {
            Some(("=", path)) => Match::Exact(path),
            Some(("~" | "@", _)) => Match::Other,
            _ => Match::Prefix(path.strip_prefix("^~").unwrap_or(path)),
        },
        _ => Match::Other,
    }
}

fn is_askable(path: &str) -> bool {
    path.starts_with('/') && !path.starts_with("/.well-known/acme-challenge")
}

/// `return 444` closes the connection without an answer.
fn closes(block: &Directive) -> bool {
    block
        .child("return")
        .is_some_and(|directive| directive.argument() == "444")
}

/// nginx compares decoded paths: what a request line cannot hold is encoded.
fn encode(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_graphic() && !b"%?#\"<>\\^`{|}".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nginx::parse;

    fn paths(text: &str) -> Vec<(String, bool)> {
        let text = format!("server {{ {text} }}");
        let parsed = parse("", &text, &mut |_| Ok(Vec::new()));
        places(&parsed.directives[0], &Upstreams::default())
            .into_iter()
            .map(|place| (place.path, place.upstream.is_some()))
            .collect()
    }

    fn path(path: &str, passed: bool) -> (String, bool) {
        (path.to_owned(), passed)
    }

    #[test]
    fn the_root_and_what_is_passed_on_are_asked_for() {
        let found = paths(
            "location /static { root /srv; } location = /exact { proxy_pass http://a; } \
             location ^~ /api/ { proxy_pass http://b; location /api/v2 { grpc_pass c; } } location /a%b { uwsgi_pass u; }",
        );
        assert_eq!(
            found,
            [
                path("/", false),
                path("/a%25b", true),
                path("/api/", true),
                path("/api/v2", true),
                path("/exact", true)
            ]
        );
    }

    #[test]
    fn an_exact_root_answers_before_a_prefix() {
        let found = paths("location / { proxy_pass http://a; } location =/ { root /srv; }");
        assert_eq!(found, [path("/", false)]);
    }

    #[test]
    fn what_cannot_be_asked_for_is_left_out() {
        let found = paths(
            "location ~ \\.php$ { fastcgi_pass f; } location @app { proxy_pass http://a; } \
             location /.well-known/acme-challenge { proxy_pass http://b; } location /i { internal; proxy_pass http://c; } \
             location /closed { return 444; proxy_pass http://d; } location / { return 444; }",
        );
        assert_eq!(found, []);
    }

    #[test]
    fn a_server_that_only_returns_is_asked_for_its_root() {
        let found = paths("return 301 https://x; location /a { proxy_pass http://a; }");
        assert_eq!(found, [path("/", false)]);
        assert_eq!(paths("return 444;"), []);
    }
}
