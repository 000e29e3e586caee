//! `nix-copy-closure`, which both fetches from a host and copies to it.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use super::Failure;
use crate::offspring::die_with_parent;

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    To,
    From,
}

/// The command for a store and a host, to which the paths are added. What is there already is left out, and `NIX_SSHOPTS` counts.
pub(super) fn command(store: &Path, way: Way, host: &str, options: &[&str]) -> Command {
    let mut command = Command::new("nix-copy-closure");
    let (host, port) = without_port(host);
    if let Some(port) = port {
        let options = std::env::var("NIX_SSHOPTS").unwrap_or_default();
        command.env("NIX_SSHOPTS", format!("{options} -p {port}").trim());
    }
    if store != Path::new("/") {
        command.arg("--store").arg(store);
    }
    command
        .args(options)
        .args([if way == Way::To { "--to" } else { "--from" }, host])
        .stdin(Stdio::null())
        .stdout(io::stderr());
    die_with_parent(&mut command);
    command
}

/// That it could not be started.
pub(super) fn not_started(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::NotFound => {
            "`nix-copy-closure` is not installed, and closures are copied with it: install Nix, or copy the closure yourself"
                .into()
        }
        _ => format!("cannot start `nix-copy-closure`: {error}").into(),
    }
}

/// What `nix-copy-closure` takes for a host: it puts `ssh://` before it, and older ones know no port.
fn without_port(destination: &str) -> (&str, Option<&str>) {
    let Some(host) = destination.strip_prefix("ssh://") else {
        return (destination, None);
    };
    let host = host.trim_end_matches('/');
    match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => {
            (name, Some(port))
        }
        _ => (host, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_told_to_ssh_and_not_to_nix() {
        assert_eq!(without_port("root@web"), ("root@web", None));
        assert_eq!(without_port("ssh://root@web"), ("root@web", None));
        assert_eq!(
            without_port("ssh://root@web:2222"),
            ("root@web", Some("2222"))
        );
        assert_eq!(
            without_port("ssh://root@[::1]:22"),
            ("root@[::1]", Some("22"))
        );
        assert_eq!(without_port("ssh://root@[::1]"), ("root@[::1]", None));
        assert_eq!(without_port("root@[::1]"), ("root@[::1]", None));
    }
}
