//! Machines for the tests, as their scripts would have told them.

use std::collections::BTreeMap;

use super::gather::gather;
use super::machine::Machine;
use super::model::Audit;
use crate::closure::testing::{bzimage, elf};
use crate::shell::Output;
use crate::vocabulary::ElfClass;

pub(crate) const OLD: &str = "/nix/store/11111111111111111111111111111111-nixos-system-web-1";
pub(crate) const NEW: &str = "/nix/store/22222222222222222222222222222222-nixos-system-web-2";
pub(crate) const WANTS: &str = "wants multi-user.target.wants";
const MARK: &str = "mark";

/// A machine that answers with recorded sections: the body and the end of each, by name.
#[derive(Debug, Clone)]
pub(crate) struct Recorded(pub(crate) BTreeMap<String, (String, String)>);

impl Recorded {
    pub(crate) fn say(&mut self, name: &str, body: impl Into<String>) -> &mut Self {
        self.0
            .insert(name.to_owned(), (body.into(), "0".to_owned()));
        self
    }

    pub(crate) fn end(&mut self, name: &str, end: &str) -> &mut Self {
        self.0
            .insert(name.to_owned(), (String::new(), end.to_owned()));
        self
    }

    pub(crate) fn forget(&mut self, prefix: &str) -> &mut Self {
        self.0.retain(|name, _| !name.starts_with(prefix));
        self
    }

    /// A system with a kernel and a systemd.
    pub(crate) fn toplevel(&mut self, path: &str, class: ElfClass) -> &mut Self {
        let system = match class {
            ElfClass::X86_64 => "x86_64-linux",
            _ => "i686-linux",
        };
        self.say(&format!("system {path}"), system)
            .say(
                &format!("kernel {path}"),
                hex(&bzimage(class == ElfClass::X86_64)),
            )
            .say(&format!("systemd {path}"), hex(&elf(class)))
            .say(&format!("size-kernel {path}"), "8000000")
            .say(&format!("size-initrd {path}"), "16000000")
            .say(&format!("init {path}"), "")
    }

    /// A service that the boot starts, with a program of a class.
    pub(crate) fn service(&mut self, name: &str, class: ElfClass) -> &mut Self {
        let program = format!("/nix/store/33333333333333333333333333333333-{name}/bin/{name}");
        let unit = format!("[Service]\nExecStart={program} --port 80\n");
        self.say(&format!("unit {name}.service"), unit)
            .say(&format!("program {program}"), hex(&elf(class)));
        let (wants, _) = self.0.entry(WANTS.to_owned()).or_default();
        wants.push_str(&format!("{name}.service\n"));
        self.0.get_mut(WANTS).unwrap().1 = "0".to_owned();
        self
    }

    /// What `systemctl show` says of all units, at both times.
    pub(crate) fn units(&mut self, first: &str, last: &str) -> &mut Self {
        self.say("units-first", first).say("units-last", last)
    }

    pub(crate) fn answer(&self) -> String {
        let sections = self.0.iter();
        let mut text: String = sections
            .map(|(name, (body, end))| format!("={MARK} {name}\n{body}\n={MARK} end {end}\n"))
            .collect();
        text.push_str(&format!("={MARK} done\n"));
        text
    }

    pub(crate) fn machine(&self) -> Machine {
        gather(MARK, |_| Ok(said(&self.answer()))).unwrap()
    }
}

pub(crate) fn said(stdout: &str) -> Output {
    Output {
        stdout: stdout.to_owned(),
        stderr: String::new(),
        code: Some(0),
    }
}

pub(crate) fn audited(recorded: &Recorded) -> Audit {
    super::audit("root@web", &recorded.machine(), None)
}

/// As `od -An -v -tx1` prints.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!(" {byte:02x}")).collect()
}

/// A UTF-16 EFI variable as `od` prints its file.
pub(crate) fn efi_variable(text: &str) -> String {
    let mut bytes = vec![6, 0, 0, 0];
    bytes.extend(text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes));
    hex(&bytes)
}

pub(crate) fn grub_cfg(toplevel: &str, kernel: &str) -> String {
    format!(
        "set default=\"0\"\nmenuentry \"NixOS - Default\" --class nixos {{\n  linux {kernel} init={toplevel}/init loglevel=4\n  \
         initrd {kernel}-initrd\n}}\nsubmenu \"NixOS - All configurations\" {{\n menuentry \"NixOS - 1\" {{\n  linux /nix/store/x init={OLD}/init\n }}\n}}\n"
    )
}

/// A machine that booted a system and runs it, started by GRUB with the kernel in the store.
pub(crate) fn healthy() -> Recorded {
    let mut machine = Recorded(BTreeMap::new());
    machine
        .say("uname-m", "x86_64\n")
        .say("uname-r", "6.6.63\n")
        .say("uid", "0\n")
        .say("boot-id", "0c6cbd2a-6d4c-4f9e-a5c1-6f6f4d1f0a11\n")
        .say("uptime", "604800.55 1000.0\n")
        .say("boots", "/boot /efi /boot/efi")
        .say("firmware", "bios")
        .say("system-state", "running\n")
        .say("units", "")
        .end("text /boot/grub/grubenv", "absent")
        .end("text /boot/loader/loader.conf", "absent")
        .say("boot-space", "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda1 1000000 1 900000 1% /\n");
    let units = "Id=nginx.service\nActiveState=active\nSubState=running\nNRestarts=0\n";
    machine.units(units, units);
    runs(&mut machine, OLD, OLD);
    machine.toplevel(OLD, ElfClass::X86_64);
    machine.service("nginx", ElfClass::X86_64);
    machine
}

/// Sets what was booted, and what was deployed since.
pub(crate) fn runs(machine: &mut Recorded, booted: &str, current: &str) {
    machine
        .say("link /run/booted-system", booted)
        .say("link /run/current-system", current)
        .say("link /nix/var/nix/profiles/system", current);
    for part in ["kernel", "initrd", "kernel-modules"] {
        machine
            .say(
                &format!("link /run/booted-system/{part}"),
                format!("{booted}-{part}"),
            )
            .say(
                &format!("link /run/current-system/{part}"),
                format!("{current}-{part}"),
            );
    }
    let kernel = format!("{current}-kernel/bzImage");
    machine
        .say("text /boot/grub/grub.cfg", grub_cfg(current, &kernel))
        .say(&format!("size {kernel}"), "8000000")
        .say(&format!("size {kernel}-initrd"), "16000000");
}

/// The outage's machine in the week before: an i686 system was deployed to the x86_64 one that runs.
pub(crate) fn outage() -> Recorded {
    let mut machine = healthy();
    runs(&mut machine, OLD, NEW);
    machine.toplevel(NEW, ElfClass::I386);
    machine.service("nginx", ElfClass::I386);
    for name in ["alpha", "beta", "gamma"] {
        machine.service(name, ElfClass::X86_64);
    }
    machine
}
