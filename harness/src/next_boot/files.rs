//! The same answers without a shell: from the files of a machine that is off.

use std::sync::LazyLock;

use regex::bytes::Regex;

use crate::shell::{End, Frame, Frames};

/// What there is of a machine that is off: its files by their paths on the machine, and its firmware's variables.
pub trait Files {
    /// No more than `limit` bytes of the file at `path`, and how many it has.
    ///
    /// # Errors
    /// Why there is nothing of it.
    fn read(&self, path: &str, limit: usize) -> Result<(Vec<u8>, u64), End>;

    /// The names in a directory; none where there is none, or it cannot be read.
    fn list(&self, directory: &str) -> Vec<String>;

    /// Where FAT file systems are mounted.
    fn fat_mount_points(&self) -> Vec<String>;

    /// Whether its firmware is UEFI.
    fn is_uefi(&self) -> bool;

    /// What efivarfs has of a variable of the Boot Loader Interface: four bytes of attributes, and its value.
    fn variable(&self, name: &str) -> Option<Vec<u8>>;
}

/// Bounds of [`QUESTIONS`](super::QUESTIONS), in bytes.
const MENU: usize = 8_000_000;
const ENVIRONMENT: usize = 4096;
const ENTRY: usize = 100_000;
const IMAGE: usize = 4_000_000;

const VARIABLES: [&str; 5] = [
    "LoaderInfo",
    "LoaderEntryOneShot",
    "LoaderEntryPreferred",
    "LoaderEntryDefault",
    "LoaderEntryLastBooted",
];

/// What is run of the next generation to install a bootloader.
const INSTALLER: &str = "/nix/var/nix/profiles/system/bin/switch-to-configuration";

/// What the machine would answer to [`QUESTIONS`](super::QUESTIONS), but for the installer: of a machine that is off it is the profile's.
pub fn answers(files: &dyn Files) -> Frames {
    let mut frames = Frames::default();
    let mut tell = |name: String, body: String, end: End| frames.put(name, Frame { body, end });
    tell("uid".to_owned(), "0".to_owned(), End::Whole);
    let firmware = if files.is_uefi() { "efi" } else { "bios" };
    tell("firmware".to_owned(), firmware.to_owned(), End::Whole);
    let (body, end) = printable(files.read(INSTALLER, IMAGE));
    tell("installer".to_owned(), body, end);
    let mut boots: Vec<String> = ["/boot", "/efi", "/boot/efi"].map(str::to_owned).into();
    for point in files.fat_mount_points() {
        if !boots.contains(&point) {
            boots.push(point);
        }
    }
    tell("boots".to_owned(), boots.join(" "), End::Whole);
    for boot in &boots {
        for (name, limit) in [
            ("grub/grub.cfg", MENU),
            ("grub/grubenv", ENVIRONMENT),
            ("loader/loader.conf", ENTRY),
        ] {
            let path = format!("{boot}/{name}");
            let (body, end) = text(files, &path, limit);
            tell(format!("text {path}"), body, end);
        }
        let entries = format!("{boot}/loader/entries");
        for name in files.list(&entries) {
            if name.ends_with(".conf") {
                let path = format!("{entries}/{name}");
                let (body, end) = text(files, &path, ENTRY);
                tell(format!("entry {path}"), body, end);
            }
        }
        let images = format!("{boot}/EFI/Linux");
        for name in files.list(&images) {
            if name.ends_with(".efi")
                && let Ok((bytes, _)) = files.read(&format!("{images}/{name}"), IMAGE)
            {
                let path = format!("image {images}/{name}");
                tell(path, starts(&bytes), End::Whole);
            }
        }
    }
    for name in VARIABLES {
        let bytes = files.variable(name);
        let end = match bytes {
            Some(_) => End::Whole,
            None => End::Absent,
        };
        let hex = bytes.unwrap_or_default();
        let hex: Vec<String> = hex.iter().map(|byte| format!("{byte:02x}")).collect();
        tell(format!("efi {name}"), hex.join(" "), end);
    }
    frames
}

fn text(files: &dyn Files, path: &str, limit: usize) -> (String, End) {
    match files.read(path, limit) {
        Ok((bytes, length)) => {
            let end = match length > limit as u64 {
                true => End::Cut,
                false => End::Whole,
            };
            (String::from_utf8_lossy(&bytes).into_owned(), end)
        }
        Err(end) => (String::new(), end),
    }
}

/// A script, or what is text of a program.
fn printable(read: Result<(Vec<u8>, u64), End>) -> (String, End) {
    match read {
        Ok((bytes, _)) => {
            let shown = |byte: &u8| match byte {
                b' '..=b'~' => char::from(*byte),
                _ => '\n',
            };
            (bytes.iter().map(shown).collect(), End::Whole)
        }
        Err(end) => (String::new(), end),
    }
}

/// The words `init=…` of a unified kernel image, one a line.
fn starts(image: &[u8]) -> String {
    static INIT: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?-u)init=/nix/store/[!-~]*").expect("it is one"));
    let words = INIT.find_iter(image);
    let words: Vec<_> = words
        .map(|word| String::from_utf8_lossy(word.as_bytes()))
        .collect();
    words.join("\n")
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::process::Command;

    use super::*;
    use crate::next_boot::{QUESTIONS, offered, read};
    use crate::shell::asking;

    /// A directory that stands for the machine.
    struct Directory(PathBuf);

    impl Files for Directory {
        fn read(&self, path: &str, limit: usize) -> Result<(Vec<u8>, u64), End> {
            let place = self.0.join(path.trim_start_matches('/'));
            let mut bytes = std::fs::read(place).map_err(|_| End::Absent)?;
            let length = bytes.len() as u64;
            bytes.truncate(limit);
            Ok((bytes, length))
        }

        fn list(&self, directory: &str) -> Vec<String> {
            let place = self.0.join(directory.trim_start_matches('/'));
            let entries = std::fs::read_dir(place).into_iter().flatten().flatten();
            let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
            names.collect()
        }

        fn fat_mount_points(&self) -> Vec<String> {
            vec!["/boot".to_owned(), "/esp".to_owned()]
        }

        fn is_uefi(&self) -> bool {
            self.0.join("sys/firmware/efi").is_dir()
        }

        fn variable(&self, name: &str) -> Option<Vec<u8>> {
            let file = format!("{name}-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f");
            std::fs::read(self.0.join("sys/firmware/efi/efivars").join(file)).ok()
        }
    }

    const NEW: &str = "/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-nixos-system-web-2";
    const OLD: &str = "/nix/store/1fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-nixos-system-web-1";

    fn entry(top: &str) -> String {
        format!("title NixOS\nlinux /k\noptions init={top}/init\n")
    }

    /// What a shell there says, and what is read of the files, of the same machine.
    fn both(files: &[(&str, &[u8])]) -> [Frames; 2] {
        let root = tempfile::tempdir().unwrap();
        for (path, bytes) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        [
            asked(root.path()),
            answers(&Directory(root.path().to_owned())),
        ]
    }

    fn asked(root: &Path) -> Frames {
        let mut shell = Command::new("sh");
        shell.env("BOOTPROOF_ROOT", root);
        let output = shell
            .args(["-c", &asking("m", QUESTIONS)])
            .output()
            .unwrap();
        let mut frames = Frames::default();
        assert!(frames.add(&String::from_utf8_lossy(&output.stdout), "m"));
        frames
    }

    fn agreed(files: &[(&str, &[u8])]) -> Option<String> {
        let [of_shell, of_files] = both(files);
        let next = read(&of_shell);
        assert_eq!(next, read(&of_files));
        assert_eq!(offered(&of_shell), offered(&of_files));
        next.ok()?.toplevel
    }

    #[test]
    fn a_menu_of_grub_is_read_as_by_the_machines_shell() {
        let menu = format!(
            "set default=\"${{saved_entry}}\"\nmenuentry \"New\" {{\nlinux /k init={NEW}/init\n}}\nmenuentry \"Old\" {{\nlinux /k \
             init={OLD}/init\n}}\n"
        );
        let grub = ("boot/grub/grub.cfg", menu.as_bytes());
        assert_eq!(agreed(&[grub]).as_deref(), Some(NEW));
        let saved: &[u8] = b"# GRUB Environment Block\nsaved_entry=1\n###";
        let chosen = agreed(&[grub, ("boot/grub/grubenv", saved)]);
        assert_eq!(chosen.as_deref(), Some(OLD));
        assert_eq!(agreed(&[]), None);
        assert_eq!(agreed(&[("boot/grub/grub.cfg", b"\xff\xfe")]), None);
    }

    #[test]
    fn entries_images_and_variables_are_read_as_by_the_machines_shell() {
        let (new, old) = (entry(NEW), entry(OLD));
        let entries: [(&str, &[u8]); 3] = [
            (
                "boot/loader/loader.conf",
                b"default nixos-generation-2.conf\n",
            ),
            (
                "boot/loader/entries/nixos-generation-1.conf",
                old.as_bytes(),
            ),
            (
                "boot/loader/entries/nixos-generation-2.conf",
                new.as_bytes(),
            ),
        ];
        assert_eq!(agreed(&entries).as_deref(), Some(NEW));
        let image = format!("\u{7f}ELF\0quiet init={OLD}/init loglevel=4\0init=/nix/store/x\n");
        let images = [("boot/EFI/Linux/nixos-generation-1.efi", image.as_bytes())];
        assert_eq!(agreed(&images).as_deref(), Some(OLD));
        let id = "nixos-generation-1.conf".encode_utf16().chain([0]);
        let value: Vec<u8> = [7, 0, 0, 0]
            .into_iter()
            .chain(id.flat_map(u16::to_le_bytes))
            .collect();
        let [_, of_files] = both(&[
            entries[0],
            entries[1],
            entries[2],
            (
                "sys/firmware/efi/efivars/LoaderEntryOneShot-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f",
                &value,
            ),
        ]);
        let next = read(&of_files).unwrap();
        assert_eq!(next.toplevel.as_deref(), Some(OLD));
        assert_eq!(next.chosen_by, "EFI variable LoaderEntryOneShot");
    }
}
