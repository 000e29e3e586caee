//! `[[hosts.NAME.probes]]`: what the host must answer in every state of the candidate.

use regex::RegexBuilder;
use serde::{Deserialize, Serialize};

use super::ConfigurationError;
use crate::vocabulary::{Asks, Probe};

/// One table, as it is written.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct WrittenProbe {
    /// Asked of every name and port that nginx serves.
    path: Option<String>,
    /// `https://NAME:PORT/PATH`, in place of `path`.
    url: Option<String>,
    expect_status: Option<u16>,
    /// A regular expression; a plain word is one that matches itself.
    body: Option<String>,
    /// The name that the certificate must be for.
    tls_name: Option<String>,
}

/// Each is several requests in each state.
const LIMIT: usize = 100;
const LENGTH_LIMIT: usize = 2048;
/// A compiled pattern takes no more memory than this.
const PATTERN_LIMIT: usize = 1 << 20;

/// The probes, of which `place` has so many.
///
/// # Errors
/// When one asks for nothing that can be asked; the error tells its place and number.
pub fn read(written: &[WrittenProbe], place: &str) -> Result<Vec<Probe>, ConfigurationError> {
    let one = |(n, table): (usize, &WrittenProbe)| {
        let probe = if n < LIMIT {
            of_table(table)
        } else {
            Err(format!("more than {LIMIT} would take too long"))
        };
        probe.map_err(|reason| ConfigurationError::Entry {
            place: place.to_owned(),
            number: n + 1,
            reason,
        })
    };
    written.iter().enumerate().map(one).collect()
}

fn of_table(table: &WrittenProbe) -> Result<Probe, String> {
    let asks = match (&table.path, &table.url) {
        (Some(path), None) if is_path(path) => Asks::Path(path.clone()),
        (Some(path), None) => return Err(format!("path = {path:?} is none: it begins with `/`")),
        (None, Some(url)) => of_url(url)
            .ok_or_else(|| format!("url = {url:?} is none: write `https://NAME:PORT/PATH`"))?,
        (Some(_), Some(_)) => return Err("it has both `path` and `url`: leave one out".into()),
        (None, None) => return Err("it names neither a `path` nor a `url`".into()),
    };
    if let Some(name) = &table.tls_name {
        if !matches!(asks, Asks::Url { tls: true, .. }) {
            return Err("tls_name needs a `url` that begins with https://".to_owned());
        }
        if !is_name(name) {
            return Err(format!("tls_name = {name:?} is no name of a server"));
        }
    }
    if let Some(code) = table.expect_status
        && !(100..=599).contains(&code)
    {
        return Err(format!("expect_status = {code} is no status of HTTP"));
    }
    if let Some(pattern) = &table.body {
        let compiled = RegexBuilder::new(pattern).size_limit(PATTERN_LIMIT).build();
        compiled.map_err(|error| format!("body is no regular expression: {error}"))?;
    }
    Ok(Probe {
        asks,
        expect_status: table.expect_status,
        body: table.body.clone(),
        tls_name: table.tls_name.clone(),
    })
}

pub(super) fn is_url(text: &str) -> bool {
    of_url(text).is_some()
}

/// A virtual host by its name, without credentials and fragment.
fn of_url(url: &str) -> Option<Asks> {
    let (scheme, rest) = url.split_once("://")?;
    let (tls, own_port) = match scheme {
        "http" => (false, 80),
        "https" => (true, 443),
        _ => return None,
    };
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let (name, port) = match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => {
            (name, port.parse().ok()?)
        }
        _ => (authority, own_port),
    };
    (is_name(name) && port != 0 && is_path(path)).then(|| Asks::Url {
        tls,
        name: name.to_owned(),
        port,
        path: path.to_owned(),
    })
}

fn is_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    !name.is_empty() && name.len() <= 253 && name.bytes().all(plain)
}

/// What can stand in the first line of a request as it is (RFC 9112, 3.2).
fn is_path(path: &str) -> bool {
    path.starts_with('/')
        && path.len() <= LENGTH_LIMIT
        && path
            .bytes()
            .all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&b))
}

#[cfg(test)]
mod tests {
    use crate::config::parse;
    use crate::vocabulary::{Asks, Probe};

    fn read(table: &str) -> Result<Vec<Probe>, String> {
        let text = format!("format_version = 1\n[[hosts.web.probes]]\n{table}\n");
        let config = parse(&text).map_err(|error| error.to_string())?;
        Ok(config.host("web").ok_or("no host")?.settings.probes)
    }

    #[test]
    fn a_url_is_a_name_a_port_and_a_path() {
        for (url, tls, name, port, path) in [
            ("http://a.example", false, "a.example", 80, "/"),
            ("https://a.example/x?y=1", true, "a.example", 443, "/x?y=1"),
            ("http://a-b.example:8080/", false, "a-b.example", 8080, "/"),
        ] {
            let probes = read(&format!(
                "url = \"{url}\"\nexpect_status = 204\nbody = \"ok\""
            ))
            .unwrap();
            let (name, path) = (name.to_owned(), path.to_owned());
            let asks = Asks::Url {
                tls,
                name,
                port,
                path,
            };
            let body = Some("ok".to_owned());
            assert_eq!(
                probes,
                [Probe {
                    asks,
                    expect_status: Some(204),
                    tls_name: None,
                    body
                }]
            );
        }
        let path = read("path = \"/health\"").unwrap();
        assert_eq!(path[0].asks, Asks::Path("/health".to_owned()));
    }

    #[test]
    fn what_cannot_be_asked_is_told() {
        for (table, words) in [
            ("", "neither"),
            ("path = \"/\"\nurl = \"http://a/\"", "both"),
            ("path = \"health\"", "begins with `/`"),
            ("path = \"/a b\"", "path ="),
            ("path = \"/\\r\\nHost: b\"", "path ="),
            ("url = \"ftp://a/\"", "https://NAME:PORT/PATH"),
            ("url = \"http://\"", "url ="),
            ("url = \"http://u@a/\"", "url ="),
            ("url = \"http://a:0/\"", "url ="),
            ("url = \"http://a:99999/\"", "url ="),
            ("path = \"/\"\nexpect_status = 99", "no status"),
            ("path = \"/\"\nbody = \"(\"", "no regular expression"),
            (
                "path = \"/\"\nbody = \"(a{999}){999}\"",
                "no regular expression",
            ),
            ("path = \"/\"\ntls_name = \"a\"", "needs a `url`"),
            ("url = \"http://a/\"\ntls_name = \"a\"", "needs a `url`"),
            ("url = \"https://a/\"\ntls_name = \"a b\"", "no name"),
            (
                "path = \"/\"\nexpected_status = 200",
                "did you mean `expect_status`?",
            ),
        ] {
            let told = read(table).unwrap_err();
            assert!(told.contains(words), "{table}: {told}");
        }
    }
}
