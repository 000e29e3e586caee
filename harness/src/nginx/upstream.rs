use std::collections::BTreeMap;

use super::Directive;

/// The first server of each `upstream` block, by the block's name.
#[derive(Debug, Default)]
pub(super) struct Upstreams {
    first_servers: BTreeMap<String, String>,
}

/// The directives that hand a request on, of nginx's own modules.
const PASSES: &[&str] = &[
    "proxy_pass",
    "fastcgi_pass",
    "uwsgi_pass",
    "scgi_pass",
    "grpc_pass",
];

impl Upstreams {
    /// Reads the blocks in `http`; a server that is marked `down` or `backup` is taken only where there is no other.
    pub(super) fn read(http: &[Directive]) -> Self {
        let mut first_servers = BTreeMap::new();
        for upstream in http.iter().filter(|d| d.name == "upstream") {
            let servers = || upstream.children().iter().filter(|d| d.name == "server");
            let is_spare = |server: &Directive| {
                let arguments = &server.arguments;
                arguments.iter().any(|a| a == "down" || a == "backup")
            };
            let first = servers()
                .find(|server| !is_spare(server))
                .or_else(|| servers().next());
            if let Some(server) = first {
                first_servers
                    .entry(upstream.argument().to_owned())
                    .or_insert_with(|| server.argument().to_owned());
            }
        }
        Self { first_servers }
    }

    /// Where the requests of a block go, the name of an upstream replaced by its first server; `None` where nginx answers itself.
    pub(super) fn of_block(&self, block: &Directive) -> Option<String> {
        block.children().iter().find_map(|child| {
            if PASSES.contains(&child.name.as_str()) {
                Some(self.resolve(child.argument()))
            } else if child.name == "if" || child.name == "limit_except" {
                self.of_block(child)
            } else {
                None
            }
        })
    }

    fn resolve(&self, written: &str) -> String {
        let (scheme, rest) = match written.find("://") {
            Some(at) => written.split_at(at + 3),
            None => ("", written),
        };
        let (host, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        match self.first_servers.get(host) {
            Some(server) if server.starts_with("unix:") && !path.is_empty() => {
                format!("{scheme}{server}:{path}")
            }
            Some(server) => format!("{scheme}{server}{path}"),
            None => written.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nginx::parse;

    fn pass(text: &str) -> Option<String> {
        let http = "upstream app { keepalive 8; server 10.0.0.9:1 down; server 127.0.0.1:8081 weight=2; } \
                    upstream sock { server unix:/run/app.sock; } location / { ";
        let text = format!("{http}{text} }}");
        let parsed = parse("", &text, &mut |_| Ok(Vec::new()));
        assert!(parsed.problems.is_empty());
        let upstreams = Upstreams::read(&parsed.directives);
        upstreams.of_block(parsed.directives.last()?)
    }

    #[test]
    fn names_are_resolved_and_other_places_kept() {
        for (written, expected) in [
            ("proxy_pass http://app;", "http://127.0.0.1:8081"),
            ("proxy_pass http://app/x;", "http://127.0.0.1:8081/x"),
            ("proxy_pass http://sock/x;", "http://unix:/run/app.sock:/x"),
            ("proxy_pass http://10.0.0.1:80;", "http://10.0.0.1:80"),
            ("proxy_pass http://$backend;", "http://$backend"),
            ("fastcgi_pass unix:/run/php.sock;", "unix:/run/php.sock"),
            ("fastcgi_pass app;", "127.0.0.1:8081"),
            ("grpc_pass grpc://app;", "grpc://127.0.0.1:8081"),
            (
                "if ($x) { proxy_pass http://app; }",
                "http://127.0.0.1:8081",
            ),
        ] {
            assert_eq!(pass(written).as_deref(), Some(expected), "{written}");
        }
    }

    #[test]
    fn what_nginx_answers_itself_has_no_upstream() {
        assert_eq!(pass("root /srv;"), None);
    }
}
