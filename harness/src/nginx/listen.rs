use super::Directive;
use crate::vocabulary::Listener;

/// What a `listen` directive says, as far as a client can make use of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listen {
    pub(super) listener: Listener,
    pub(super) is_default: bool,
    /// How well a client on IPv4 reaches it: the lower the better.
    pub(super) rank: u8,
}

/// Why a `listen` directive gives nothing to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unasked {
    /// A socket in the file system, or QUIC beside a TCP listener: left out without a word.
    Silently,
    /// Something that deserves a word in the report.
    Because(String),
}

/// Where nginx listens when a server does not say: `*:80`.
pub(super) fn default_listen() -> Listen {
    Listen {
        listener: Listener {
            address: None,
            port: 80,
            tls: false,
        },
        is_default: false,
        rank: 0,
    }
}

/// Parses a directive of `ngx_http_core_module`: `listen ADDRESS[:PORT] [ssl] [default_server] …`.
///
/// # Errors
/// The reason for which it is not to be asked.
pub(super) fn parse(directive: &Directive) -> Result<Listen, Unasked> {
    let place = directive.argument();
    let has = |flag: &str| directive.arguments.iter().skip(1).any(|a| a == flag);
    if place.starts_with("unix:") || has("quic") {
        return Err(Unasked::Silently);
    }
    if has("proxy_protocol") {
        let reason = format!("listen `{place}`: it expects the PROXY protocol");
        return Err(Unasked::Because(reason));
    }
    let (address, port) = split(place)
        .ok_or_else(|| Unasked::Because(format!("listen `{place}`: not understood")))?;
    let (address, rank) = match address {
        "" | "*" | "0.0.0.0" => (None, 0),
        "[::]" | "[::0]" => (Some(address.to_owned()), 2),
        other if other.starts_with('[') => (Some(other.to_owned()), 3),
        other => (Some(other.to_owned()), 1),
    };
    Ok(Listen {
        listener: Listener {
            address,
            port,
            tls: has("ssl"),
        },
        is_default: has("default_server") || has("default"),
        rank,
    })
}

/// Splits `80`, `*:80`, `127.0.0.1`, `[::1]:80`; a missing port is 80.
fn split(place: &str) -> Option<(&str, u16)> {
    if place.is_empty() {
        return None;
    }
    if place.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(("", place.parse().ok()?));
    }
    if place.starts_with('[') {
        let (address, rest) = place.split_at(place.find(']')? + 1);
        let port = match rest.strip_prefix(':') {
            Some(port) => port.parse().ok()?,
            None => 80,
        };
        return Some((address, port));
    }
    match place.split_once(':') {
        Some((address, port)) => Some((address, port.parse().ok()?)),
        None => Some((place, 80)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen(text: &str) -> Result<Listen, Unasked> {
        parse(&Directive {
            name: "listen".into(),
            arguments: text.split_whitespace().map(str::to_owned).collect(),
            block: None,
        })
    }

    #[test]
    fn every_form_has_an_address_and_a_port() {
        for (text, address, port, tls) in [
            ("80", None, 80, false),
            ("0.0.0.0:80 default_server", None, 80, false),
            ("*:8080", None, 8080, false),
            ("[::]:443 ssl", Some("[::]"), 443, true),
            ("443 ssl http2", None, 443, true),
            ("127.0.0.1", Some("127.0.0.1"), 80, false),
            ("[::1]:81", Some("[::1]"), 81, false),
            ("localhost:9000", Some("localhost"), 9000, false),
        ] {
            let expected = Listener {
                address: address.map(str::to_owned),
                port,
                tls,
            };
            assert_eq!(listen(text).unwrap().listener, expected, "{text}");
        }
    }

    #[test]
    fn what_a_client_cannot_ask_is_left_out() {
        assert_eq!(listen("unix:/run/nginx.sock"), Err(Unasked::Silently));
        assert_eq!(listen("0.0.0.0:443 quic reuseport"), Err(Unasked::Silently));
        for text in ["80 proxy_protocol", "", "a:b", "99999", "[::"] {
            assert!(matches!(listen(text), Err(Unasked::Because(_))), "{text}");
        }
    }
}
