use super::Answers;
use crate::closure::grub_menu::{self, Does};
use crate::vocabulary::{BootLoader, StorePath};

/// What a host starts when it is turned on next, as far as its bootloader's files tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextBoot {
    Starts(StorePath),
    /// Not known, and why.
    Unknown(String),
}

impl NextBoot {
    /// Reads what [`super::script::prove`] said of the bootloader that the candidate installs: files of another one may lie there still.
    pub fn read(answers: &Answers, loader: &BootLoader) -> Self {
        let init = match loader {
            BootLoader::Grub { .. } => by_grub(answers),
            BootLoader::SystemdBoot => by_systemd_boot(answers),
            BootLoader::Other { name } => {
                Err(format!("bootproof does not read what {name} installs"))
            }
        };
        let toplevel = init.and_then(|init| match StorePath::split(&init) {
            Ok((path, _)) => Ok(path),
            Err(_) => Err(format!(
                "its default entry has init={init}, which is no store path"
            )),
        });
        toplevel.map_or_else(Self::Unknown, Self::Starts)
    }
}

/// `init=` of GRUB's default entry.
fn by_grub(answers: &Answers) -> Result<String, String> {
    let text = answers
        .text("grub")
        .ok_or("/boot/grub/grub.cfg cannot be read there")?;
    let mut menu = grub_menu::parse(&text);
    if let Some(chosen) = chosen_once(answers) {
        menu.default = Some(chosen);
    }
    let entry = menu
        .default_entry()
        .ok_or("/boot/grub/grub.cfg has no default entry")?;
    let init = match &entry.does {
        Does::Start(start) => start.init(),
        Does::Opens(_) => None,
    };
    init.map(str::to_owned)
        .ok_or_else(|| format!("GRUB's default entry `{}` has no init=", entry.title))
}

/// What `grub-reboot` left in `grubenv`, which NixOS's `grub.cfg` puts before its own default.
fn chosen_once(answers: &Answers) -> Option<String> {
    let text = answers.text("grubenv")?;
    let saved = text
        .lines()
        .find_map(|line| line.strip_prefix("saved_entry="))?;
    (!saved.is_empty()).then(|| saved.to_owned())
}

/// `init=` of the entry that systemd-boot starts: a variable of the firmware is stronger than `loader.conf`(5).
fn by_systemd_boot(answers: &Answers) -> Result<String, String> {
    let configured = answers.text("loader");
    let configured = configured
        .as_deref()
        .and_then(|text| value_of(text, "default"));
    let name = answers
        .value("LoaderEntryOneShot")
        .or(answers.value("LoaderEntryDefault"))
        .or(configured)
        .ok_or("loader/loader.conf names no default, or cannot be read there")?;
    let id = name.strip_suffix(".conf").unwrap_or(name);
    let entry = entry(answers, id).ok_or_else(|| {
        format!("systemd-boot's default `{name}` names no entry in loader/entries")
    })?;
    let options = entry
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("options"));
    let mut init = options
        .flat_map(str::split_whitespace)
        .filter_map(|word| word.strip_prefix("init="));
    init.next_back()
        .map(str::to_owned)
        .ok_or_else(|| format!("systemd-boot's default entry `{name}` has no init="))
}

/// An entry by its id, or by its name with the tries of boot counting (`NAME+3.conf`, `NAME+2-1.conf`).
fn entry(answers: &Answers, id: &str) -> Option<String> {
    let exact = answers.text(&format!("entry:{id}.conf"));
    exact.or_else(|| {
        let counted = answers.keys().find(|key| {
            let name = key
                .strip_prefix("entry:")
                .and_then(|key| key.strip_suffix(".conf"));
            name.and_then(|name| name.rsplit_once('+'))
                .is_some_and(|(name, _)| name == id)
        });
        answers.text(counted?)
    })
}

/// The value of a key in a file of lines `KEY VALUE`.
fn value_of<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let mut values = text.lines().filter_map(|line| {
        let (found, value) = line.trim().split_once(char::is_whitespace)?;
        (found == key).then_some(value.trim())
    });
    values.next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str) -> String {
        format!("/nix/store/{}-{name}", "0".repeat(32))
    }

    fn answers(files: &[(&str, &str)]) -> Answers {
        let lines = files.iter().flat_map(|(key, text)| {
            text.lines()
                .map(move |line| format!("bootproof {key} {line}\n"))
        });
        Answers::parse(&(lines.collect::<String>() + "bootproof end \n")).unwrap()
    }

    fn grub(more: &[(&str, &str)]) -> NextBoot {
        let menu = format!(
            "if [ \"${{saved_entry}}\" ]; then\nset default=\"${{saved_entry}}\"\nelse\nset default=0\nfi\n\
             menuentry \"new\" {{\nlinux /k init={}/init quiet\n}}\nmenuentry \"old\" {{\nlinux /k init={}/init\n}}\n",
            path("new"),
            path("old")
        );
        let files = [&[("grub", menu.as_str())], more].concat();
        let devices = Vec::new();
        NextBoot::read(
            &answers(&files),
            &BootLoader::Grub {
                devices,
                efi: false,
            },
        )
    }

    fn starts(name: &str) -> NextBoot {
        NextBoot::Starts(StorePath::parse(&path(name)).unwrap())
    }

    #[test]
    fn grub_starts_its_default_or_what_was_chosen_for_once() {
        assert_eq!(grub(&[]), starts("new"));
        assert_eq!(
            grub(&[("grubenv", "# GRUB\nsaved_entry=\n###")]),
            starts("new")
        );
        assert_eq!(
            grub(&[("grubenv", "# GRUB\nsaved_entry=1\n###")]),
            starts("old")
        );
    }

    fn systemd_boot(files: &[(&str, &str)]) -> NextBoot {
        let entries = ["old", "new"].map(|name| {
            format!(
                "title NixOS\nlinux /EFI/nixos/k.efi\noptions init={}/init loglevel=4\n",
                path(name)
            )
        });
        let known = [
            ("entry:nixos-generation-1.conf", entries[0].as_str()),
            ("entry:nixos-generation-2+3.conf", entries[1].as_str()),
        ];
        NextBoot::read(
            &answers(&[&known, files].concat()),
            &BootLoader::SystemdBoot,
        )
    }

    #[test]
    fn systemd_boot_starts_the_default_unless_the_firmware_has_another() {
        let conf = ("loader", "timeout 5\ndefault nixos-generation-2.conf\n");
        assert_eq!(systemd_boot(&[conf]), starts("new"));
        let default = ("LoaderEntryDefault", "nixos-generation-1.conf");
        assert_eq!(systemd_boot(&[conf, default]), starts("old"));
        let once = ("LoaderEntryOneShot", "nixos-generation-2.conf");
        assert_eq!(systemd_boot(&[conf, default, once]), starts("new"));
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let told = |next: NextBoot| match next {
            NextBoot::Unknown(reason) => reason,
            NextBoot::Starts(path) => panic!("{path}"),
        };
        let grub = BootLoader::Grub {
            devices: Vec::new(),
            efi: true,
        };
        let other = BootLoader::Other {
            name: "lanzaboote".to_owned(),
        };
        assert!(told(NextBoot::read(&answers(&[]), &grub)).contains("grub.cfg cannot be read"));
        assert!(told(NextBoot::read(&answers(&[]), &other)).contains("lanzaboote"));
        assert!(
            told(NextBoot::read(&answers(&[("grub", "{")]), &grub)).contains("no default entry")
        );
        let memtest = [("grub", "menuentry memtest { linux16 /memtest }")];
        assert!(told(NextBoot::read(&answers(&memtest), &grub)).contains("no init="));
        assert!(told(systemd_boot(&[])).contains("names no default"));
        assert!(told(systemd_boot(&[("loader", "default @saved")])).contains("names no entry"));
        let empty = [("loader", "default x"), ("entry:x.conf", "options quiet")];
        assert!(told(systemd_boot(&empty)).contains("no init="));
        let foreign = [
            ("loader", "default x"),
            ("entry:x.conf", "options init=/sbin/init"),
        ];
        assert!(told(systemd_boot(&foreign)).contains("no store path"));
    }
}
