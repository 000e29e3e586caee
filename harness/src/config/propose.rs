//! A first `bootproof.toml` for a closure, commented. Pure: the command line writes it.
//!
//! What begins with `#` and no space is to be taken in by taking the `#` away; the rest of the comments is for people. Names come from the
//! closure's files, and stay within their line.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{probes, seeds};
use crate::vocabulary::{ClosureFacts, DiskBus, HttpEndpoint};

/// What a closure says of the machine that it is for.
#[derive(Debug, Clone)]
pub struct Proposal<'a> {
    /// What the host is to be called in the file.
    pub host: &'a str,
    pub facts: &'a ClosureFacts,
    /// What the rehearsal would choose.
    pub disk_bus: DiskBus,
    /// Files that the machine has to have and the closure has not: the path, and what opens it.
    pub needed: &'a [(String, String)],
}

/// More are named in a report.
const PROBES_SHOWN: usize = 20;
const FILES_SHOWN: usize = 100;
const LINE: usize = 120;

/// The text of the file. It is read again as it stands, and with every `#` taken away that has no space after it.
pub fn propose(proposal: &Proposal<'_>) -> String {
    let facts = proposal.facts;
    let host = key(proposal.host);
    let mut text = String::new();
    let mut say = |line: &str| {
        let _ = writeln!(text, "{line}");
    };
    say(&format!(
        "# Made by `bootproof init` for {}.",
        facts.toplevel.base_name()
    ));
    say("# What begins with `#` and no space is to be taken in by taking the `#` away.");
    say("format_version = 1");
    say("");
    say(
        "# Where receipts lie, beside this file, and whose signatures count: `bootproof key generate NAME FILE` prints a line for here.",
    );
    say("#receipts = \"receipts\"");
    say("trusted_keys = []");
    say("");
    say(
        "# What a receipt must show before the gate opens; a host may say otherwise in its own table.",
    );
    say("[policy]");
    say("#steps = [\"boot\", \"switch\", \"warm-reboot\"]");
    say("#cycles = 1");
    say("#max_age = \"14 days\"");
    say("#accelerators = [\"kvm\", \"tcg\"]");
    say("");
    say(&format!("[hosts.{host}]"));
    match &facts.system {
        Some(system) => {
            say(
                "# What the candidate's kernel is for: make sure that it is what this machine is meant to run, and not what a tool made of it.",
            );
            say(&format!("expect_system = {}", quoted(system.as_str())));
        }
        None => say("#expect_system = \"x86_64-linux\""),
    }
    say("");
    say("# The machine itself, which no closure knows.");
    say(&format!("[hosts.{host}.target]"));
    say("#system = \"x86_64-linux\"");
    say("#memory_mib = 1024");
    say("#cores = 2");
    let drivers: Vec<&str> = facts
        .initrd_drivers
        .iter()
        .map(|driver| driver.bus().as_str())
        .collect();
    say(&format!(
        "# How its disk is attached; stage 1 can drive {}.",
        if drivers.is_empty() {
            "no disk that bootproof knows".to_owned()
        } else {
            drivers.join(", ")
        }
    ));
    say(&format!(
        "#disk_bus = {}",
        quoted(proposal.disk_bus.as_str())
    ));
    for file_system in &facts.file_systems {
        say(&comment(&format!(
            "{} is {} on {}",
            file_system.mount_point, file_system.fs_type, file_system.device
        )));
    }
    if facts.file_systems.iter().any(|f| f.mount_point == "/boot") {
        say("# What is free on /boot (`df -m /boot`).");
        say("#boot_free_mib = 200");
    }
    for line in probe_lines(&host, facts) {
        say(&line);
    }
    for line in file_lines(&host, proposal.needed) {
        say(&line);
    }
    say("");
    say(
        "# A fault that somebody answers for, by the id that the report shows, or all that is found about a `unit`.",
    );
    say(&format!("#[[hosts.{host}.suppressions]]"));
    say("#finding = \"*/unit-failed/acme-*.service\"");
    say("#reason = \"there is no ACME server in a rehearsal\"");
    say("#owner = \"somebody@example.org\"");
    say("#expires = 2030-12-31");
    text
}

fn probe_lines(host: &str, facts: &ClosureFacts) -> Vec<String> {
    let urls: BTreeSet<String> = facts.http.iter().map(HttpEndpoint::url).collect();
    let mut lines = vec![
        String::new(),
        "# What must be answered in every state of the candidate, beyond no gateway errors from what nginx serves, which is asked anyway.".to_owned(),
    ];
    if urls.is_empty() {
        lines.push("# No server of nginx was found.".to_owned());
    }
    for url in urls
        .iter()
        .filter(|url| probes::is_url(url))
        .take(PROBES_SHOWN)
    {
        lines.extend([
            format!("#[[hosts.{host}.probes]]"),
            format!("#url = {}", quoted(url)),
            "#expect_status = 200".to_owned(),
            String::new(),
        ]);
    }
    lines
}

fn file_lines(host: &str, needed: &[(String, String)]) -> Vec<String> {
    let mut lines = Vec::new();
    if !needed.is_empty() {
        lines.push("# What the machine has and the closure has not: a dummy for each that no service of the closure makes itself.".to_owned());
    }
    for (path, by) in needed.iter().take(FILES_SHOWN) {
        lines.push(comment(&format!("for {by}")));
        if seeds::can_hold(path) {
            lines.extend([
                format!("#[[hosts.{host}.files]]"),
                format!("#path = {}", quoted(path)),
                "#content = \"dummy\"".to_owned(),
                "#mode = \"0600\"".to_owned(),
                String::new(),
            ]);
        } else {
            lines.push(comment(&format!(
                "{path}, which is made at each boot or cannot be written"
            )));
        }
    }
    lines
}

/// A comment of one line, whatever a closure's file says.
fn comment(text: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_graphic() || c == ' ' {
            c
        } else {
            '?'
        }
    };
    let line: String = text.chars().take(LINE).map(plain).collect();
    format!("# {line}")
}

/// A basic string of TOML, which a key can be too: one on several lines cannot.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// A key of TOML: bare where it can be.
fn key(name: &str) -> String {
    let bare = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if !name.is_empty() && name.bytes().all(bare) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Content, parse};
    use crate::testing;
    use crate::vocabulary::{Asks, FileSystem, System};

    fn text(host: &str, needed: &[(&str, &str)]) -> String {
        let mut facts = testing::plan().candidate;
        facts.file_systems = vec![FileSystem {
            device: "LABEL=a\nb = 1\u{1b}".to_owned(),
            mount_point: "/boot".to_owned(),
            fs_type: "vfat".to_owned(),
            options: Vec::new(),
        }];
        let needed: Vec<(String, String)> = needed
            .iter()
            .map(|(path, by)| ((*path).to_owned(), (*by).to_owned()))
            .collect();
        propose(&Proposal {
            host,
            facts: &facts,
            disk_bus: DiskBus::Virtio,
            needed: &needed,
        })
    }

    fn taken_in(text: &str) -> String {
        let line = |line: &str| match line.strip_prefix('#') {
            Some(rest) if !rest.starts_with([' ', ':']) => format!("{rest}\n"),
            _ => format!("{line}\n"),
        };
        text.lines().map(line).collect()
    }

    #[test]
    fn what_is_proposed_is_read_again_as_it_is_and_whole() {
        let needed = [
            (
                "/var/lib/secrets/alpha.env",
                "alpha.service (EnvironmentFile=)",
            ),
            (
                "/run/secrets/key",
                "nginx (ssl_certificate_key)\nformat_version = 2",
            ),
        ];
        let text = text("web", &needed);
        let plain = parse(&text).unwrap();
        let host = plain.host("web").unwrap().settings;
        assert_eq!(host.expect_system, Some(System::X86_64Linux));
        assert_eq!(host.probes, []);

        let whole = parse(&taken_in(&text))
            .unwrap()
            .host("web")
            .unwrap()
            .settings;
        assert_eq!(whole.target.disk_bus, Some(DiskBus::Virtio));
        assert_eq!(whole.probes.len(), 3);
        assert!(matches!(&whole.probes[0].asks, Asks::Url { name, .. } if name == "alpha.example"));
        assert_eq!(whole.files.len(), 1);
        assert_eq!(whole.files[0].path, "/var/lib/secrets/alpha.env");
        assert_eq!(whole.files[0].content, Content::Text("dummy".to_owned()));
        assert_eq!(whole.suppressions.len(), 1);
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn any_name_of_a_host_is_a_key() {
        for host in ["web", "web.example.org", "a \"b\"\n[policy]", ""] {
            let config = parse(&taken_in(&text(host, &[]))).unwrap();
            assert!(config.host(host).is_some(), "{host}");
        }
    }
}
