//! What a machine's bootloader will start by itself, told from its files and variables.
//!
//! `audit`, `deploy` and a rehearsal have a machine run [`QUESTIONS`], and [`read`] the answers; of one that is off, [`answers`] are made of its
//! files. Pure: texts in, an entry out.

mod files;
mod grub;
mod once;
mod pattern;
mod systemd_boot;
mod version_order;

pub use files::{Files, answers};
pub use once::{Once, once};

use serde::{Deserialize, Serialize};

use crate::closure;
use crate::shell::{End, Frames};
use crate::vocabulary::StorePath;

/// What is asked of a machine: lines for [`asking`](crate::shell::asking).
pub const QUESTIONS: &str = include_str!("questions.sh");

/// The bootloaders whose menus are read.
const READ: &[&str] = &["grub", "systemd-boot", "lanzaboote"];
/// More generations than a menu is of use with.
const MOST_OFFERED: usize = 1000;

/// The boot entry that is started without a key being pressed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NextBoot {
    /// `GRUB` or `systemd-boot`.
    pub loader: String,
    /// The entry's title or file.
    pub entry: String,
    /// What makes it the one, such as `default of /boot/grub/grub.cfg`.
    pub chosen_by: String,
    /// Somebody chose another than the installer's default, in GRUB's environment or an EFI variable.
    pub on_purpose: bool,
    /// What `init=` names, without `/init`; `None` where it names no store path.
    pub toplevel: Option<String>,
    pub kernel: Option<BootFile>,
    pub initrds: Vec<BootFile>,
    /// The toplevel of the first entry of the menu that starts another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
}

/// A file that the bootloader loads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BootFile {
    /// As the entry has it.
    pub named: String,
    /// Where the machine has it, as far as that can be told.
    pub path: Option<String>,
    pub presence: Presence,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "is", content = "bytes")]
pub enum Presence {
    There(u64),
    Gone,
    Unknown,
}

impl BootFile {
    fn new(named: &str, path: Option<String>) -> Self {
        Self {
            named: named.to_owned(),
            path,
            presence: Presence::Unknown,
        }
    }
}

/// Reads the menu of the bootloader that is in use.
///
/// # Errors
/// Why it is not known what will be started.
pub fn read(frames: &Frames) -> Result<NextBoot, String> {
    match menu(frames)? {
        Menu::Grub(path) => grub::next(frames, &path),
        Menu::SystemdBoot(loader_conf) => systemd_boot::next(frames, loader_conf.as_deref()),
    }
}

/// Every toplevel that an entry of the menu starts, in the menu's order and each once; none where the menu cannot be read.
pub fn offered(frames: &Frames) -> Vec<String> {
    let all = menu(frames).and_then(|menu| match menu {
        Menu::Grub(path) => grub::toplevels(frames, &path),
        Menu::SystemdBoot(_) => systemd_boot::toplevels(frames),
    });
    let mut offered: Vec<String> = Vec::new();
    for toplevel in all.unwrap_or_default() {
        if offered.len() < MOST_OFFERED && !offered.contains(&toplevel) {
            offered.push(toplevel);
        }
    }
    offered
}

/// The menu of the bootloader that is in use.
enum Menu {
    /// The path of its `grub.cfg`.
    Grub(String),
    /// That of its `loader.conf`, where it has one.
    SystemdBoot(Option<String>),
}

fn menu(frames: &Frames) -> Result<Menu, String> {
    // What the installer of another bootloader left alone is the menu of nobody any longer.
    if installer(frames).is_some_and(|name| name != "none" && !READ.contains(&name)) {
        return Err(absent(frames));
    }
    let boots: Vec<&str> = frames
        .whole("boots")
        .unwrap_or_default()
        .split_ascii_whitespace()
        .collect();
    let there = |file: &str| {
        boots
            .iter()
            .map(|boot| format!("{boot}/{file}"))
            .find(|path| {
                let frame = frames.get(&format!("text {path}"));
                frame.is_some_and(|frame| frame.end != End::Absent)
            })
    };
    let grub = there("grub/grub.cfg");
    let loader = there("loader/loader.conf");
    let entries = frames.named("entry ").next().is_some();
    let images = frames.named("image ").next().is_some();
    let systemd_boot = loader.is_some() || entries || images;
    match (grub, systemd_boot) {
        (Some(path), false) => Ok(Menu::Grub(path)),
        (None, true) => Ok(Menu::SystemdBoot(loader)),
        (None, false) => Err(absent(frames)),
        // Files of an earlier bootloader stay behind when a machine gets another.
        (Some(path), true) => match in_use(frames).as_deref() {
            Some("grub") => Ok(Menu::Grub(path)),
            Some("systemd-boot" | "lanzaboote") => Ok(Menu::SystemdBoot(loader)),
            _ => Err(format!(
                "both {path} and a menu of systemd-boot are there, and nothing says which of them is in use"
            )),
        },
    }
}

fn absent(frames: &Frames) -> String {
    let installer = installer(frames);
    let root = match frames.line("uid").as_deref() {
        Some("0") => "",
        _ => " (only root may read everything there)",
    };
    match installer {
        Some("none") => {
            "the system installs no bootloader: what starts its kernel is outside of it".to_owned()
        }
        Some(name) if !READ.contains(&name) => {
            format!("the bootloader is {name}, whose menu bootproof does not read")
        }
        _ => format!(
            "neither grub/grub.cfg nor loader/loader.conf is below /boot, /efi or a mounted FAT{root}"
        ),
    }
}

fn installer(frames: &Frames) -> Option<&'static str> {
    closure::installed_boot_loader(frames.whole("installer")?)
}

/// What the current system installs; else what says of itself that it started this boot.
fn in_use(frames: &Frames) -> Option<String> {
    if frames.whole("firmware") == Some("bios") {
        return Some("grub".to_owned());
    }
    if let Some(name) = installer(frames) {
        return Some(name.to_owned());
    }
    let info = efi_text(frames, "LoaderInfo")?;
    let name = info.split_whitespace().next()?.to_lowercase();
    Some(name)
}

/// A text that an EFI variable has: four bytes of attributes, and UTF-16 up to a null (efivarfs).
fn efi_text(frames: &Frames, variable: &str) -> Option<String> {
    let bytes = frames.bytes(&format!("efi {variable}"))?;
    let (units, _) = bytes.get(4..)?.as_chunks::<2>();
    let units: Vec<u16> = units
        .iter()
        .map(|unit| u16::from_le_bytes(*unit))
        .take_while(|unit| *unit != 0)
        .collect();
    let text = crate::fold::sanitise::line(&String::from_utf16_lossy(&units));
    (!text.is_empty()).then_some(text)
}

/// The toplevel of `init=…/init`; of any other `init` nothing is known.
fn toplevel_of(init: Option<&str>) -> Option<String> {
    let path = init?.strip_suffix("/init")?;
    let path = StorePath::parse(path).ok()?;
    Some(path.to_string())
}

#[cfg(test)]
mod tests;
