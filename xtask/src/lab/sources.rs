//! The host's package sources, reduced to those that serve the suite that the lab is made of. A third-party source of the
//! host is left out, whatever state it is in.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// One stanza of a sources file that the private apt will use.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Source {
    uris: String,
    suites: Vec<String>,
    signed_by: Option<String>,
}

/// All usable sources of the host.
pub(super) fn of_host(suite: &str) -> Vec<Source> {
    let mut sources = Vec::new();
    for file in source_files() {
        let Ok(text) = fs::read_to_string(&file) else {
            continue;
        };
        if file
            .extension()
            .is_some_and(|extension| extension == "sources")
        {
            sources.extend(parse_stanzas(&text, suite));
        } else {
            sources.extend(text.lines().filter_map(|line| parse_line(line, suite)));
        }
    }
    sources
}

/// As a file in apt's stanza format.
pub(super) fn render(sources: &[Source]) -> String {
    let mut text = String::new();
    for source in sources {
        let _ = writeln!(
            text,
            "Types: deb\nURIs: {}\nSuites: {}\nComponents: main",
            source.uris,
            source.suites.join(" ")
        );
        if let Some(signed_by) = &source.signed_by {
            let _ = writeln!(text, "Signed-By: {signed_by}");
        }
        text.push('\n');
    }
    text
}

fn source_files() -> Vec<PathBuf> {
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    if let Ok(entries) = fs::read_dir(Path::new("/etc/apt/sources.list.d")) {
        files.extend(entries.flatten().map(|entry| entry.path()));
    }
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == "list" || extension == "sources")
    });
    files.sort();
    files
}

fn is_wanted(candidate: &str, suite: &str) -> bool {
    candidate
        .strip_prefix(suite)
        .is_some_and(|rest| matches!(rest, "" | "-updates" | "-security"))
}

/// `deb [signed-by=KEY] URI SUITE COMPONENT...`
fn parse_line(line: &str, suite: &str) -> Option<Source> {
    let rest = line.trim().strip_prefix("deb")?;
    let rest = rest.strip_prefix(char::is_whitespace)?.trim_start();
    let (options, rest) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => ("", rest),
    };
    let mut words = rest.split_whitespace();
    let (uri, candidate) = (words.next()?, words.next()?);
    let signed_by = options
        .split_whitespace()
        .find_map(|option| option.strip_prefix("signed-by="));
    (is_wanted(candidate, suite) && words.any(|component| component == "main")).then(|| Source {
        uris: uri.to_owned(),
        suites: vec![candidate.to_owned()],
        signed_by: signed_by.map(str::to_owned),
    })
}

fn parse_stanzas(text: &str, suite: &str) -> Vec<Source> {
    let without_comments: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    without_comments
        .split(|line| line.trim().is_empty())
        .filter_map(|stanza| parse_stanza(stanza, suite))
        .collect()
}

fn parse_stanza(lines: &[&str], suite: &str) -> Option<Source> {
    let field = |name: &str| -> Option<String> {
        let start = lines.iter().position(|line| {
            line.split_once(':')
                .is_some_and(|(key, _)| key.eq_ignore_ascii_case(name))
                && !line.starts_with(char::is_whitespace)
        })?;
        let mut value = lines[start].split_once(':')?.1.trim().to_owned();
        for line in lines[start + 1..]
            .iter()
            .take_while(|line| line.starts_with(char::is_whitespace))
        {
            value.push('\n');
            value.push_str(line);
        }
        Some(value)
    };
    let has = |name: &str, word: &str| {
        field(name).is_some_and(|value| value.split_whitespace().any(|part| part == word))
    };

    let disabled = field("Enabled").is_some_and(|value| value.eq_ignore_ascii_case("no"));
    let suites: Vec<String> = field("Suites")?
        .split_whitespace()
        .filter(|candidate| is_wanted(candidate, suite))
        .map(str::to_owned)
        .collect();
    if disabled || suites.is_empty() || !has("Types", "deb") || !has("Components", "main") {
        return None;
    }
    Some(Source {
        uris: field("URIs")?,
        suites,
        signed_by: field("Signed-By"),
    })
}

#[cfg(test)]
mod tests {
    use super::{parse_line, parse_stanzas, render};

    #[test]
    fn third_party_sources_are_left_out() {
        assert!(
            parse_line(
                "deb https://tools.example/apt tools-bookworm main",
                "bookworm"
            )
            .is_none()
        );
        assert!(
            parse_line(
                "deb https://tools.example/linux bookworm stable",
                "bookworm"
            )
            .is_none()
        );
        assert!(
            parse_line(
                "# deb https://mirror.example/debian bookworm main",
                "bookworm"
            )
            .is_none()
        );
        assert!(
            parse_line(
                "deb-src https://mirror.example/debian bookworm main",
                "bookworm"
            )
            .is_none()
        );
        assert!(
            parse_stanzas(
                "Types: deb\nURIs: https://x.example\nSuites: nodistro\nComponents: main\n",
                "bookworm"
            )
            .is_empty()
        );
        assert!(
            parse_stanzas("Enabled: no\nTypes: deb\nURIs: https://x.example\nSuites: bookworm\nComponents: main\n", "bookworm").is_empty()
        );
    }

    #[test]
    fn both_formats_give_the_suites_that_the_lab_is_made_of() {
        let line = "deb [arch=amd64 signed-by=/key.gpg] https://mirror.example/debian bookworm-security main contrib";
        let stanza = "# about\nTypes: deb deb-src\nURIs: https://mirror.example/debian\n\
                      Suites: bookworm bookworm-updates bookworm-backports\nComponents: main\nSigned-By:\n one\n two\n";
        let mut sources = vec![parse_line(line, "bookworm").unwrap()];
        sources.extend(parse_stanzas(stanza, "bookworm"));
        assert_eq!(
            render(&sources),
            "Types: deb\nURIs: https://mirror.example/debian\nSuites: bookworm-security\nComponents: main\nSigned-By: /key.gpg\n\n\
             Types: deb\nURIs: https://mirror.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\n\
             Signed-By: \n one\n two\n\n"
        );
    }
}
