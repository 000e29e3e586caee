//! GRUB's menu and its environment.

use super::{BootFile, NextBoot, toplevel_of};
use crate::closure::grub_menu::{self, Does, GrubEntry};
use crate::fold::sanitise;
use crate::shell::{End, Frames};

/// The text of the menu at `path`.
pub(super) fn script<'a>(frames: &'a Frames, path: &str) -> Result<&'a str, String> {
    let name = format!("text {path}");
    let text = frames.whole(&name);
    text.ok_or_else(|| format!("{path}: {}", frames.reason(&name)))
}

/// The path of the environment of the menu at `path`.
pub(super) fn environment(path: &str) -> String {
    format!("{}grubenv", path.trim_end_matches("grub.cfg"))
}

/// What the `grub.cfg` at `path` starts.
pub(super) fn next(frames: &Frames, path: &str) -> Result<NextBoot, String> {
    let text = script(frames, path)?;
    let mut menu = grub_menu::parse(text);
    let environment = environment(path);
    let frame = frames.get(&format!("text {environment}"));
    let mut chosen_by = format!("default of {path}");
    let mut on_purpose = false;
    // `install-grub.pl` and grub-mkconfig both read it: `next_entry` for one boot, `saved_entry` where the default is `saved`.
    for variable in ["next_entry", "saved_entry"] {
        if !sets_default_by(text, variable) {
            continue;
        }
        let Some(frame) = frame.filter(|frame| frame.end != End::Absent) else {
            continue;
        };
        if frame.end != End::Whole {
            return Err(format!("{environment}: {}", frame.end.reason()));
        }
        if let Some(value) = value(&frame.body, variable) {
            menu.default = Some(value.to_owned());
            chosen_by = format!("{variable} of {environment}");
            on_purpose = true;
            break;
        }
    }
    if let Some(entry) = menu.asks_for_password() {
        return Err(asks_for_password(path, entry));
    }
    // An entry that is chosen for one boot is waited for no longer than a second.
    if menu.waits && !chosen_by.starts_with("next_entry") {
        return Err(format!(
            "the menu of {path} waits for a key for ever (`timeout=-1`): nothing starts by itself"
        ));
    }
    let Some(entry) = menu.default_entry() else {
        return Err(format!("{path} has no entry that starts by itself"));
    };
    let Does::Start(start) = &entry.does else {
        return Err(format!("{path} starts a submenu"));
    };
    if start.kernel.is_none() {
        return Err(format!(
            "the entry `{}` of {path} starts no Linux",
            sanitise::line(&entry.title)
        ));
    }
    let boot = path.trim_end_matches("/grub/grub.cfg");
    let file = |named: &str| BootFile::new(&sanitise::line(named), place(named, boot));
    Ok(NextBoot {
        loader: "GRUB".to_owned(),
        entry: sanitise::line(&entry.title),
        chosen_by,
        on_purpose,
        fallback: another(&menu.entries, &toplevel_of(start.init())),
        toplevel: toplevel_of(start.init()),
        kernel: start.kernel.as_deref().map(file),
        initrds: start.initrds.iter().map(|initrd| file(initrd)).collect(),
    })
}

/// Why nobody can have an entry start by itself.
pub(super) fn asks_for_password(path: &str, entry: &GrubEntry) -> String {
    format!(
        "`{}` of {path} asks for a user's name and password (`superusers`, and no `--unrestricted`)",
        sanitise::line(&entry.title)
    )
}

/// What the entries of the menu at `path` start, those of submenus in their places.
pub(super) fn toplevels(frames: &Frames, path: &str) -> Result<Vec<String>, String> {
    fn add(entries: &[GrubEntry], all: &mut Vec<String>) {
        for entry in entries {
            match &entry.does {
                Does::Start(start) => all.extend(toplevel_of(start.init())),
                Does::Opens(inner) => add(inner, all),
            }
        }
    }
    let mut all = Vec::new();
    add(&grub_menu::parse(script(frames, path)?).entries, &mut all);
    Ok(all)
}

/// The toplevel of the first entry, in submenus too, that is another than this one.
fn another(entries: &[GrubEntry], toplevel: &Option<String>) -> Option<String> {
    entries.iter().find_map(|entry| match &entry.does {
        Does::Start(start) => {
            toplevel_of(start.init()).filter(|other| Some(other) != toplevel.as_ref())
        }
        Does::Opens(inner) => another(inner, toplevel),
    })
}

/// Whether the script makes what the environment says the default.
pub(super) fn sets_default_by(script: &str, variable: &str) -> bool {
    let forms = [
        format!("default=\"${{{variable}}}\""),
        format!("default=${{{variable}}}"),
        format!("default=\"${variable}\""),
        format!("default=${variable}"),
    ];
    forms.iter().any(|form| script.contains(form.as_str()))
}

/// A variable of an environment block: lines `NAME=VALUE` (GRUB manual, "Environment block").
fn value<'a>(block: &'a str, variable: &str) -> Option<&'a str> {
    let mut lines = block.lines().filter_map(|line| line.split_once('='));
    let (_, value) = lines.find(|(name, _)| *name == variable)?;
    (!value.is_empty()).then_some(value)
}

/// Where the machine has a file of GRUB's: what is in the store has its path there, and what was copied is in `kernels` beside the menu's
/// directory. On which drive it is was said by a variable, and so of other paths nothing is known.
fn place(named: &str, boot: &str) -> Option<String> {
    if let Some(at) = named.find("/nix/store/") {
        return Some(named[at..].to_owned());
    }
    let (directory, name) = named.rsplit_once('/')?;
    directory
        .ends_with("/kernels")
        .then(|| format!("{boot}/kernels/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_placed_only_where_they_surely_are() {
        let place = |named| place(named, "/boot");
        assert_eq!(
            place("($drive1)//kernels/x-bzImage").as_deref(),
            Some("/boot/kernels/x-bzImage")
        );
        assert_eq!(
            place("($drive1)/@root/nix/store/x/bzImage").as_deref(),
            Some("/nix/store/x/bzImage")
        );
        assert_eq!(place("/vmlinuz"), None);
        assert_eq!(place("($drive1)/boot/vmlinuz"), None);
    }

    #[test]
    fn the_environment_counts_only_where_the_script_asks_for_it() {
        assert!(sets_default_by(
            "set default=\"${saved_entry}\"\n",
            "saved_entry"
        ));
        assert!(!sets_default_by(
            "save_env saved_entry\nset default=0",
            "saved_entry"
        ));
        let block = "# GRUB Environment Block\nnext_entry=\nsaved_entry=3\n####";
        assert_eq!(value(block, "saved_entry"), Some("3"));
        assert_eq!(value(block, "next_entry"), None);
    }
}
