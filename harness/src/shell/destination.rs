use std::fmt;
use std::str::FromStr;

/// Whose shell it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// This machine's.
    Local,
    /// What `ssh` takes for a destination: `root@host`, `host` or `ssh://root@host:2222`, an alias of its configuration included.
    Ssh(String),
}

/// A text that `ssh` would not take for a destination.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{0}` is no destination of ssh: it is written `root@host`, `host` or `ssh://root@host:22`"
)]
pub struct BadDestination(String);

impl FromStr for Destination {
    type Err = BadDestination;

    /// Refuses what `ssh` would take for an option, and what no name of a host has.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "@.-_:/[]%+~".contains(c);
        let host = text.strip_prefix("ssh://").unwrap_or(text);
        let named = host.rsplit_once('@').map_or(host, |(_, host)| host);
        if host.starts_with('-')
            || named.is_empty()
            || named.starts_with('-')
            || !text.chars().all(plain)
        {
            return Err(BadDestination(text.to_owned()));
        }
        Ok(Self::Ssh(text.to_owned()))
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str("this machine"),
            Self::Ssh(destination) => f.write_str(destination),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ssh_takes_is_taken() {
        for text in [
            "root@web",
            "web",
            "ssh://root@web.example.org:2222",
            "root@[::1]",
        ] {
            assert_eq!(text.parse(), Ok(Destination::Ssh(text.to_owned())));
        }
    }

    #[test]
    fn options_and_commands_are_refused() {
        for text in [
            "",
            "-oProxyCommand=x",
            "root@",
            "root@-x",
            "ssh://-x",
            "web;reboot",
            "a b",
            "$(x)",
        ] {
            let parsed: Result<Destination, _> = text.parse();
            assert!(parsed.is_err(), "{text}");
        }
    }
}
