use super::bootspec::{self, Bootspec};
use super::bzimage::{self, KernelImage};
use super::drivers;
use super::executable;
use super::files::{ClosureFiles, FileError};
use super::fstab;
use super::modules::KernelModules;
use super::side_by_side::{self, Slot};
use super::{Closure, ClosureError, boot_loader, nginx_config, units};
use crate::vocabulary::{BootLoader, ClosureFacts, System};

/// Reads everything that checks and reports know of a closure.
///
/// What cannot be read is left empty and named in [`ClosureFacts::unreadable`].
///
/// # Errors
/// Only when the toplevel itself cannot be read.
pub fn read_facts(closure: &Closure) -> Result<ClosureFacts, ClosureError> {
    let host_path = closure.host_path(&closure.toplevel);
    std::fs::read_dir(&host_path).map_err(ClosureError::io(host_path))?;
    let files = ClosureFiles::new(closure);
    let mut unreadable = Unreadable::default();

    let bootspec = read_bootspec(&files, &mut unreadable);
    let kernel = unreadable.note("kernel", read_kernel(&files));
    if kernel
        .as_ref()
        .is_some_and(|kernel| kernel.system.is_none())
    {
        let reason = "its boot protocol is too old to tell whether it is a 64-bit kernel";
        unreadable.push("kernel", reason);
    }
    let version = kernel.as_ref().and_then(|kernel| kernel.version.as_deref());
    let modules = unreadable.note("kernel-modules", KernelModules::read(&files, version));
    let (initrd, unit_executables, nginx) = (Slot::empty(), Slot::empty(), Slot::empty());
    let read_initrd = || initrd.put(closure.initrd().as_ref());
    let read_services = || {
        unit_executables.put(units::read(&files));
        nginx.put(nginx_config::read(&files));
    };
    side_by_side::run(&[&read_initrd, &read_services], &|| {});
    let initrd = unreadable.note("initrd", initrd.take());
    if let Some(reason) = initrd.as_ref().and_then(|initrd| initrd.unread.as_ref()) {
        unreadable.push("initrd", reason);
    }
    let initrd_drivers = drivers::disk_drivers(|module| {
        let carried = initrd
            .as_ref()
            .is_some_and(|initrd| initrd.modules.names.contains(module));
        carried
            || modules
                .as_ref()
                .is_some_and(|m| m.built_in.contains(module))
    });
    let (stage_1_root, initrd_damage) = match &initrd {
        Some(initrd) => (initrd.root.clone(), initrd.damage.clone()),
        None => (None, None),
    };
    // With a part of the initrd or the list of built-in modules unread, what is missing proves nothing.
    let initrd_modules = initrd
        .filter(|initrd| initrd.unread.is_none())
        .map(|initrd| initrd.modules.clone());
    let initrd_file_systems =
        initrd_modules
            .as_ref()
            .zip(modules.as_ref())
            .map(|(initrd, modules)| {
                drivers::FILE_SYSTEM_DRIVERS
                    .iter()
                    .filter(|fs| initrd.names.contains(**fs) || modules.built_in.contains(**fs))
                    .map(|fs| (*fs).to_owned())
                    .collect()
            });
    let unit_executables = unreadable
        .note("systemd units", unit_executables.take())
        .unwrap_or_default();
    let nginx = nginx.take();
    let facts = ClosureFacts {
        toplevel: closure.toplevel.clone(),
        nixos_version: unreadable.note("nixos-version", read_word(&files, "nixos-version")),
        system: read_system(&files, bootspec.as_ref(), &mut unreadable),
        kernel_version: kernel.as_ref().and_then(|kernel| kernel.version.clone()),
        kernel: kernel.and_then(|kernel| kernel.system),
        userland: unreadable.note(
            "systemd",
            executable::class_of(&files, &files.in_toplevel("systemd/lib/systemd/systemd")),
        ),
        kernel_params: read_kernel_params(&files, bootspec, &mut unreadable),
        initrd_drivers,
        initrd_file_systems,
        initrd_modules,
        initrd_damage,
        stage_1_root,
        system_drivers: modules
            .as_ref()
            .map(drivers::system_drivers)
            .unwrap_or_default(),
        boot_loader: unreadable
            .note("bootloader", boot_loader::read(&files))
            .unwrap_or(BootLoader::Other {
                name: "unknown".to_owned(),
            }),
        file_systems: unreadable
            .note("fstab", files.text("/etc/fstab"))
            .map(|text| fstab::parse(&text))
            .unwrap_or_default(),
        interfaces: super::interfaces::read(&files),
        http: nginx.endpoints,
        unit_executables: unit_executables.classes,
        unreadable: Vec::new(),
    };
    unreadable.entries.extend(unit_executables.unreadable);
    unreadable.entries.extend(nginx.unreadable);
    Ok(ClosureFacts {
        unreadable: unreadable.entries,
        ..facts
    })
}

/// Collects what could not be read: the subject, then why.
#[derive(Default)]
struct Unreadable {
    entries: Vec<(String, String)>,
}

impl Unreadable {
    fn push(&mut self, subject: &str, reason: impl ToString) {
        self.entries.push((subject.to_owned(), reason.to_string()));
    }

    fn note<T, E: ToString>(&mut self, subject: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.push(subject, error)).ok()
    }
}

/// Closures of NixOS before 22.11 have no `boot.json`, and nothing is missed then.
fn read_bootspec(files: &ClosureFiles, unreadable: &mut Unreadable) -> Option<Bootspec> {
    let text = match files.text(&files.in_toplevel("boot.json")) {
        Err(FileError::Missing(_)) => return None,
        result => unreadable.note("boot.json", result)?,
    };
    bootspec::parse_bootspec(&text)
        .map_err(|reason| unreadable.push("boot.json", reason))
        .ok()
}

fn read_kernel(files: &ClosureFiles) -> Result<KernelImage, FileError> {
    let path = files.in_toplevel("kernel");
    let image = files.header(&path, bzimage::HEADER_LENGTH)?;
    bzimage::parse(&image).map_err(|reason| FileError::Format {
        path,
        reason: reason.to_owned(),
    })
}

/// A small file of the toplevel that holds one word, without a newline as NixOS writes it or with one.
fn read_word(files: &ClosureFiles, name: &str) -> Result<String, FileError> {
    let text = files.text(&files.in_toplevel(name))?;
    Ok(text.trim().to_owned())
}

fn read_system(
    files: &ClosureFiles,
    bootspec: Option<&Bootspec>,
    unreadable: &mut Unreadable,
) -> Option<System> {
    unreadable
        .note("system", read_word(files, "system"))
        .filter(|word| !word.is_empty())
        .or_else(|| bootspec?.system.clone())
        .map(System::from)
}

fn read_kernel_params(
    files: &ClosureFiles,
    bootspec: Option<Bootspec>,
    unreadable: &mut Unreadable,
) -> Vec<String> {
    match files.text(&files.in_toplevel("kernel-params")) {
        Ok(text) => bootspec::parse_kernel_params(&text),
        Err(error) => match bootspec {
            Some(bootspec) => bootspec::without_init(bootspec.kernel_params),
            None => {
                unreadable.push("kernel-params", error);
                Vec::new()
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::{FakeClosure, bzimage, cpio_archive, elf};
    use crate::vocabulary::{DiskDriver, ElfClass};

    const MODULES: &str = "kernel-modules/lib/modules/6.6.63";

    /// A toplevel in the manner of a server's: GRUB, a virtio disk, nginx before one backend.
    fn server() -> FakeClosure {
        let fake = FakeClosure::new();
        fake.file("nixos-version", "24.11.20250101.dirty");
        fake.file("kernel", bzimage(true));
        fake.file("kernel-params", "console=ttyS0 loglevel=4 init=/x");
        let modules = ["virtio_blk.ko.xz", "virtio_pci.ko.xz", "ahci.ko"];
        fake.file("initrd", cpio_archive(&modules));
        fake.file(&format!("{MODULES}/modules.builtin"), "kernel/sd_mod.ko\n");
        fake.file(&format!("{MODULES}/modules.dep"), "virtio_net.ko.xz:\n");
        fake.file("systemd/lib/systemd/systemd", elf(ElfClass::X86_64));
        fake.file(
            "etc/fstab",
            "/dev/disk/by-label/nixos / ext4 defaults 0 1\n",
        );
        let backend = fake.store_file("backend", "bin/backend", elf(ElfClass::X86_64));
        let unit = format!("[Service]\nExecStart={backend}\n");
        fake.file("etc/systemd/system/backend.service", unit);
        let unit = format!("[Service]\nExecStart={backend} -c /etc/nginx/nginx.conf\n");
        fake.file("etc/systemd/system/nginx.service", unit);
        let config =
            "http { server { server_name a; location / { proxy_pass http://127.0.0.1:1; } } }";
        fake.file("etc/nginx/nginx.conf", config);
        let installer = fake.store_file("install-systemd-boot.sh", "", "");
        let switch = format!("export INSTALL_BOOTLOADER='{installer}'\n");
        fake.file("bin/switch-to-configuration", switch);
        fake
    }

    #[test]
    fn a_server_has_every_fact_and_nothing_unreadable() {
        let facts = read_facts(&server().closure()).unwrap();
        assert!(facts.unreadable.is_empty(), "{:?}", facts.unreadable);
        assert_eq!(facts.nixos_version.as_deref(), Some("24.11.20250101.dirty"));
        assert_eq!(facts.system, Some(System::X86_64Linux));
        assert_eq!(facts.kernel, Some(System::X86_64Linux));
        assert_eq!(facts.kernel_version.as_deref(), Some("6.6.63"));
        assert_eq!(facts.userland, Some(ElfClass::X86_64));
        assert_eq!(facts.kernel_params, ["console=ttyS0", "loglevel=4"]);
        let drivers = [DiskDriver::VirtioBlk, DiskDriver::Ahci];
        assert_eq!(facts.initrd_drivers, drivers);
        assert_eq!(facts.system_drivers, ["virtio_net", "sd_mod"]);
        assert_eq!(facts.boot_loader, BootLoader::SystemdBoot);
        assert_eq!(facts.file_systems.len(), 1);
        assert_eq!(facts.http.len(), 1);
        assert_eq!(facts.unit_executables.len(), 2);
    }

    #[test]
    fn an_empty_toplevel_names_each_fact_that_is_missing() {
        let facts = read_facts(&FakeClosure::new().closure()).unwrap();
        let subjects: Vec<_> = facts.unreadable.iter().map(|(s, _)| s.as_str()).collect();
        for subject in [
            "kernel",
            "kernel-modules",
            "systemd units",
            "systemd",
            "fstab",
        ] {
            assert!(subjects.contains(&subject), "{subject}: {subjects:?}");
        }
        assert_eq!(facts.kernel, None);
        assert!(facts.initrd_drivers.is_empty());
        assert!(facts.http.is_empty());
    }

    #[test]
    fn a_bootspec_serves_where_the_plain_files_are_missing() {
        let fake = server();
        fake.remove("system");
        fake.remove("kernel-params");
        let spec =
            r#"{"org.nixos.bootspec.v1": {"system": "i686-linux", "kernelParams": ["quiet"]}}"#;
        fake.file("boot.json", spec);
        let facts = read_facts(&fake.closure()).unwrap();
        assert_eq!(facts.system, Some(System::I686Linux));
        assert_eq!(facts.kernel_params, ["quiet"]);

        fake.file("boot.json", r#"{"org.nixos.bootspec.v2": {}}"#);
        let facts = read_facts(&fake.closure()).unwrap();
        assert!(facts.unreadable.iter().any(|(s, _)| s == "boot.json"));
    }

    #[test]
    fn a_toplevel_that_is_gone_is_an_error() {
        let fake = server();
        let closure = fake.closure();
        drop(fake);
        assert!(matches!(read_facts(&closure), Err(ClosureError::Io { .. })));
    }
}
