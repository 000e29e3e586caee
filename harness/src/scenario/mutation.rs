//! What a mutant has that the system it is made of has not.

use std::fmt;

use serde::Deserialize;

/// One change to a copy of one part, made while it is built (but for `damage`): whatever refers to the part refers to the copy.
///
/// `path` is below the part, and may be a pattern of the shell's (`lib/modules/*/kernel/**/*.ko`); a part that is a single file
/// takes none. A link that is written through becomes a file of its own. A text may name another part's store path, `@userland@`,
/// and that of the part itself, `@out@`. A change that changes nothing fails the lab's build (`scenarios/lab/build/mutate.sh`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase", deny_unknown_fields)]
pub enum Mutation {
    /// Removes files, links, and directories with what is in them.
    Remove { part: Part, path: String },
    /// Gives one file, link or directory another path in the same part.
    Rename {
        part: Part,
        path: String,
        to: String,
    },
    /// Makes a file of this text, or gives one that is there this text.
    Write {
        part: Part,
        #[serde(default)]
        path: String,
        text: String,
    },
    Append {
        part: Part,
        #[serde(default)]
        path: String,
        text: String,
    },
    /// Every `from` becomes `to`; in a file that is no text the two are equally long.
    Replace {
        part: Part,
        #[serde(default)]
        path: String,
        from: String,
        to: String,
    },
    /// Octal, as `chmod` takes it. A store keeps only whether a file is executable.
    Mode {
        part: Part,
        #[serde(default)]
        path: String,
        mode: String,
    },
    /// Makes a link, in place of what was there.
    Link {
        part: Part,
        path: String,
        target: String,
    },
    /// Cuts a file off after so many bytes.
    Truncate {
        part: Part,
        #[serde(default)]
        path: String,
        #[serde(default)]
        bytes: u64,
    },
    /// Overwrites the first instructions of a function of a kernel module by these, in hex: `0f0b` is a fault, `ebfe` never ends.
    Patch {
        part: Part,
        path: String,
        function: String,
        code: String,
    },
    /// Cuts a file off in the store, once the part has been built, hashed and registered: what a power cut does. The part is a copy
    /// that no other scenario has.
    Damage {
        part: Part,
        path: String,
        #[serde(default)]
        bytes: u64,
    },
}

/// A store path that a toplevel is made of (`scenarios/lab/toplevel.nix` has the same names).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Part {
    /// What the deploy tool copies: `init`, `activate`, `boot.json`, `kernel-params`, `system`, and links to the rest.
    Toplevel,
    /// `etc/…`, without the units.
    Etc,
    /// `passwd`, `group` and `shadow`, which activation copies.
    Accounts,
    /// `/etc/systemd/system`.
    Units,
    /// systemd, udev, the shell, coreutils, and their libraries.
    Userland,
    /// `/run/current-system/sw`.
    SystemPath,
    /// `bzImage` and its `config`.
    Kernel,
    /// `lib/modules/VERSION`.
    KernelModules,
    /// The files of stage 1.
    Initrd,
    /// The file `initrd`, packed and compressed.
    InitrdImage,
    /// The script that installs GRUB and writes its menu.
    InstallBootloader,
    /// The package of nginx.
    Nginx,
    /// Its configuration, a single file.
    NginxConfig,
    /// `service:NAME`: the package of one backend, `bin/NAME` and `share/www`.
    Service(String),
}

impl TryFrom<String> for Part {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        if let Some(service) = name.strip_prefix("service:") {
            return Ok(Self::Service(service.to_owned()));
        }
        match NAMES.iter().find(|(_, known)| *known == name) {
            Some((part, _)) => Ok(part.clone()),
            None => {
                let known: Vec<&str> = NAMES.iter().map(|(_, known)| *known).collect();
                Err(format!(
                    "no part is called `{name}`; there are service:NAME, {}",
                    known.join(", ")
                ))
            }
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Service(service) = self {
            return write!(f, "service:{service}");
        }
        let name = NAMES.iter().find(|(part, _)| part == self);
        f.write_str(name.map_or("", |(_, name)| name))
    }
}

const NAMES: &[(Part, &str)] = &[
    (Part::Toplevel, "toplevel"),
    (Part::Etc, "etc"),
    (Part::Accounts, "accounts"),
    (Part::Units, "units"),
    (Part::Userland, "userland"),
    (Part::SystemPath, "sw"),
    (Part::Kernel, "kernel"),
    (Part::KernelModules, "kernel-modules"),
    (Part::Initrd, "initrd"),
    (Part::InitrdImage, "initrd-image"),
    (Part::InstallBootloader, "install-bootloader"),
    (Part::Nginx, "nginx"),
    (Part::NginxConfig, "nginx.conf"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Mutation, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn a_mutation_names_a_part_and_a_change() {
        let text = "part = \"service:alpha\"\ndo = \"remove\"\npath = \"bin/alpha\"";
        let part = Part::Service("alpha".to_owned());
        let path = "bin/alpha".to_owned();
        assert_eq!(parse(text).unwrap(), Mutation::Remove { part, path });
    }

    #[test]
    fn a_part_is_called_what_it_is_read_from() {
        let names = NAMES.iter().map(|(_, name)| *name);
        for name in names.chain(["service:alpha"]) {
            assert_eq!(Part::try_from(name.to_owned()).unwrap().to_string(), name);
        }
    }

    #[test]
    fn what_no_part_and_no_change_is_called_is_refused() {
        for text in [
            "part = \"unit\"\ndo = \"remove\"\npath = \"x\"",
            "part = \"units\"\ndo = \"delete\"\npath = \"x\"",
            "part = \"units\"\ndo = \"remove\"\npath = \"x\"\ntext = \"y\"",
        ] {
            parse(text).unwrap_err();
        }
    }
}
