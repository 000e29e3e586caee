use std::collections::BTreeSet;

use crate::closure::files::ClosureFiles;
use crate::closure::grub_config;
use crate::closure::{boot_loader, mentions, pe};
use crate::vocabulary::{BootLoader, StorePath, System};

/// Installers are scripts of a few kB.
const SCRIPT_LIMIT: u64 = 1 << 20;
/// `switch-to-configuration` calls a script that calls another: files that are followed, and how far.
const MAX_FILES: usize = 200;
const MAX_DEPTH: usize = 3;
/// Where systemd keeps its bootloader (bootctl(1)).
const SYSTEMD_BOOT: &str = "lib/systemd/boot/efi";

/// What the closure's bootloader installer writes, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Installation {
    /// The EFI programs that it installs; empty for BIOS, or where they could not be found.
    pub efi_loaders: Vec<EfiLoader>,
    /// Mount point of the EFI system partition.
    pub esp: Option<String>,
    /// The directory or mount point that kernels are copied to.
    pub boot: Option<String>,
    /// Whether kernels are copied even where the bootloader could read them in the store.
    pub copies_kernels: bool,
}

/// A bootloader that EFI firmware starts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EfiLoader {
    /// The file, or the target of `grub-install` that it is made for.
    pub name: String,
    /// The platform whose firmware starts it.
    pub system: System,
}

/// Follows the scripts of the installer to the configuration of GRUB and to systemd's bootloader.
pub(super) fn read(files: &ClosureFiles) -> Installation {
    let mut installation = Installation::default();
    let (Ok(loader), Ok(Some(installer))) =
        (boot_loader::read(files), boot_loader::installer(files))
    else {
        return installation;
    };
    let mut seen = BTreeSet::new();
    let mut pending = vec![(installer, 0)];
    while let Some((path, depth)) = pending.pop() {
        if seen.len() >= MAX_FILES || !seen.insert(path.clone()) {
            continue;
        }
        if loader == BootLoader::SystemdBoot {
            add_systemd_boot(files, &path, &mut installation);
        }
        let is_grubs = path.ends_with("grub-config.xml");
        // Programs that a script names are not read.
        let is_script = || files.header(&path, 2).is_ok_and(|header| header == b"#!");
        if !is_grubs && !is_script() {
            continue;
        }
        let Ok(content) = files.read(&path, SCRIPT_LIMIT) else {
            continue;
        };
        if is_grubs {
            add_grub(&String::from_utf8_lossy(&content), &mut installation);
        } else {
            add_mount_points(&String::from_utf8_lossy(&content), &mut installation);
            if depth < MAX_DEPTH {
                let mentioned = mentions::in_bytes(&content).map(|mention| mention.path);
                pending.extend(mentioned.map(|path| (path, depth + 1)));
            }
        }
    }
    installation.efi_loaders.sort();
    installation.efi_loaders.dedup();
    installation
}

fn add_systemd_boot(files: &ClosureFiles, path: &str, installation: &mut Installation) {
    let Ok((package, _)) = StorePath::split(path) else {
        return;
    };
    let dir = format!("{package}/{SYSTEMD_BOOT}");
    for name in files.list(&dir).unwrap_or_default() {
        if !name.starts_with("systemd-boot") || !name.ends_with(".efi") {
            continue;
        }
        let header = files.header(&format!("{dir}/{name}"), pe::HEADER_LENGTH);
        if let Some(system) = header.ok().and_then(|header| pe::machine(&header)) {
            installation.efi_loaders.push(EfiLoader { name, system });
        }
    }
}

fn add_grub(xml: &str, installation: &mut Installation) {
    let Some(config) = grub_config::parse(xml) else {
        return;
    };
    installation.copies_kernels |= config.copies_kernels;
    installation.boot = installation.boot.take().or(config.boot_path);
    if let Some(name) = config.efi_target {
        installation.esp = installation.esp.take().or(config.esp);
        let system = match name.as_str() {
            "x86_64-efi" => System::X86_64Linux,
            "i386-efi" => System::I686Linux,
            other => System::Other(other.to_owned()),
        };
        installation.efi_loaders.push(EfiLoader { name, system });
    }
}

/// The constants that nixpkgs writes into `systemd-boot-builder.py`: `EFI_SYS_MOUNT_POINT = Path("/boot")`, without `Path` in NixOS 24.05.
fn add_mount_points(script: &str, installation: &mut Installation) {
    let constant = |name: &str| {
        let line = script.lines().find_map(|line| {
            let value = line.strip_prefix(name)?.trim_start().strip_prefix('=')?;
            value.split('"').nth(1)
        })?;
        line.starts_with('/').then(|| line.to_owned())
    };
    if let Some(esp) = constant("EFI_SYS_MOUNT_POINT") {
        installation.boot = constant("BOOT_MOUNT_POINT").or_else(|| Some(esp.clone()));
        installation.esp = Some(esp);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::{FakeClosure, efi_program};

    fn installed(fake: &FakeClosure, installer: &str) -> Installation {
        let switch = format!("#!/bin/sh\nexport INSTALL_BOOTLOADER='{installer}'\n");
        fake.file("bin/switch-to-configuration", switch);
        let closure = fake.closure();
        read(&ClosureFiles::new(&closure))
    }

    #[test]
    fn systemd_boot_is_found_through_its_builder() {
        let fake = FakeClosure::new();
        let program = format!("{SYSTEMD_BOOT}/systemd-bootx64.efi");
        fake.store_file("systemd", &program, efi_program(0x8664));
        let stub = format!("{SYSTEMD_BOOT}/linuxx64.efi.stub");
        fake.store_file("systemd", &stub, efi_program(0x8664));
        let systemd = fake.store_path("systemd");
        let builder = format!(
            "#! /nix/store/x/bin/python3\nEFI_SYS_MOUNT_POINT = Path(\"/efi\")\nBOOT_MOUNT_POINT = Path(\"/boot\")\nSYSTEMD = \"{systemd}\"\n"
        );
        let builder = fake.store_file("systemd-boot", "", builder);
        let script = format!("#!/bin/sh\n{builder} \"$@\"\n");
        let installer = fake.store_file("install-systemd-boot.sh", "", script);
        let expected = Installation {
            efi_loaders: vec![EfiLoader {
                name: "systemd-bootx64.efi".to_owned(),
                system: System::X86_64Linux,
            }],
            esp: Some("/efi".to_owned()),
            boot: Some("/boot".to_owned()),
            copies_kernels: false,
        };
        assert_eq!(installed(&fake, &installer), expected);
    }

    #[test]
    fn the_target_of_grub_is_read_from_its_configuration() {
        let fake = FakeClosure::new();
        let xml = "<attr name=\"devices\"><list></list></attr>\
                   <attr name=\"efiSysMountPoint\"><string value=\"/boot\" /></attr>\
                   <attr name=\"grubTargetEfi\"><string value=\"i386-efi\" /></attr>";
        let config = fake.store_file("grub-config.xml", "", xml);
        let script = format!("#!/bin/sh\nperl install-grub.pl {config} $@\n");
        let installer = fake.store_file("install-grub.sh", "", script);
        let installation = installed(&fake, &installer);
        assert_eq!(installation.efi_loaders[0].system, System::I686Linux);
        assert_eq!(installation.esp.as_deref(), Some("/boot"));
    }

    #[test]
    fn scripts_that_call_each_other_end() {
        let fake = FakeClosure::new();
        let path = fake.store_path("install-grub.sh").to_string();
        fake.store_file("install-grub.sh", "", format!("#!/bin/sh\n{path}\n"));
        assert_eq!(installed(&fake, &path), Installation::default());
    }
}
