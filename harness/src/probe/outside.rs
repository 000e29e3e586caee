//! One HTTP request through a port that QEMU forwards.

use std::io::{self, Read as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use ureq::Agent;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::TlsConfig;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use crate::vocabulary::{HttpAnswer, HttpEndpoint};

/// More of a body says nothing more.
const BODY_LIMIT: u64 = 1 << 20;

/// Asks for `endpoint` on the loopback port `port`, and blocks until the answer or `deadline`.
///
/// The name is resolved to the loopback, so that `Host` and TLS's server name are the virtual host's own. Certificates
/// are not verified: in a rehearsal they are placeholders. Redirects are answers, and not followed.
pub fn ask(endpoint: &HttpEndpoint, port: u16, deadline: Duration) -> HttpAnswer {
    ask_for_body(endpoint, port, deadline).answer
}

/// An answer, and the beginning of its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    pub answer: HttpAnswer,
    /// At most 64 KiB of it, as text; `None` where there is no answer.
    pub body: Option<String>,
}

/// As [`ask`], with the body.
pub fn ask_for_body(endpoint: &HttpEndpoint, port: u16, deadline: Duration) -> Answered {
    let without_body = |answer| Answered { answer, body: None };
    let config = Config::builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(deadline))
        .proxy(None)
        .user_agent("bootproof")
        .tls_config(TlsConfig::builder().disable_verification(true).build())
        .build();
    let agent = Agent::with_parts(config, DefaultConnector::new(), Loopback { port });
    match agent.get(endpoint.url()).call() {
        Ok(mut response) => {
            let code = response.status().as_u16();
            let mut body = Vec::new();
            let reader = response.body_mut().as_reader();
            match reader.take(BODY_LIMIT).read_to_end(&mut body) {
                Ok(length) => Answered {
                    answer: HttpAnswer::Status {
                        code,
                        body_bytes: u64::try_from(length).unwrap_or(u64::MAX),
                    },
                    body: Some(beginning(&body)),
                },
                Err(error) => without_body(of_io(&error)),
            }
        }
        Err(ureq::Error::Timeout(_)) => without_body(HttpAnswer::TimedOut),
        Err(ureq::Error::Io(error)) => without_body(of_io(&error)),
        Err(error) => without_body(HttpAnswer::Failed {
            reason: error.to_string(),
        }),
    }
}

/// What of a body is kept, in bytes.
const KEPT: usize = 64 << 10;

fn beginning(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(KEPT)]).into_owned()
}

fn of_io(error: &io::Error) -> HttpAnswer {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => HttpAnswer::Refused,
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => HttpAnswer::TimedOut,
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => HttpAnswer::Reset,
        _ => HttpAnswer::Failed {
            reason: error.to_string(),
        },
    }
}

/// Every name is the loopback's one port.
#[derive(Debug)]
struct Loopback {
    port: u16,
}

impl Resolver for Loopback {
    fn resolve(
        &self,
        _uri: &Uri,
        _config: &Config,
        _timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut addresses = self.empty();
        addresses.push(SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)));
        Ok(addresses)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::TcpListener;

    use super::*;
    use crate::vocabulary::Listener;

    fn endpoint() -> HttpEndpoint {
        HttpEndpoint {
            listener: Listener {
                address: None,
                port: 80,
                tls: false,
            },
            server_name: "alpha.example".to_owned(),
            path: "/x".to_owned(),
            upstream: None,
        }
    }

    /// Serves one connection with `answer`, gives the request that came.
    fn serve(answer: &'static str) -> (u16, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        (port, server)
    }

    #[test]
    fn the_virtual_host_is_asked_by_its_name() {
        let (port, server) = serve("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nbad");
        let answer = ask(&endpoint(), port, Duration::from_secs(10));
        assert_eq!(
            answer,
            HttpAnswer::Status {
                code: 502,
                body_bytes: 3
            }
        );
        let request = server.join().unwrap();
        assert!(request.starts_with("GET /x HTTP/1.1\r\n"), "{request}");
        assert!(
            request
                .to_ascii_lowercase()
                .contains("host: alpha.example\r\n"),
            "{request}"
        );
    }

    #[test]
    fn a_redirect_is_an_answer() {
        let (port, _server) = serve(
            "HTTP/1.1 301 Moved\r\nLocation: https://alpha.example/\r\nContent-Length: 0\r\n\r\n",
        );
        let answer = ask(&endpoint(), port, Duration::from_secs(10));
        assert!(
            matches!(answer, HttpAnswer::Status { code: 301, .. }),
            "{answer:?}"
        );
    }

    #[test]
    fn nobody_listening_is_refused_and_a_closed_connection_is_reset() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        assert_eq!(
            ask(&endpoint(), port, Duration::from_secs(10)),
            HttpAnswer::Refused
        );
        let (port, _server) = serve("");
        assert_eq!(
            ask(&endpoint(), port, Duration::from_secs(10)),
            HttpAnswer::Reset
        );
    }

    #[test]
    fn silence_times_out() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(
            ask(&endpoint(), port, Duration::from_millis(200)),
            HttpAnswer::TimedOut
        );
    }
}
