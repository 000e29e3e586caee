//! What systemd in an initrd is asked to start, and what that executes, by the paths of the initrd.
//!
//! NixOS copies into the initrd what `boot.initrd.systemd.storePaths` names, and no more: a service may start what is not there.

use std::collections::BTreeMap;
use std::io::{self, Read};

use super::libraries;
use super::programs::{Content, followed, real};
use crate::closure::execution::hop::Hop;
use crate::closure::unit_file::{UnitFile, command_lines, command_prefixes, command_words};

/// A service that some unit of the initrd wants or requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitrdService {
    /// `unlock.service`.
    pub name: String,
    /// Whether a unit that every boot goes through requires it: where it fails, the boot ends in emergency mode.
    pub required: bool,
    /// Whether it has a condition: where that does not hold it is left out, which is no failure.
    pub conditional: bool,
    /// Whether a program that cannot be executed fails its start, and with it what requires it.
    pub awaited: bool,
    /// The commands whose failure is its own: `ExecStart` and what executes it.
    pub commands: Vec<(&'static str, Vec<Hop>)>,
}

/// Where NixOS has the units of an initrd.
const DIRECTORY: &str = "/etc/systemd/system";
/// Units that every boot goes through, where one that they require fails (bootup(7)).
const SPINE: &[&str] = &[
    "sysinit.target",
    "basic.target",
    "local-fs.target",
    "initrd.target",
    "initrd-root-device.target",
    "initrd-root-fs.target",
    "initrd-usr-fs.target",
    "initrd-fs.target",
    "initrd-switch-root.target",
    "initrd-switch-root.service",
    // What mounts the root, by the initrd's table or the parameters (systemd-fstab-generator(8), systemd-gpt-auto-generator(8)).
    "sysroot.mount",
];
/// Whose start is done only when the program runs, or has run: of any other type a program that cannot be executed fails later
/// (systemd.service(5), `Type=`).
const AWAITED: &[&str] = &[
    "oneshot",
    "exec",
    "forking",
    "notify",
    "notify-reload",
    "dbus",
];
const COMMANDS: &[&str] = &["ExecStartPre", "ExecStart", "ExecStartPost"];
/// What is in the initrd itself; the root file system and state come later.
const OF_THE_INITRD: &[&str] = &["/nix/store/", "/bin/", "/sbin/", "/usr/", "/lib/", "/etc/"];
/// Of the longest unit, that is not read to its end, nothing is told.
const LONGEST: u64 = 1 << 16;

/// Whether a file may be a unit's, or a drop-in of one.
pub(super) fn is_unit(name: &str) -> bool {
    name.ends_with(".service") || name.ends_with(".conf")
}

/// The text of a unit, of which `first` was read already; empty where it is too long.
pub(super) fn text(first: &[u8], rest: &mut dyn Read) -> io::Result<String> {
    let mut bytes = first.to_vec();
    rest.take(LONGEST).read_to_end(&mut bytes)?;
    if bytes.len() as u64 >= LONGEST {
        bytes.clear();
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Those whose commands tell what they execute.
pub(super) fn read(files: &BTreeMap<String, Content>) -> Vec<InitrdService> {
    // A directory is no file: what is not there is its name without links.
    let Err(directory) = real(files, DIRECTORY) else {
        return Vec::new();
    };
    let asked_for = asked_for(files, &directory);
    let services = asked_for.into_iter().filter_map(|(name, required)| {
        let unit = load(files, &directory, &name)?;
        let commands = commands(files, &unit);
        Some(InitrdService {
            name,
            required,
            conditional: is_conditional(&unit),
            awaited: is_awaited(&unit),
            commands,
        })
    });
    services.filter(|s| !s.commands.is_empty()).collect()
}

/// The services of `X.wants` and `X.requires`, and whether an X of the spine requires it.
fn asked_for(files: &BTreeMap<String, Content>, directory: &str) -> BTreeMap<String, bool> {
    let mut asked_for = BTreeMap::new();
    for rest in below(files, directory) {
        let Some((group, name)) = rest.split_once('/') else {
            continue;
        };
        let Some((unit, kind)) = group.rsplit_once('.') else {
            continue;
        };
        if ["wants", "requires"].contains(&kind) && name.ends_with(".service") {
            let is_needed = kind == "requires" && SPINE.contains(&unit);
            *asked_for.entry(name.to_owned()).or_default() |= is_needed;
        }
    }
    asked_for
}

/// The names of the files in a directory and below, without it.
fn below<'a>(
    files: &'a BTreeMap<String, Content>,
    directory: &str,
) -> impl Iterator<Item = &'a str> {
    let start = format!("{directory}/");
    let from = files.range(start.clone()..);
    from.map_while(move |(name, _)| name.strip_prefix(&start))
}

/// A unit with its drop-ins; `None` where it is not there, or is masked.
fn load(files: &BTreeMap<String, Content>, directory: &str, name: &str) -> Option<UnitFile> {
    let text = |name: &str| match real(files, &format!("/{directory}/{name}")) {
        Ok((_, Content::Unit(text))) => Some(text),
        _ => None,
    };
    let template = name
        .split_once('@')
        .map(|(template, _)| format!("{template}@.service"));
    let names = [Some(name.to_owned()), template];
    let mut unit = UnitFile::default();
    unit.add(names.iter().flatten().find_map(|name| text(name))?);
    for name in names.iter().flatten() {
        let drop_ins = format!("{directory}/{name}.d");
        for file in below(files, &drop_ins).filter(|file| file.ends_with(".conf")) {
            unit.add(text(&format!("{name}.d/{file}"))?);
        }
    }
    Some(unit)
}

fn is_awaited(unit: &UnitFile) -> bool {
    let last = unit.list("Service", "Type").pop();
    last.is_some_and(|kind| AWAITED.contains(&kind))
}

fn is_conditional(unit: &UnitFile) -> bool {
    let assignments = unit.assignments();
    let mut lines = assignments.lines();
    lines.any(|line| line.starts_with("[Unit] Condition"))
}

fn commands(files: &BTreeMap<String, Content>, unit: &UnitFile) -> Vec<(&'static str, Vec<Hop>)> {
    // Another root than the initrd's.
    if ["RootDirectory", "RootImage"]
        .iter()
        .any(|key| !unit.list("Service", key).is_empty())
    {
        return Vec::new();
    }
    let mut commands = Vec::new();
    for key in COMMANDS {
        let lines = unit.list("Service", key);
        for line in lines.into_iter().flat_map(command_lines) {
            let program = command_words(line).into_iter().next().unwrap_or_default();
            let is_told = OF_THE_INITRD.iter().any(|start| program.starts_with(start));
            if command_prefixes(line).contains('-') || !is_told || program.contains(['%', '$']) {
                continue;
            }
            let (mut hops, _) = followed(files, &program);
            libraries::look_for(files, &mut hops);
            commands.push((*key, hops));
        }
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::Fault;
    use crate::closure::initrd::parse;
    use crate::closure::testing::{cpio_of, elf};
    use crate::vocabulary::ElfClass;

    const FILE: u32 = 0o100_444;
    const PROGRAM: u32 = 0o100_755;
    const LINK: u32 = 0o120_777;
    const UNITS: &str = "nix/store/u-initrd-units";

    /// An initrd as NixOS makes it, with a unit that starts `program`.
    fn services(unit: &str, more: &[(&str, u32, &[u8])]) -> Vec<InitrdService> {
        let init = elf(ElfClass::X86_64);
        let name = |rest: &str| format!("{UNITS}/{rest}");
        let (unlock, required) = (
            name("unlock.service"),
            name("initrd-root-device.target.requires/unlock.service"),
        );
        let mut files: Vec<(&str, u32, &[u8])> = vec![
            ("init", PROGRAM, &init),
            ("etc/systemd/system", LINK, b"/nix/store/u-initrd-units"),
            (&unlock, LINK, b"/nix/store/s-unit-unlock/unlock.service"),
            (
                "nix/store/s-unit-unlock/unlock.service",
                FILE,
                unit.as_bytes(),
            ),
            (&required, LINK, b"../unlock.service"),
        ];
        files.extend_from_slice(more);
        parse(&mut cpio_of(&files).as_slice()).programs.services
    }

    #[test]
    fn a_program_that_was_not_copied_is_missing() {
        let unit = "[Service]\nType=oneshot\nExecStart=/nix/store/k-keys/bin/fetch --all\n";
        let found = services(unit, &[]);
        assert_eq!(found[0].name, "unlock.service");
        assert!(found[0].required && found[0].awaited && !found[0].conditional);
        assert_eq!(found[0].commands[0].1[0].fault, Some(Fault::Missing));
        let program = elf(ElfClass::X86_64);
        let whole = services(unit, &[("nix/store/k-keys/bin/fetch", PROGRAM, &program)]);
        assert_eq!(whole[0].commands[0].1[0].fault, None);
    }

    #[test]
    fn a_script_is_followed_to_its_interpreter() {
        let unit = "[Service]\nExecStart=/nix/store/k-keys/fetch\n";
        let script = (
            "nix/store/k-keys/fetch",
            PROGRAM,
            &b"#!/nix/store/b-bash/bin/bash\n"[..],
        );
        let found = services(unit, &[script]);
        let hops = &found[0].commands[0].1;
        assert_eq!(hops[1].path, "/nix/store/b-bash/bin/bash");
        assert_eq!(hops[1].fault, Some(Fault::Missing));
    }

    #[test]
    fn what_need_not_run_is_told_so_or_left_out() {
        let start = "ExecStart=/nix/store/k-keys/bin/fetch\n";
        let conditional = format!("[Unit]\nConditionPathExists=/x\n[Service]\n{start}");
        assert!(services(&conditional, &[])[0].conditional);
        for unit in [
            "[Service]\nExecStart=-/nix/store/k-keys/bin/fetch\n",
            "[Service]\nExecStart=/sysroot/bin/fetch\n",
            "[Service]\nExecStart=/nix/store/%i\n",
            "[Service]\nExecStart=fetch\n",
            "[Service]\nRootDirectory=/sysroot\nExecStart=/bin/fetch\n",
        ] {
            assert_eq!(services(unit, &[]), [], "{unit}");
        }
    }

    #[test]
    fn a_drop_in_has_the_last_word_and_a_mask_silences() {
        let unit = "[Service]\nExecStart=/nix/store/k-keys/bin/fetch\n";
        let drop_in = (
            "nix/store/u-initrd-units/unlock.service.d/overrides.conf",
            FILE,
            &b"[Service]\nExecStart=\nExecStart=/init\n"[..],
        );
        assert_eq!(services(unit, &[drop_in]), []);
        let mask = (
            "nix/store/s-unit-unlock/unlock.service",
            LINK,
            &b"/dev/null"[..],
        );
        assert_eq!(services(unit, &[mask]), []);
    }
}
