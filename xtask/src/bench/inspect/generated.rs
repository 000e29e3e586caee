//! A closure directory of any size, the same at each call: a small x86_64 system whose packages hold what real ones do (programs,
//! libraries, scripts, manuals, documentation, links), with a profile that links to them. Nothing in it runs.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use super::formats::{Kind, elf, initrd, kernel};

/// What there is in a generated closure.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Contents {
    /// Regular files.
    pub(super) files: u64,
    /// Programs and shared libraries.
    pub(super) programs: u64,
    pub(super) scripts: u64,
    pub(super) links: u64,
    pub(super) store_paths: u64,
}

/// Regular files of a package.
const PACKAGE: u64 = 100;
const SERVICES: u64 = 60;
const MODULES: &str = "lib/modules/6.6.63";

/// Writes a closure of `files` regular files into `directory`, which must not be there yet; of fewer than 200 it makes more.
pub(super) fn generate(directory: &Path, files: u64) -> io::Result<Contents> {
    let mut closure = Writer {
        store: directory.join("nix/store"),
        paths: BTreeSet::new(),
        contents: Contents::default(),
    };
    closure.system()?;
    let mut number = 0;
    while closure.contents.files < files {
        let length = PACKAGE.min(files - closure.contents.files);
        closure.package(number, length)?;
        number += 1;
    }
    closure.contents.store_paths = closure.paths.len() as u64;
    closure.register(directory)?;
    Ok(closure.contents)
}

struct Writer {
    store: PathBuf,
    /// Names of the store paths.
    paths: BTreeSet<String>,
    contents: Contents,
}

impl Writer {
    /// What every bootable toplevel has, and services.
    fn system(&mut self) -> io::Result<()> {
        let shell = self.program("bash", "bin/bash", elf(Kind::Program, true))?;
        let systemd = "lib/systemd/systemd";
        self.program("systemd", systemd, elf(Kind::Program, true))?;
        self.file("linux", "bzImage", kernel())?;
        let modules = ["virtio_blk.ko", "virtio_pci.ko", "ext4.ko"];
        self.file("initrd", "initrd", initrd(&modules))?;
        self.file("modules", &format!("{MODULES}/modules.builtin"), "")?;
        self.file("modules", &format!("{MODULES}/modules.dep"), "")?;
        let fstab = "/dev/vda1 / ext4 defaults 0 1\n";
        self.file("etc", "etc/fstab", fstab)?;
        self.services()?;

        let toplevel = "nixos-system-generated";
        self.program(toplevel, "init", format!("#! {shell}\n"))?;
        self.contents.scripts += 1;
        self.file(toplevel, "kernel-params", "loglevel=4 console=ttyS0")?;
        self.file(toplevel, "nixos-version", "24.11.generated")?;
        self.file(toplevel, "system", "x86_64-linux")?;
        for (link, name, below) in [
            ("kernel", "linux", "/bzImage"),
            ("initrd", "initrd", "/initrd"),
            ("kernel-modules", "modules", ""),
            ("etc", "etc", "/etc"),
            ("systemd", "systemd", ""),
            ("sw", "system-path", ""),
        ] {
            let target = logical(name) + below;
            self.link(toplevel, link, &target)?;
        }
        Ok(())
    }

    /// Each starts a program of another package.
    fn services(&mut self) -> io::Result<()> {
        let units = "etc/systemd/system";
        self.file("etc", &format!("{units}/multi-user.target"), "")?;
        let link = format!("{units}/default.target");
        self.link("etc", &link, "multi-user.target")?;
        for number in 0..SERVICES {
            let unit = format!("unit-{number}.service");
            let program = self.program(&unit, "start", elf(Kind::Program, true))?;
            let text = format!("[Service]\nExecStart={program} --port {number}\n");
            self.file("etc", &format!("{units}/{unit}"), text)?;
            let wanted = format!("{units}/multi-user.target.wants/{unit}");
            self.link("etc", &wanted, &format!("../{unit}"))?;
        }
        Ok(())
    }

    fn package(&mut self, number: u64, files: u64) -> io::Result<()> {
        let name = format!("package-{number}");
        // A few packages are 32-bit, as where games are installed.
        let is_64_bit = number % 50 != 7;
        for file in 0..files {
            match file {
                0..6 => {
                    let below = format!("bin/program-{number}-{file}");
                    let content = padded(elf(Kind::Program, is_64_bit), number + file);
                    self.program(&name, &below, content)?;
                    self.offered(&name, &below)?;
                }
                6..10 => {
                    let below = format!("bin/script-{number}-{file}");
                    let text = format!("#!{}/bin/bash\n", logical("bash"));
                    self.file(&name, &below, padded(text.into_bytes(), file))?;
                    self.contents.scripts += 1;
                    self.offered(&name, &below)?;
                }
                10..18 => {
                    let below = format!("lib/lib{file}.so.1");
                    let content = padded(elf(Kind::Library, is_64_bit), number * file);
                    self.file(&name, &below, content)?;
                    self.contents.programs += 1;
                    self.link(
                        &name,
                        &format!("lib/lib{file}.so"),
                        &format!("lib{file}.so.1"),
                    )?;
                }
                18 => {
                    self.file(&name, "lib/start.o", elf(Kind::Object, is_64_bit))?;
                }
                19..30 => {
                    let below = format!("share/man/man1/page-{number}-{file}.1.gz");
                    self.file(&name, &below, padded(b"\x1f\x8b\x08".to_vec(), file))?;
                    self.offered(&name, &below)?;
                }
                _ => {
                    let below = format!("share/doc/{name}/part-{}/text-{file}", file % 7);
                    self.file(&name, &below, padded(b"Text.\n".to_vec(), file))?;
                }
            }
        }
        Ok(())
    }

    /// Links a file of a package into the profile.
    fn offered(&mut self, name: &str, below: &str) -> io::Result<()> {
        let target = format!("{}/{below}", logical(name));
        self.link("system-path", below, &target)
    }

    fn program(
        &mut self,
        name: &str,
        below: &str,
        content: impl AsRef<[u8]>,
    ) -> io::Result<String> {
        if content.as_ref().starts_with(b"\x7fELF") {
            self.contents.programs += 1;
        }
        let place = self.file(name, below, content)?;
        fs::set_permissions(&place, fs::Permissions::from_mode(0o755))?;
        Ok(format!("{}/{below}", logical(name)))
    }

    fn file(&mut self, name: &str, below: &str, content: impl AsRef<[u8]>) -> io::Result<PathBuf> {
        let place = self.place(name, below)?;
        fs::write(&place, content)?;
        self.contents.files += 1;
        Ok(place)
    }

    fn link(&mut self, name: &str, below: &str, target: &str) -> io::Result<()> {
        let place = self.place(name, below)?;
        self.contents.links += 1;
        symlink(target, place)
    }

    fn place(&mut self, name: &str, below: &str) -> io::Result<PathBuf> {
        self.paths.insert(name.to_owned());
        let place = self.store.join(base_name(name)).join(below);
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent)?;
        }
        Ok(place)
    }

    /// Writes the files of nixpkgs' `closureInfo`: the toplevel refers to everything.
    fn register(&self, directory: &Path) -> io::Result<()> {
        let mut registration = String::new();
        let mut listing = String::new();
        for name in &self.paths {
            let path = logical(name);
            listing += &format!("{path}\n");
            let references: Vec<String> = if name.starts_with("nixos-system") {
                self.paths.iter().map(|name| logical(name)).collect()
            } else {
                vec![logical("bash")]
            };
            registration += &format!(
                "{path}\nsha256:0\n1\n\n{}\n{}\n",
                references.len(),
                references.join("\n")
            );
        }
        fs::write(directory.join("registration"), registration)?;
        fs::write(directory.join("store-paths"), listing)
    }
}

fn logical(name: &str) -> String {
    format!("/nix/store/{}", base_name(name))
}

/// `<hash>-<name>`: Nix's base 32 has all digits, so that a number will do for a hash.
fn base_name(name: &str) -> String {
    let number = name
        .bytes()
        .fold(7_u64, |n, b| n.wrapping_mul(31).wrapping_add(b.into()));
    format!("{number:032}-{name}")
}

/// Made longer by up to some kilobytes, for none is as short as its header.
fn padded(mut content: Vec<u8>, seed: u64) -> Vec<u8> {
    let line = b"as much text as a line of a manual has, and no more\n";
    let length = content.len() + (seed % 17 * 251) as usize;
    content.extend(line.iter().cycle().take(length - content.len()));
    content
}

#[cfg(test)]
mod tests {
    use bootproof::closure::{examine, resolve_directory};
    use bootproof::inspect::{Against, Candidate, Options, inspect};
    use bootproof::vocabulary::Verdict;

    use super::*;

    #[test]
    fn a_generated_closure_is_counted_right_and_passes() {
        let temporary = tempfile::tempdir().unwrap();
        let contents = generate(temporary.path(), 1_000).unwrap();
        assert_eq!(contents.files, 1_000);
        let closure = resolve_directory(temporary.path()).unwrap();
        assert_eq!(closure.paths.len() as u64, contents.store_paths);

        let (facts, survey) = examine(&closure).unwrap();
        let census = &survey.census;
        let counted = Contents {
            files: census.files,
            programs: census.programs.total(),
            scripts: census.scripts,
            links: census.links,
            store_paths: contents.store_paths,
        };
        assert_eq!(counted, contents);
        assert_eq!(census.unread, 0);

        let candidate = Candidate {
            closure: &closure,
            facts: &facts,
            survey: &survey,
        };
        let (against, options) = (Against::default(), Options::default());
        let inspection = inspect(&candidate, &against, &options).unwrap();
        assert_eq!(inspection.verdict, Verdict::Pass, "{inspection:#?}");
        assert!(inspection.findings.is_empty());
        assert_eq!(inspection.commands as u64, SERVICES);
    }
}
