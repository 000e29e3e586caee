//! `[[hosts.NAME.files]]`: what the machine has that its closure has not, such as keys, in a form that may be shown to anybody.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigurationError;

/// A file for the test disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeededFile {
    /// In the guest: absolute, outside of what the closure or the kernel makes.
    pub path: String,
    pub content: Content,
    /// Permission bits.
    pub mode: u32,
    pub owner: u32,
    pub group: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    Text(String),
    /// A file of this machine, relative to bootproof.toml.
    Source(PathBuf),
}

/// One table, as it is written.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenFile {
    /// In the guest.
    path: String,
    content: Option<String>,
    /// A file of this machine, in place of `content`; relative to bootproof.toml.
    source: Option<PathBuf>,
    /// Octal digits in quotes; `0600` without.
    mode: Option<String>,
    /// A user id.
    #[serde(default)]
    owner: u32,
    /// A group id.
    #[serde(default)]
    group: u32,
}

const LIMIT: usize = 1000;
/// PATH_MAX of Linux, with room for where the disk is laid out.
const LENGTH_LIMIT: usize = 1024;

/// What no file of the test disk is seen in: the store, what stage 2 mounts over, and the bootloader's.
const OTHERS: &[&str] = &["nix", "proc", "sys", "dev", "run", "boot"];

pub(super) fn read(
    written: &[WrittenFile],
    place: &str,
) -> Result<Vec<SeededFile>, ConfigurationError> {
    let mut known = BTreeSet::new();
    let mut one = |(n, table): (usize, &WrittenFile)| {
        let file = match of_table(table) {
            Ok(_) if n >= LIMIT => Err(format!("more than {LIMIT} are too many")),
            Ok(file) if !known.insert(file.path.clone()) => {
                Err(format!("{} is there already", file.path))
            }
            file => file,
        };
        file.map_err(|reason| ConfigurationError::Entry {
            place: place.to_owned(),
            number: n + 1,
            reason,
        })
    };
    written.iter().enumerate().map(&mut one).collect()
}

fn of_table(table: &WrittenFile) -> Result<SeededFile, String> {
    let content = match (&table.content, &table.source) {
        (Some(text), None) => Content::Text(text.clone()),
        (None, Some(source)) if !source.as_os_str().is_empty() => Content::Source(source.clone()),
        (Some(_), Some(_)) => {
            return Err("it has both `content` and `source`: leave one out".into());
        }
        _ => return Err("it has neither `content` nor a `source`".into()),
    };
    let path = &table.path;
    check_path(path)?;
    let mode = table.mode.as_deref().unwrap_or("0600");
    let octal = mode.len() <= 5 && mode.bytes().all(|b| (b'0'..=b'7').contains(&b));
    let mode = u32::from_str_radix(mode, 8)
        .ok()
        .filter(|mode| octal && *mode <= 0o7777)
        .ok_or_else(|| format!("mode = {mode:?} is none: write `\"0600\"`"))?;
    Ok(SeededFile {
        path: path.clone(),
        content,
        mode,
        owner: table.owner,
        group: table.group,
    })
}

/// Whether a file of that path can be put on the test disk.
pub(super) fn can_hold(path: &str) -> bool {
    check_path(path).is_ok()
}

fn check_path(path: &str) -> Result<(), String> {
    let mut parts = path.split('/');
    let is_absolute = parts.next() == Some("");
    let names: Vec<&str> = parts.collect();
    let is_name = |name: &&str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-+@:,=".contains(&b);
        !name.is_empty() && *name != "." && *name != ".." && name.bytes().all(plain)
    };
    if !is_absolute || path.len() > LENGTH_LIMIT || !names.iter().all(is_name) {
        return Err(format!(
            "path = {path:?} is none that can be written: absolute, without `.`, `..`, spaces and quotes"
        ));
    }
    if names.first().is_some_and(|first| OTHERS.contains(first)) {
        return Err(format!(
            "{path} is not the disk's: what is below /{} is the closure's, or made at each boot",
            names[0]
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Content, SeededFile};
    use crate::config::parse;

    fn read(table: &str) -> Result<Vec<SeededFile>, String> {
        let text = format!("format_version = 1\n[[hosts.web.files]]\n{table}\n");
        let config = parse(&text).map_err(|error| error.to_string())?;
        Ok(config.host("web").ok_or("no host")?.settings.files)
    }

    #[test]
    fn a_file_is_roots_alone_unless_it_says_otherwise() {
        let files = read("path = \"/var/lib/a/key\"\ncontent = \"dummy\"").unwrap();
        assert_eq!(files[0].content, Content::Text("dummy".to_owned()));
        assert_eq!(
            (files[0].mode, files[0].owner, files[0].group),
            (0o600, 0, 0)
        );
        let files = read(
            "path = \"/etc/ssl/key.pem\"\nsource = \"dummies/key.pem\"\nmode = \"0640\"\nowner = 33\ngroup = 60",
        );
        let file = files.unwrap().remove(0);
        assert_eq!(file.content, Content::Source("dummies/key.pem".into()));
        assert_eq!((file.mode, file.owner, file.group), (0o640, 33, 60));
    }

    #[test]
    fn what_cannot_be_put_on_the_disk_is_told() {
        for (table, words) in [
            ("path = \"/a\"", "neither `content` nor"),
            ("path = \"/a\"\ncontent = \"\"\nsource = \"b\"", "both"),
            ("path = \"a\"\ncontent = \"\"", "absolute"),
            ("path = \"/a/../nix/store/b\"\ncontent = \"\"", "absolute"),
            ("path = \"/\"\ncontent = \"\"", "absolute"),
            ("path = \"/a b\"\ncontent = \"\"", "absolute"),
            ("path = \"/a\\n\"\ncontent = \"\"", "absolute"),
            ("path = \"/nix/store/x\"\ncontent = \"\"", "below /nix"),
            ("path = \"/run/secrets/x\"\ncontent = \"\"", "below /run"),
            ("path = \"/a\"\ncontent = \"\"\nmode = \"u+r\"", "mode"),
            ("path = \"/a\"\ncontent = \"\"\nmode = \"+600\"", "mode"),
            (
                "path = \"/a\"\ncontent = \"\"\nmodes = \"0600\"",
                "did you mean `mode`?",
            ),
            (
                "path = \"/a\"\ncontent = \"\"\n[[hosts.web.files]]\npath = \"/a\"\ncontent = \"\"",
                "there already",
            ),
        ] {
            let told = read(table).unwrap_err();
            assert!(told.contains(words), "{table}: {told}");
        }
    }
}
