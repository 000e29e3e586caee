use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ClosureFacts, HttpEndpoint, Listener};

/// A request of the user's that must be answered in every state of the candidate, as `bootproof.toml` has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    pub asks: Asks,
    /// The status that must come; `None` for any below 500.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect_status: Option<u16>,
    /// A regular expression (of the regex crate) that the beginning of the body must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The name that the certificate must be for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_name: Option<String>,
}

/// Whose certificate came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "result", deny_unknown_fields)]
pub enum Certificate {
    /// That of the name that a probe expects.
    OfName,
    /// Another one, or none.
    Other { reason: String },
}

/// What a probe asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asks {
    /// The path, of every name and port that nginx serves.
    Path(String),
    /// One URL.
    Url {
        tls: bool,
        /// The virtual host: sent as `Host`, and as TLS's server name.
        name: String,
        port: u16,
        path: String,
    },
}

impl Probe {
    /// What is to be asked of a machine that runs this closure; nothing where a path is asked for and nginx serves none.
    pub fn endpoints(&self, facts: &ClosureFacts) -> Vec<HttpEndpoint> {
        let mut all: Vec<HttpEndpoint> = match &self.asks {
            Asks::Path(path) => facts
                .http
                .iter()
                .map(|known| HttpEndpoint {
                    path: path.clone(),
                    upstream: None,
                    ..known.clone()
                })
                .collect(),
            Asks::Url {
                tls,
                name,
                port,
                path,
            } => vec![HttpEndpoint {
                listener: Listener {
                    // Where nginx listens on one address alone, the loopback is not it.
                    address: facts
                        .http
                        .iter()
                        .find(|known| known.listener.port == *port && known.server_name == *name)
                        .and_then(|known| known.listener.address.clone()),
                    port: *port,
                    tls: *tls,
                },
                server_name: name.clone(),
                path: path.clone(),
                upstream: None,
            }],
        };
        all.sort();
        all.dedup();
        // One name and port may have listeners of two families: either stands for it.
        all.dedup_by(|a, b| a.url() == b.url());
        all
    }
}

/// What is expected, as it is told: `a status below 500, and a body that matches \`ok\``.
impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.expect_status {
            Some(code) => write!(f, "status {code}")?,
            None => write!(f, "a status below 500")?,
        }
        if let Some(pattern) = &self.body {
            write!(f, ", and a body that matches `{pattern}`")?;
        }
        match &self.tls_name {
            Some(name) => write!(f, ", and a certificate for {name}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn urls(asks: Asks) -> Vec<String> {
        let probe = Probe {
            asks,
            expect_status: None,
            body: None,
            tls_name: None,
        };
        let endpoints = probe.endpoints(&testing::plan().candidate);
        endpoints.iter().map(HttpEndpoint::url).collect()
    }

    #[test]
    fn a_path_is_asked_of_every_name_and_a_url_once() {
        assert_eq!(
            urls(Asks::Path("/health".to_owned())),
            [
                "http://alpha.example/health",
                "http://beta.example/health",
                "http://gamma.example/health"
            ]
        );
        let url = Asks::Url {
            tls: true,
            name: "a.example".to_owned(),
            port: 8443,
            path: "/".to_owned(),
        };
        assert_eq!(urls(url), ["https://a.example:8443/"]);
    }
}
