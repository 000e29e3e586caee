use std::fmt;

/// Where a service on the same machine listens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// TCP, on loopback or on every address.
    Port(u16),
    /// A socket of the file system, `/var/run` written as `/run`.
    Socket(String),
}

impl Place {
    /// Where nginx passes requests on to: of `http://127.0.0.1:8081/path`, `localhost:9000` or `http://unix:/run/x.sock:/uri`.
    ///
    /// `None` for other hosts, variables, and names of `upstream` blocks.
    pub fn of_upstream(written: &str) -> Option<Self> {
        let rest = written.split_once("://").map_or(written, |(_, rest)| rest);
        match rest.strip_prefix("unix:") {
            Some(path) => Self::of_socket(path.split(':').next()?),
            None => loopback_port(rest).map(Self::Port),
        }
    }

    /// That of a socket's path; `None` where it is none, or has a variable.
    pub fn of_socket(path: &str) -> Option<Self> {
        let path = path
            .strip_prefix("/var")
            .filter(|rest| rest.starts_with("/run/"))
            .unwrap_or(path);
        let is_plain = path.starts_with('/') && !path.contains('$') && !path.ends_with('/');
        is_plain.then(|| Self::Socket(path.to_owned()))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(port) => write!(f, "port {port}"),
            Self::Socket(path) => f.write_str(path),
        }
    }
}

fn loopback_port(rest: &str) -> Option<u16> {
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
        let port = |written| Place::of_upstream(written);
        assert_eq!(port("http://127.0.0.1:8081/x"), Some(Place::Port(8081)));
        assert_eq!(port("localhost:9000"), Some(Place::Port(9000)));
        assert_eq!(port("https://[::1]:1/"), Some(Place::Port(1)));
        for other in [
            "http://backend",
            "http://10.0.0.1:80",
            "http://127.0.0.1:$port",
            "http://127.0.0.1",
            "",
        ] {
            assert_eq!(port(other), None, "{other}");
        }
    }

    #[test]
    fn sockets_are_one_however_they_are_written() {
        for written in [
            "unix:/run/a/x.sock",
            "http://unix:/run/a/x.sock:/uri",
            "http://unix:/var/run/a/x.sock",
            "grpc://unix:/run/a/x.sock",
            "uwsgi://unix:/run/a/x.sock",
        ] {
            let place = Place::of_upstream(written);
            assert_eq!(
                place,
                Some(Place::Socket("/run/a/x.sock".to_owned())),
                "{written}"
            );
        }
        for other in ["unix:", "unix:/run/$x.sock", "http://unix:/run/", "unix:x"] {
            assert_eq!(Place::of_upstream(other), None, "{other}");
        }
    }
}
