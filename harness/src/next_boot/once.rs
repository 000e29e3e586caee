//! Has a bootloader start another entry of its menu at the next boot, and only then, as `grub-reboot` and `bootctl set-oneshot` do.

use super::{Menu, grub, menu, systemd_boot, toplevel_of};
use crate::closure::grub_menu::{self, Does, GrubEntry};
use crate::shell::{Frames, quoted};

/// How an entry can be chosen for one boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Once {
    /// What the machine's shell has to do for it, as root.
    By(String),
    /// The menu has no entry that starts the toplevel.
    NoEntry,
}

/// The block of GRUB's environment, in bytes, which GRUB itself rewrites in place (GRUB manual, "Environment block").
const BLOCK: usize = 1024;
const HEADER: &str = "# GRUB Environment Block\n";

/// The variable of the Boot Loader Interface, in efivarfs, and the attributes that stand before its text: non-volatile, and to be had at
/// boot and at run time.
const ONE_SHOT: &str =
    "/sys/firmware/efi/efivars/LoaderEntryOneShot-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
const ATTRIBUTES: [u8; 4] = [7, 0, 0, 0];

/// How the machine that answered [`QUESTIONS`](super::QUESTIONS) can be had to start `toplevel` once.
///
/// # Errors
/// Why its bootloader cannot be had to, or is not known well enough.
pub fn once(frames: &Frames, toplevel: &str) -> Result<Once, String> {
    match menu(frames)? {
        Menu::Grub(path) => by_grub(frames, &path, toplevel),
        Menu::SystemdBoot(_) => Ok(match systemd_boot::id_of(frames, toplevel)? {
            Some(id) => Once::By(by_variable(&id)),
            None => Once::NoEntry,
        }),
    }
}

fn by_grub(frames: &Frames, path: &str, toplevel: &str) -> Result<Once, String> {
    let script = grub::script(frames, path)?;
    let mut menu = grub_menu::parse(script);
    let Some(entry) = place_of(&menu.entries, toplevel) else {
        return Ok(Once::NoEntry);
    };
    menu.default = Some(entry.clone());
    if let Some(restricted) = menu.asks_for_password() {
        return Err(grub::asks_for_password(path, restricted));
    }
    if !grub::sets_default_by(script, "next_entry") {
        return Err(format!(
            "{path} does not ask for `next_entry`, by which an entry is chosen for one boot"
        ));
    }
    let place = grub::environment(path);
    let known = frames.whole(&format!("text {place}")).unwrap_or_default();
    let mut block = HEADER.to_owned();
    let others = known.lines().filter(|line| {
        let is_setting = line.contains('=') && !line.starts_with('#');
        is_setting && !line.starts_with("next_entry=")
    });
    for line in others {
        block.push_str(line);
        block.push('\n');
    }
    block.push_str(&format!("next_entry={entry}\n"));
    if block.len() > BLOCK {
        return Err(format!("{place} is full"));
    }
    block.push_str(&"#".repeat(BLOCK - block.len()));
    // GRUB writes to the blocks that the file has on the disk.
    Ok(Once::By(format!(
        "printf '%s' {} > {} && sync",
        quoted(&block),
        quoted(&place)
    )))
}

/// The numbers of the first entry that starts `toplevel`, and of the submenus that it is in: `1>0`.
fn place_of(entries: &[GrubEntry], toplevel: &str) -> Option<String> {
    entries
        .iter()
        .enumerate()
        .find_map(|(n, entry)| match &entry.does {
            Does::Start(start) => {
                (toplevel_of(start.init()).as_deref() == Some(toplevel)).then(|| n.to_string())
            }
            Does::Opens(inner) => Some(format!("{n}>{}", place_of(inner, toplevel)?)),
        })
}

/// One write, as efivarfs takes it; one that is there already cannot be written to before it is made mutable (kernel's
/// `Documentation/filesystems/efivarfs.rst`).
fn by_variable(id: &str) -> String {
    let text = id.encode_utf16().chain([0]).flat_map(u16::to_le_bytes);
    let bytes = ATTRIBUTES.into_iter().chain(text);
    let octal: String = bytes.map(|byte| format!("\\{byte:03o}")).collect();
    format!(
        "if [ -e {ONE_SHOT} ]; then chattr -i {ONE_SHOT}; rm -f {ONE_SHOT}; fi; printf '{octal}' > {ONE_SHOT}"
    )
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::next_boot::{QUESTIONS, offered, read};
    use crate::shell::asking;

    const NEW: &str = "/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-nixos-system-web-2";
    const OLD: &str = "/nix/store/1fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-nixos-system-web-1";

    /// As `install-grub.pl` has it.
    fn menu(of: &[&str]) -> String {
        let mut text = "if [ -s $prefix/grubenv ]; then\n  load_env\nfi\nif [ \"${next_entry}\" ]; then\n  \
                        set default=\"${next_entry}\"\n  set next_entry=\n  save_env next_entry\nelse\n  set default=0\nfi\n"
            .to_owned();
        let entry = |top: &str| format!("menuentry \"{top}\" {{\nlinux /k init={top}/init\n}}\n");
        text.push_str(&entry(NEW));
        text.push_str("submenu \"All\" {\n");
        of.iter().for_each(|top| text.push_str(&entry(top)));
        text + "}\n"
    }

    /// A directory that stands for a machine's root, of which questions are asked and in which the answer is carried out.
    struct Machine(tempfile::TempDir);

    impl Machine {
        fn with(files: &[(&str, &str)]) -> Self {
            let root = tempfile::tempdir().unwrap();
            for (path, text) in files {
                let path = root.path().join(path);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, text).unwrap();
            }
            Self(root)
        }

        fn sh(&self, script: &str) -> Vec<u8> {
            let mut shell = Command::new("sh");
            shell
                .env("BOOTPROOF_ROOT", self.0.path())
                .args(["-ec", script]);
            shell.output().unwrap().stdout
        }

        fn frames(&self) -> Frames {
            let answer = self.sh(&asking("m", QUESTIONS).replace("set -e", ""));
            let mut frames = Frames::default();
            frames.add(&String::from_utf8(answer).unwrap(), "m");
            frames
        }

        fn choose(&self, toplevel: &str) -> Result<Once, String> {
            let once = once(&self.frames(), toplevel)?;
            if let Once::By(script) = &once {
                let here = format!("{}/boot", self.0.path().display());
                self.sh(&script.replace("/boot", &here));
            }
            Ok(once)
        }

        fn next(&self) -> Option<String> {
            read(&self.frames()).unwrap().toplevel
        }
    }

    #[test]
    fn grub_starts_the_chosen_entry_next_and_keeps_its_other_variables() {
        let environment = format!("{HEADER}saved_entry=it's 0\nnext_entry=7\n####");
        let machine = Machine::with(&[
            ("boot/grub/grub.cfg", &menu(&[NEW, OLD])),
            ("boot/grub/grubenv", &environment),
        ]);
        assert!(matches!(machine.choose(OLD), Ok(Once::By(_))));
        assert_eq!(machine.next().as_deref(), Some(OLD));
        let block = std::fs::read_to_string(machine.0.path().join("boot/grub/grubenv")).unwrap();
        assert_eq!(block.len(), BLOCK);
        assert!(block.starts_with(&format!("{HEADER}saved_entry=it's 0\nnext_entry=1>1\n###")));
    }

    #[test]
    fn what_the_menu_has_not_and_what_it_cannot_do_are_told_apart() {
        let machine = Machine::with(&[("boot/grub/grub.cfg", &menu(&[NEW]))]);
        assert_eq!(machine.choose(OLD), Ok(Once::NoEntry));
        let plain = menu(&[OLD]).replace("next_entry", "another");
        let machine = Machine::with(&[("boot/grub/grub.cfg", &plain)]);
        assert!(machine.choose(OLD).unwrap_err().contains("`next_entry`"));
        assert!(Machine::with(&[]).choose(OLD).is_err());
    }

    #[test]
    fn an_entry_that_asks_for_a_password_cannot_be_chosen() {
        let text = format!("set superusers=\"root\"\n{}", menu(&[OLD]));
        let machine = Machine::with(&[("boot/grub/grub.cfg", &text)]);
        assert!(machine.choose(OLD).unwrap_err().contains("password"));
    }

    #[test]
    fn a_menu_offers_what_its_entries_start_and_one_that_was_not_read_offers_nothing() {
        let both = [NEW.to_owned(), OLD.to_owned()];
        let machine = Machine::with(&[("boot/grub/grub.cfg", &menu(&[NEW, OLD]))]);
        assert_eq!(offered(&machine.frames()), both);
        let image = |top: &str| format!("\0quiet init={top}/init loglevel=4\0");
        let images = [
            ("boot/EFI/Linux/nixos-generation-1.efi", image(OLD)),
            ("boot/EFI/Linux/nixos-generation-2.efi", image(NEW)),
            ("boot/EFI/Linux/nixos-generation-3.efi", "unread".to_owned()),
        ];
        let images = images.each_ref().map(|(path, text)| (*path, text.as_str()));
        assert_eq!(offered(&Machine::with(&images[..2]).frames()), both);
        assert_eq!(offered(&Machine::with(&images).frames()), [""; 0]);
    }

    #[test]
    fn systemd_boot_is_told_by_a_variable_of_the_firmware() {
        let entry = |top: &str| format!("title NixOS\nlinux /k\noptions init={top}/init\n");
        let machine = Machine::with(&[
            ("boot/loader/entries/nixos-generation-1.conf", &entry(OLD)),
            ("boot/loader/entries/nixos-generation-2.conf", &entry(NEW)),
        ]);
        let Once::By(script) = once(&machine.frames(), OLD).unwrap() else {
            panic!("the entry is there");
        };
        let place = machine.0.path().join("variable");
        machine.sh(&script.replace(ONE_SHOT, place.to_str().unwrap()));
        let written = std::fs::read(place).unwrap();
        assert_eq!(written[..4], ATTRIBUTES);
        let (units, rest) = written[4..].as_chunks::<2>();
        let units: Vec<u16> = units.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
        assert!(rest.is_empty());
        assert_eq!(
            String::from_utf16(&units).unwrap(),
            "nixos-generation-1.conf\0"
        );
        assert_eq!(once(&machine.frames(), "/nix/store/x"), Ok(Once::NoEntry));
    }
}
