//! systemd-boot's menu: the Boot Loader Specification's entries, `loader.conf`, and the variables of the Boot Loader Interface.

use std::cmp::Ordering;

use super::pattern::matches;
use super::version_order::compare;
use super::{BootFile, NextBoot, efi_text, toplevel_of};
use crate::fold::sanitise;
use crate::shell::{End, Frames};

/// How the name of a unified kernel image ends.
const IMAGE: &str = ".efi";

/// A file in `loader/entries`, or a unified kernel image.
#[derive(Debug, Default)]
struct Entry {
    /// The file's name, without what boot counting adds to it.
    id: String,
    /// The partition's mount point: what the entry names lies below it.
    boot: String,
    sort_key: Option<String>,
    machine_id: String,
    version: String,
    title: Option<String>,
    linux: Option<String>,
    initrds: Vec<String>,
    options: Vec<String>,
    /// It starts an EFI program, which may be another bootloader, or a kernel that is not read.
    starts_another: bool,
    out_of_tries: bool,
}

/// What is started, with `loader_conf` as the configuration.
pub(super) fn next(frames: &Frames, loader_conf: Option<&str>) -> Result<NextBoot, String> {
    let (entries, mixed) = entries(frames)?;
    let settings = match loader_conf.map(|path| (path, frames.get(&format!("text {path}")))) {
        Some((_, Some(frame))) if frame.end == End::Whole => frame.body.as_str(),
        Some((path, frame)) => {
            let reason = frame.map_or("it was not read", |frame| frame.end.reason());
            return Err(format!("{path}: {reason}"));
        }
        None => "",
    };
    let timeout = settings
        .lines()
        .filter_map(split)
        .rfind(|(key, _)| *key == "timeout");
    if timeout.is_some_and(|(_, value)| value == "menu-force") {
        let path = loader_conf.unwrap_or_default();
        return Err(format!(
            "the menu waits for a key for ever (`timeout menu-force` of {path}): nothing starts by itself"
        ));
    }
    for wish in wishes(frames, settings, loader_conf) {
        let pattern = wish.pattern.to_lowercase();
        let is_meant = |entry: &&Entry| {
            matches(&pattern, &entry.id.to_lowercase()) && !(wish.skips_bad && entry.out_of_tries)
        };
        // Which of an installer's two kinds comes first is told by what images have within them.
        let kinds = |is_image: bool| {
            let mut meant = entries.iter().filter(is_meant);
            meant.any(|entry| entry.id.ends_with(IMAGE) == is_image)
        };
        if kinds(true) && kinds(false) {
            return Err(format!(
                "unified kernel images stand beside the entries, and {} means both",
                wish.source
            ));
        }
        if let Some(entry) = entries.iter().find(is_meant) {
            let started = entry.started(wish.source, wish.on_purpose)?;
            return Ok(with_fallback(started, &entries));
        }
        // What systemd-boot finds by itself: Windows, the firmware's setup.
        if pattern.starts_with("auto-") {
            return Err(format!(
                "{} is {pattern}, which is no Linux that is read",
                wish.source
            ));
        }
    }
    // An image has its sort key within it, so that it is not known which comes first.
    if mixed {
        return Err(
            "unified kernel images stand beside the entries, and neither is the default".to_owned(),
        );
    }
    match entries.iter().find(|entry| !entry.out_of_tries) {
        Some(entry) => {
            let started = entry.started("the first of the menu".to_owned(), false)?;
            Ok(with_fallback(started, &entries))
        }
        None => Err("systemd-boot has no entry that starts a Linux".to_owned()),
    }
}

/// The entries in the order of the menu, and whether files and unified kernel images stand beside each other.
fn entries(frames: &Frames) -> Result<(Vec<Entry>, bool), String> {
    let mut entries = Vec::new();
    for (path, frame) in frames.named("entry ") {
        if frame.end != End::Whole {
            return Err(format!("{path}: {}", frame.end.reason()));
        }
        let entry = Entry::parse(path, &frame.body);
        entries.extend(entry.filter(|entry| entry.linux.is_some() || entry.starts_another));
    }
    let images = frames.named("image ");
    let images = Vec::from_iter(images.filter_map(|(path, f)| Entry::of_image(path, &f.body)));
    let mixed = !images.is_empty() && entries.iter().any(|entry| entry.linux.is_some());
    entries.extend(images);
    entries.sort_by(Entry::order);
    Ok((entries, mixed))
}

/// The id of the first entry of the menu that starts `toplevel`.
pub(super) fn id_of(frames: &Frames, toplevel: &str) -> Result<Option<String>, String> {
    let (entries, _) = entries(frames)?;
    let starts_it = |entry: &&Entry| entry.toplevel().as_deref() == Some(toplevel);
    Ok(entries.iter().find(starts_it).map(|entry| entry.id.clone()))
}

/// What the entries start, in the order of the menu. Other systems' entries start no toplevel; an image of which that was not read might.
pub(super) fn toplevels(frames: &Frames) -> Result<Vec<String>, String> {
    let (entries, _) = entries(frames)?;
    let is_unread = |entry: &&Entry| entry.id.ends_with(IMAGE) && entry.toplevel().is_none();
    match entries.iter().find(is_unread) {
        Some(image) => Err(format!("what {} starts was not read", image.id)),
        None => Ok(entries.iter().filter_map(Entry::toplevel).collect()),
    }
}

/// With the toplevel of the first entry of the menu that starts another.
fn with_fallback(next: NextBoot, entries: &[Entry]) -> NextBoot {
    let mut toplevels = entries.iter().filter_map(Entry::toplevel);
    let fallback = toplevels.find(|other| Some(other) != next.toplevel.as_ref());
    NextBoot { fallback, ..next }
}

/// Who wishes for which entries.
struct Wish {
    pattern: String,
    source: String,
    /// Somebody set a variable, beside what the installer writes.
    on_purpose: bool,
    /// Entries that are out of tries do not count.
    skips_bad: bool,
}

/// All wishes, the strongest first (`bootctl(1)`, `loader.conf(5)`).
fn wishes(frames: &Frames, settings: &str, loader_conf: Option<&str>) -> Vec<Wish> {
    let setting = |key: &str| {
        let mut values = settings.lines().filter_map(split);
        let found = values.find(|(name, _)| *name == key);
        found.map(|(_, value)| sanitise::line(value))
    };
    let path = loader_conf.unwrap_or_default();
    let by_variable = |name: &str, skips_bad| {
        Some(Wish {
            pattern: efi_text(frames, name)?,
            source: format!("EFI variable {name}"),
            on_purpose: true,
            skips_bad,
        })
    };
    let by_file = |key: &str, skips_bad| {
        Some(Wish {
            pattern: setting(key)?,
            source: format!("{key} of {path}"),
            on_purpose: false,
            skips_bad,
        })
    };
    let wishes = [
        by_variable("LoaderEntryOneShot", false),
        by_variable("LoaderEntryPreferred", true),
        by_file("preferred", true),
        by_variable("LoaderEntryDefault", false),
        by_file("default", false),
    ];
    let saved = |wish: Wish| match wish.pattern.as_str() {
        "@saved" => Some(Wish {
            pattern: efi_text(frames, "LoaderEntryLastBooted")?,
            source: format!("{}: the last that was booted", wish.source),
            on_purpose: true,
            ..wish
        }),
        _ => Some(wish),
    };
    wishes.into_iter().flatten().filter_map(saved).collect()
}

/// `KEY VALUE`, of a line that is no comment.
fn split(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let (key, value) = line.split_once([' ', '\t'])?;
    (!key.starts_with('#')).then_some((key, value.trim()))
}

impl Entry {
    fn parse(path: &str, text: &str) -> Option<Self> {
        let (boot, file) = path.split_once("/loader/entries/")?;
        let mut entry = Self::named(boot, file, ".conf")?;
        for (key, value) in text.lines().filter_map(split) {
            let line = || sanitise::line(value);
            match key {
                "title" => entry.title = Some(line()),
                "sort-key" => entry.sort_key = Some(line()),
                "machine-id" => entry.machine_id = line(),
                "version" => entry.version = line(),
                "linux" => entry.linux = Some(line()),
                "initrd" => entry.initrds.push(line()),
                "efi" | "uki" => entry.starts_another = true,
                // Its value may be longer than a line that people read.
                "options" => entry
                    .options
                    .extend(value.split_whitespace().map(str::to_owned)),
                _ => {}
            }
        }
        Some(entry)
    }

    /// A unified kernel image, of which the words `init=…` were read.
    fn of_image(path: &str, text: &str) -> Option<Self> {
        let (boot, file) = path.split_once("/EFI/Linux/")?;
        Some(Self {
            linux: Some(sanitise::line(&format!("/EFI/Linux/{file}"))),
            options: text.lines().take(1).map(str::to_owned).collect(),
            ..Self::named(boot, file, IMAGE)?
        })
    }

    /// An entry that is called by its file: `NAME+LEFT-DONE.conf` where its boots are counted (systemd.io's Automatic Boot Assessment).
    fn named(boot: &str, file: &str, suffix: &str) -> Option<Self> {
        let stem = file.strip_suffix(suffix)?;
        let (id, tries) = match stem.rsplit_once('+') {
            Some((id, tries)) => (id, tries.split('-').next()),
            None => (stem, None),
        };
        Some(Self {
            id: sanitise::line(&format!("{id}{suffix}")),
            boot: boot.to_owned(),
            out_of_tries: tries.is_some_and(|left| left.parse() == Ok(0_u32)),
            ..Self::default()
        })
    }

    /// The order of the menu: who is out of tries last, who has a sort key first, newer versions before older ones.
    fn order(left: &Self, right: &Self) -> Ordering {
        let by_key = match (&left.sort_key, &right.sort_key) {
            (Some(a), Some(b)) => a
                .cmp(b)
                .then_with(|| left.machine_id.cmp(&right.machine_id))
                .then_with(|| compare(&right.version, &left.version)),
            (a, b) => b.is_some().cmp(&a.is_some()),
        };
        left.out_of_tries
            .cmp(&right.out_of_tries)
            .then(by_key)
            .then_with(|| compare(&right.id, &left.id))
    }

    fn toplevel(&self) -> Option<String> {
        let mut inits = self.options.iter().filter_map(|o| o.strip_prefix("init="));
        toplevel_of(inits.next_back())
    }

    fn started(&self, chosen_by: String, on_purpose: bool) -> Result<NextBoot, String> {
        if self.linux.is_none() {
            return Err(format!(
                "{} ({chosen_by}) starts an EFI program, which is no Linux that is read",
                self.id
            ));
        }
        let file = |named: &String| {
            let below = named.trim_start_matches('/');
            BootFile::new(named, Some(format!("{}/{below}", self.boot)))
        };
        Ok(NextBoot {
            loader: "systemd-boot".to_owned(),
            entry: match &self.title {
                Some(title) => format!("{} ({title} {})", self.id, self.version),
                None => self.id.clone(),
            },
            chosen_by,
            on_purpose,
            toplevel: self.toplevel(),
            fallback: None,
            kernel: self.linux.as_ref().map(file),
            initrds: self.initrds.iter().map(file).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_entries_come_first_and_used_up_ones_last() {
        let entry = |path: &str, text: &str| Entry::parse(path, text).unwrap();
        let text = |version| format!("sort-key nixos\nversion Generation {version}\nlinux /x\n");
        let mut entries = [
            entry("/boot/loader/entries/nixos-generation-9.conf", &text("9")),
            entry(
                "/boot/loader/entries/nixos-generation-11+0-3.conf",
                &text("11"),
            ),
            entry("/boot/loader/entries/old.conf", "linux /y\n"),
            entry(
                "/boot/loader/entries/nixos-generation-10+2-1.conf",
                &text("10"),
            ),
        ];
        entries.sort_by(Entry::order);
        assert_eq!(
            entries.each_ref().map(|entry| entry.id.as_str()),
            [
                "nixos-generation-10.conf",
                "nixos-generation-9.conf",
                "old.conf",
                "nixos-generation-11.conf"
            ]
        );
    }
}
