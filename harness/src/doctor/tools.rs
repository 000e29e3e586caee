//! The programs that bootproof runs, and what each has to be able to do.

use super::model::{Level, Line, Probed};

/// A program, where it comes from, and what is lost without it.
#[derive(Debug)]
pub struct ToolRule {
    pub name: &'static str,
    /// What makes it tell its version, or its options.
    pub ask: &'static str,
    /// Debian's package, and the attribute of nixpkgs.
    apt: &'static str,
    nix: &'static str,
    able: Able,
    need: Need,
}

/// What proves that it can do what it is run for.
#[derive(Debug)]
enum Able {
    IfThere,
    /// At least this version, and why.
    Since(u32, u32, &'static str),
    /// It names this option.
    Option(&'static str),
}

#[derive(Debug)]
enum Need {
    /// Every rehearsal.
    Always,
    /// Every rehearsal of a user who is not root.
    UnlessRoot,
    /// Only this.
    For(&'static str),
}

const fn tool(
    name: &'static str,
    ask: &'static str,
    (apt, nix): (&'static str, &'static str),
    able: Able,
    need: Need,
) -> ToolRule {
    ToolRule {
        name,
        ask,
        apt,
        nix,
        able,
        need,
    }
}

const UTIL_LINUX: (&str, &str) = ("util-linux", "util-linux");
const NIX: (&str, &str) = ("nix-bin", "nix");

/// All of them.
pub const TOOLS: &[ToolRule] = &[
    tool(
        "qemu-system-x86_64",
        "--version",
        ("qemu-system-x86", "qemu"),
        Able::Since(5, 0, "`-accel tcg,tb-size=…` is newer"),
        Need::Always,
    ),
    tool(
        "qemu-system-i386",
        "--version",
        ("qemu-system-x86", "qemu"),
        Able::Since(5, 0, "`-accel tcg,tb-size=…` is newer"),
        Need::For("rehearsals for 32-bit machines"),
    ),
    tool(
        "qemu-img",
        "--version",
        ("qemu-utils", "qemu"),
        Able::IfThere,
        Need::Always,
    ),
    tool(
        "mke2fs",
        "-V",
        ("e2fsprogs", "e2fsprogs"),
        Able::Since(1, 47, "an older one does not know the feature orphan_file"),
        Need::Always,
    ),
    tool(
        "debugfs",
        "-V",
        ("e2fsprogs", "e2fsprogs"),
        Able::IfThere,
        Need::UnlessRoot,
    ),
    tool(
        "sfdisk",
        "--version",
        ("fdisk", "util-linux"),
        Able::Since(2, 26, "an older one reads other scripts"),
        Need::Always,
    ),
    tool(
        "mkfs.vfat",
        "--help",
        ("dosfstools", "dosfstools"),
        Able::Option("--offset"),
        Need::For("closures with a FAT partition, such as an ESP"),
    ),
    tool(
        "mkswap",
        "--version",
        UTIL_LINUX,
        Able::IfThere,
        Need::For("closures with a swap partition"),
    ),
    tool(
        "nix",
        "--version",
        NIX,
        Able::Since(2, 4, "`nix build` is newer"),
        Need::For("--flake, and closures in this machine's own store"),
    ),
    tool(
        "nix-store",
        "--version",
        NIX,
        Able::IfThere,
        Need::For("closures in this machine's own store"),
    ),
    tool(
        "nix-copy-closure",
        "--version",
        NIX,
        Able::IfThere,
        Need::For("deploy"),
    ),
    tool(
        "ssh",
        "-V",
        ("openssh-client", "openssh"),
        Able::IfThere,
        Need::For("audit and deploy of other machines"),
    ),
];

/// What is said of a program.
pub(super) fn judge(rule: &ToolRule, probed: &Probed) -> Line {
    let trouble = match probed.tools.get(rule.name) {
        None => "is not installed".to_owned(),
        Some(tool) => match unable(rule, &tool.told) {
            Some(trouble) => trouble,
            None => {
                return Line {
                    level: Level::Ok,
                    subject: rule.name.to_owned(),
                    told: version(&tool.told)
                        .map_or_else(|| "is there".to_owned(), |(_, text)| text),
                    next: None,
                };
            }
        },
    };
    let install = format!("`apt-get install {}` (nixpkgs: {})", rule.apt, rule.nix);
    let needed = match rule.need {
        Need::Always => true,
        Need::UnlessRoot => !probed.is_root,
        Need::For(_) => false,
    };
    let told = match rule.need {
        Need::For(what) => format!("{trouble}: needed for {what}"),
        Need::UnlessRoot if probed.is_root => format!("{trouble}: needed by users other than root"),
        Need::Always | Need::UnlessRoot => trouble,
    };
    Line {
        level: if needed { Level::Missing } else { Level::Note },
        subject: rule.name.to_owned(),
        told,
        next: Some(install),
    }
}

fn unable(rule: &ToolRule, told: &str) -> Option<String> {
    match rule.able {
        Able::IfThere => None,
        Able::Option(option) => {
            (!told.contains(option)).then(|| format!("is too old: it has no option {option}"))
        }
        Able::Since(major, minor, why) => match version(told) {
            Some((found, text)) if found < (major, minor) => Some(format!(
                "{text} is too old, at least {major}.{minor} is needed: {why}"
            )),
            // A version that cannot be read stands against nothing.
            _ => None,
        },
    }
}

/// The first number with a point in it: major and minor, and the whole text of it.
fn version(told: &str) -> Option<((u32, u32), String)> {
    let mut rest = told;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let word = &rest[start..];
        let end = word
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(word.len());
        let text = word[..end].trim_end_matches('.');
        let mut parts = text.split('.').map(str::parse);
        if let (Some(Ok(major)), Some(Ok(minor))) = (parts.next(), parts.next()) {
            return Some(((major, minor), text.to_owned()));
        }
        rest = &word[end..];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::judge::tests::healthy;
    use super::super::model::Tool;
    use super::*;

    fn said(name: &str, probed: &Probed) -> Line {
        let rule = TOOLS.iter().find(|rule| rule.name == name).unwrap();
        judge(rule, probed)
    }

    #[test]
    fn versions_are_found_as_each_program_tells_them() {
        for (told, found) in [
            ("QEMU emulator version 7.2.22 (Debian 1:7.2)", "7.2.22"),
            ("mke2fs 1.47.0 (5-Feb-2023)", "1.47.0"),
            ("sfdisk from util-linux 2.38.1", "2.38.1"),
            ("OpenSSH_9.2p1 Debian-2+deb12u10", "9.2"),
            ("nix (Nix) 2.8.0", "2.8.0"),
        ] {
            assert_eq!(version(told).unwrap().1, found, "{told}");
        }
        for told in ["", "none", "4 of 5", "99999999999.1"] {
            assert_eq!(version(told), None, "{told}");
        }
    }

    #[test]
    fn what_is_there_and_new_enough_is_well() {
        for rule in TOOLS {
            let line = judge(rule, &healthy());
            assert_eq!((line.level, line.next), (Level::Ok, None), "{}", rule.name);
        }
    }

    #[test]
    fn each_program_that_is_not_there_is_told_with_its_package() {
        let without = Probed {
            tools: Default::default(),
            is_root: false,
            ..healthy()
        };
        for rule in TOOLS {
            let line = judge(rule, &without);
            assert_ne!(line.level, Level::Ok, "{}", rule.name);
            assert!(line.next.unwrap().contains(rule.apt), "{}", rule.name);
        }
        assert_eq!(said("qemu-img", &without).level, Level::Missing);
        assert_eq!(said("ssh", &without).level, Level::Note);
        assert_eq!(said("debugfs", &without).level, Level::Missing);
        let root = Probed {
            is_root: true,
            ..without
        };
        assert_eq!(said("debugfs", &root).level, Level::Note);
    }

    #[test]
    fn what_is_too_old_is_told() {
        for (name, told) in [
            ("qemu-system-x86_64", "QEMU emulator version 4.2.1"),
            ("mke2fs", "mke2fs 1.46.5 (30-Dec-2021)"),
            ("sfdisk", "sfdisk from util-linux 2.25.2"),
            ("mkfs.vfat", "usage: mkfs.fat [-a] [-A]"),
            ("nix", "nix (Nix) 2.3.16"),
        ] {
            let mut probed = healthy();
            let told = told.to_owned();
            probed.tools.insert(name.to_owned(), Tool { told });
            let line = said(name, &probed);
            assert_ne!(line.level, Level::Ok, "{name}");
            assert!(line.told.contains("too old"), "{}", line.told);
        }
    }
}
