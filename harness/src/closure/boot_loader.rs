use super::files::{ClosureFiles, FileError};
use super::grub_config::{self, GrubConfig};
use super::mentions;
use crate::vocabulary::{BootLoader, StorePath};

/// The Perl `switch-to-configuration` is 40 kB, a compiled wrapper around the Rust one 16 kB.
const SCRIPT_LIMIT: u64 = 16 << 20;

/// Disks that mirror a boot partition are a handful.
const MAX_DEVICES: usize = 100;

/// Names that NixOS gives to installers, and what they install.
///
/// From `nixos/modules/system/boot/loader/` of nixpkgs; the first match counts.
const INSTALLERS: &[(&str, Kind)] = &[
    ("install-grub", Kind::Grub),
    ("grub-config.xml", Kind::Grub),
    ("lzbt", Kind::Other("lanzaboote")),
    ("lanzaboote", Kind::Other("lanzaboote")),
    ("systemd-boot", Kind::SystemdBoot),
    ("gummiboot", Kind::Other("gummiboot")),
    ("extlinux", Kind::Other("extlinux")),
    ("limine", Kind::Other("limine")),
    ("refind", Kind::Other("refind")),
    ("uboot", Kind::Other("raspberrypi")),
    ("raspberrypi", Kind::Other("raspberrypi")),
    ("efi-boot-stub", Kind::Other("efi-boot-stub")),
    ("generations-dir", Kind::Other("generations-dir")),
    ("init-script-builder", Kind::Other("init-script")),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Grub,
    SystemdBoot,
    Other(&'static str),
}

/// Finds what the toplevel's `switch-to-configuration` installs.
///
/// It names its installer (`system.build.installBootLoader`): the Perl version in its text, the wrapper of
/// `switch-to-configuration-ng` in the variable `INSTALL_BOOTLOADER`.
///
/// # Errors
/// When the installer is named and cannot be read, or names a GRUB configuration that cannot be.
pub(super) fn read(files: &ClosureFiles) -> Result<BootLoader, FileError> {
    let Some(installer) = installer(files)? else {
        return Ok(none());
    };
    let (path, below) =
        StorePath::split(&installer).map_err(|_| FileError::Outside(installer.clone()))?;
    if below == "bin/true" {
        return Ok(none());
    }
    let named = kind_of(path.name());
    // A wrapper of another name (`boot.loader.external`) may still run a known installer.
    let content = match named {
        Some(Kind::Other(_) | Kind::SystemdBoot) => Vec::new(),
        _ => files.read(&installer, SCRIPT_LIMIT)?,
    };
    let kind = named.or_else(|| kind_of(&String::from_utf8_lossy(&content)));
    match kind {
        Some(Kind::Grub) => grub(files, &content),
        Some(Kind::SystemdBoot) => Ok(BootLoader::SystemdBoot),
        Some(Kind::Other(name)) => Ok(other(name)),
        None => Ok(other(path.name())),
    }
}

/// The program that installs the bootloader; `None` where nothing does.
///
/// # Errors
/// When `switch-to-configuration` cannot be read.
pub(super) fn installer(files: &ClosureFiles) -> Result<Option<String>, FileError> {
    let script = files.in_toplevel("bin/switch-to-configuration");
    let script = match files.read(&script, SCRIPT_LIMIT) {
        Ok(script) => script,
        // `system.switch.enable = false`: nothing installs a bootloader.
        Err(FileError::Missing(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(named_installer(&script)
        .or_else(|| mentioned_installer(&script))
        .or_else(|| installer_by_name(files)))
}

/// What the installer installs that a `switch-to-configuration` names, given its readable text: `grub`, `systemd-boot`, another
/// bootloader's name, or `none`; `None` where the text names no installer that is known.
pub fn installed_boot_loader(switch_to_configuration: &str) -> Option<&'static str> {
    let script = switch_to_configuration.as_bytes();
    let installer = named_installer(script).or_else(|| mentioned_installer(script))?;
    let (path, below) = StorePath::split(&installer).ok()?;
    if below == "bin/true" {
        return Some("none");
    }
    Some(match kind_of(path.name())? {
        Kind::Grub => "grub",
        Kind::SystemdBoot => "systemd-boot",
        Kind::Other(name) => name,
    })
}

fn none() -> BootLoader {
    other("none")
}

fn other(name: &str) -> BootLoader {
    BootLoader::Other {
        name: name.to_owned(),
    }
}

fn kind_of(text: &str) -> Option<Kind> {
    INSTALLERS
        .iter()
        .find(|(part, _)| text.contains(part))
        .map(|(_, kind)| *kind)
}

/// The first store path that follows closely upon a name of the variable.
pub(super) fn named_installer(script: &[u8]) -> Option<String> {
    const NEAR: usize = 120;
    const LONGEST: usize = 4096;
    let variables: [&[u8]; 3] = [
        b"INSTALL_BOOTLOADER",
        b"install_boot_loader",
        b"installBootLoader",
    ];
    variables.iter().find_map(|variable| {
        script
            .windows(variable.len())
            .enumerate()
            .filter(|(_, window)| window == variable)
            .find_map(|(start, _)| {
                let start = start + variable.len();
                let end = script.len().min(start + NEAR + LONGEST);
                let text = &script[start..end];
                let mention = mentions::in_bytes(text).next()?;
                (mention.start <= NEAR).then_some(mention.path)
            })
    })
}

/// Any store path of a known installer's name.
fn mentioned_installer(script: &[u8]) -> Option<String> {
    mentions::in_bytes(script)
        .map(|mention| mention.path)
        .find(|path| StorePath::split(path).is_ok_and(|(path, _)| kind_of(path.name()).is_some()))
}

/// The closure's installer script, for a `switch-to-configuration` that names none.
fn installer_by_name(files: &ClosureFiles) -> Option<String> {
    files
        .closure()
        .paths
        .iter()
        .find(|path| {
            let name = path.name();
            name.ends_with("install-grub.sh") || name.ends_with("install-systemd-boot.sh")
        })
        .map(ToString::to_string)
}

/// Joins the configurations of all mirrored boot partitions.
fn grub(files: &ClosureFiles, script: &[u8]) -> Result<BootLoader, FileError> {
    let is_config = |path: &str| path.ends_with("grub-config.xml");
    let mut configs: Vec<String> = Vec::new();
    for mention in mentions::in_bytes(script) {
        let is_new = is_config(&mention.path) && !configs.contains(&mention.path);
        if is_new && configs.len() < MAX_DEVICES {
            configs.push(mention.path);
        }
    }
    if configs.is_empty() {
        let paths = files.closure().paths.iter().map(StorePath::as_str);
        configs = paths
            .filter(|path| is_config(path))
            .map(str::to_owned)
            .collect();
    }
    let mut joined = GrubConfig::default();
    for path in &configs {
        let text = files.text(path)?;
        let config = grub_config::parse(&text).ok_or_else(|| FileError::Format {
            path: path.clone(),
            reason: "it names no devices".to_owned(),
        })?;
        joined.efi |= config.efi;
        for device in config.devices {
            if joined.devices.len() < MAX_DEVICES && !joined.devices.contains(&device) {
                joined.devices.push(device);
            }
        }
    }
    if configs.is_empty() {
        joined.devices = devices_of_script(script);
        if joined.devices.is_empty() {
            return Err(FileError::Missing("grub-config.xml".to_owned()));
        }
    }
    Ok(BootLoader::Grub {
        devices: joined.devices,
        efi: joined.efi,
    })
}

/// The disks that an installer without NixOS's configuration file names literally.
pub(super) fn devices_of_script(script: &[u8]) -> Vec<String> {
    const NO_DISKS: &[&str] = &["null", "zero", "tty", "std", "fd", "console", "kmsg"];
    let text = String::from_utf8_lossy(script);
    let mut devices: Vec<String> = Vec::new();
    for (start, prefix) in text.match_indices("/dev/") {
        let name: String = text[start + prefix.len()..]
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || "/-_.:".contains(*c))
            .collect();
        let device = format!("{prefix}{name}");
        let is_disk = !name.is_empty() && !NO_DISKS.iter().any(|other| name.starts_with(other));
        if is_disk && devices.len() < MAX_DEVICES && !devices.contains(&device) {
            devices.push(device);
        }
    }
    devices
}

#[cfg(test)]
mod tests;
