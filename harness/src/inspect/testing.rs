//! A fake server that every rule is silent on, for the rules' tests.

use super::{Against, Candidate, Inspection, Options, inspect};
use crate::closure::testing::{FakeClosure, bzimage, elf, initrd};
use crate::closure::{Closure, examine, read_facts};
use crate::vocabulary::ElfClass;

/// How the script ends that stage 2 is.
const STAGE_2: &str = "exec /run/current-system/systemd/lib/systemd/systemd \"$@\"";
const MODULES: &[&str] = &["virtio_blk.ko.xz", "virtio_pci.ko.xz", "ext4.ko.xz"];

/// An x86_64 toplevel whose files all fit each other.
pub(super) fn server() -> FakeClosure {
    let fake = FakeClosure::new();
    let shell = fake.program("bash", "bin/bash", elf(ElfClass::X86_64));
    fake.program("toplevel", "init", format!("#! {shell}\n{STAGE_2}\n"));
    fake.file("kernel", bzimage(true));
    fake.file("kernel-params", "console=ttyS0 loglevel=4");
    fake.file("nixos-version", "24.11");
    fake.file("initrd", initrd(ElfClass::X86_64, MODULES));
    let version = "kernel-modules/lib/modules/6.6.63";
    fake.file(&format!("{version}/modules.builtin"), "");
    fake.file(&format!("{version}/modules.dep"), "");
    fake.file("etc/fstab", "/dev/vda1 / ext4 defaults 0 1\n");
    fake.program(
        "toplevel",
        "systemd/lib/systemd/systemd",
        elf(ElfClass::X86_64),
    );
    let units = "etc/systemd/system";
    fake.file(&format!("{units}/multi-user.target"), "");
    let link = format!("{units}/default.target");
    fake.link("toplevel", &link, "multi-user.target");
    fake
}

/// Makes an i686 server of it, whose files fit each other too.
pub(super) fn make_i686(fake: &FakeClosure) {
    fake.file("kernel", bzimage(false));
    fake.file("system", "i686-linux");
    fake.file("systemd/lib/systemd/systemd", elf(ElfClass::I386));
    fake.program("bash", "bin/bash", elf(ElfClass::I386));
    fake.file("initrd", initrd(ElfClass::I386, MODULES));
}

/// Adds a `switch-to-configuration` that installs a bootloader by the given script.
pub(super) fn install_by(fake: &FakeClosure, installer: &str) {
    let shell = fake.path_of("bash", "bin/bash");
    let text = format!("#!{shell}\nexport INSTALL_BOOTLOADER='{installer}'\n");
    fake.program("toplevel", "bin/switch-to-configuration", text);
}

/// Adds a unit that the boot target wants.
pub(super) fn unit(fake: &FakeClosure, name: &str, text: &str) {
    fake.file(&format!("etc/systemd/system/{name}"), text);
    let wants = format!("etc/systemd/system/multi-user.target.wants/{name}");
    fake.link("toplevel", &wants, &format!("../{name}"));
}

pub(super) fn inspected(fake: &FakeClosure) -> Inspection {
    inspected_with(fake, &Options::default())
}

pub(super) fn inspected_with(fake: &FakeClosure, options: &Options) -> Inspection {
    let closure = fake.closure();
    inspected_against(&closure, &Against::default(), options)
}

/// Inspects a closure that a test has changed, or holds against others.
pub(super) fn inspected_against(
    closure: &Closure,
    against: &Against,
    options: &Options,
) -> Inspection {
    let (facts, survey) = examine(closure).unwrap();
    let candidate = Candidate {
        closure,
        facts: &facts,
        survey: &survey,
    };
    inspect(&candidate, against, options).unwrap()
}

/// Inspects a candidate against the system that the machine runs.
pub(super) fn inspected_with_baseline(
    fake: &FakeClosure,
    baseline: &FakeClosure,
    options: &Options,
) -> Inspection {
    let (closure, before) = (fake.closure(), baseline.closure());
    let known = read_facts(&before).unwrap();
    let against = Against {
        baseline: Some((&before, &known)),
        ..Against::default()
    };
    inspected_against(&closure, &against, options)
}

pub(super) fn ids(inspection: &Inspection) -> Vec<String> {
    inspection.findings.iter().map(|f| f.id()).collect()
}
