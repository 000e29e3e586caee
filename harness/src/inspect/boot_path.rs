//! Whether firmware, stage 1 and stage 2 find what they need in the files of the closure.

use super::faults;
use super::kernel::{called, runs, with_article};
use super::rules::{Outcome, Subject};
use crate::closure::{BootspecFiles, Role};
use crate::vocabulary::{Check, DiskDriver, Finding, State};

const NEXT: &str =
    "build the toplevel again, and compare `boot.json` and the links of the toplevel with it";
const NEXT_DRIVER: &str = "add the driver to `boot.initrd.availableKernelModules`";

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    init(subject, outcome);
    for (name, file) in [
        ("kernel", &subject.survey.boot.kernel),
        ("initrd", &subject.survey.boot.initrd),
    ] {
        if file.is_none() {
            let text = format!("`{name}` of the toplevel leads to no file of the closure");
            error(outcome, name, text, NEXT);
        }
    }
    modules(subject, outcome);
    disk(subject, outcome);
    root_file_system(subject, outcome);
    kernel_params(subject, outcome);
    if let Some(spec) = &subject.survey.boot.bootspec {
        bootspec(subject, spec, outcome);
    }
}

fn error(outcome: &mut Outcome, subject: &str, summary: String, next: &str) {
    let finding = Finding::new(Check::BootPath, State::Inspected, subject, summary.clone());
    outcome.cause(summary, next, [finding]);
}

fn warning(outcome: &mut Outcome, subject: &str, summary: String) {
    outcome
        .findings
        .push(Finding::new(Check::BootPath, State::Inspected, subject, summary).as_warning());
}

/// Stage 2 is a script that stage 1 executes.
fn init(subject: &Subject, outcome: &mut Outcome) {
    for hop in &subject.survey.boot.init {
        let trouble = match (hop.class, &hop.fault) {
            (Some(class), _) if !runs(subject, class) => format!(
                "is {} executable under {}",
                with_article(class.as_str()),
                called(subject)
            ),
            // A script may do without one of the programs that it calls.
            (_, Some(fault)) if hop.role != Role::Call => faults::words(fault, &hop.path),
            _ => continue,
        };
        let whose = match hop.role {
            Role::Command => "`init`",
            Role::Interpreter => "the interpreter of `init`",
            Role::Replacement | Role::Call => "what `init` starts",
        };
        let summary = format!("stage 2 cannot be executed: {whose} {trouble}");
        error(outcome, "init", summary, NEXT);
        return;
    }
}

/// The kernel looks for its modules by its own version string.
fn modules(subject: &Subject, outcome: &mut Outcome) {
    let Some(version) = &subject.facts.kernel_version else {
        return;
    };
    let Some(found) = &subject.survey.boot.module_versions else {
        outcome
            .notes
            .push("the closure has no kernel modules".to_owned());
        return;
    };
    if !found.contains(version) {
        let summary = format!(
            "the kernel is {version}, and the modules are for {}: none of them will load",
            if found.is_empty() {
                "no version".to_owned()
            } else {
                found.join(", ")
            }
        );
        error(
            outcome,
            "kernel-modules",
            summary,
            "build kernel and modules from one `boot.kernelPackages`",
        );
    }
}

fn disk(subject: &Subject, outcome: &mut Outcome) {
    if unread(subject, "initrd") || unread(subject, "kernel-modules") {
        return;
    }
    let drivers = &subject.facts.initrd_drivers;
    match subject.options.target.disk_bus {
        Some(bus) if !drivers.iter().any(|driver| driver.bus() == bus) => {
            let summary = format!(
                "the target machine's disk is {}, and stage 1 has no driver for it ({})",
                bus.as_str(),
                listed(drivers)
            );
            error(outcome, "disk", summary, NEXT_DRIVER);
        }
        None if drivers.is_empty() => warning(
            outcome,
            "disk",
            "stage 1 has a driver for none of virtio, AHCI, NVMe and SCSI disks".to_owned(),
        ),
        _ => {}
    }
}

fn listed(drivers: &[DiskDriver]) -> String {
    if drivers.is_empty() {
        return "it has none that bootproof knows".to_owned();
    }
    let names: Vec<&str> = drivers.iter().map(|driver| driver.bus().as_str()).collect();
    format!("it has {}", names.join(", "))
}

fn root_file_system(subject: &Subject, outcome: &mut Outcome) {
    let facts = subject.facts;
    if unread(subject, "fstab") {
        return;
    }
    let Some(root) = facts.file_systems.iter().find(|fs| fs.mount_point == "/") else {
        outcome
            .notes
            .push("the fstab has no line for the root file system".to_owned());
        return;
    };
    // ext2 and ext3 are mounted by ext4's driver.
    let driver = match root.fs_type.as_str() {
        "ext2" | "ext3" | "ext4" => "ext4",
        known @ ("xfs" | "btrfs" | "f2fs" | "erofs" | "squashfs" | "vfat" | "bcachefs" | "zfs") => {
            known
        }
        _ => return,
    };
    let Some(carried) = &facts.initrd_file_systems else {
        return;
    };
    if !carried.iter().any(|name| name == driver) {
        let summary = format!(
            "the root file system is {}, and stage 1 has no driver for it",
            root.fs_type
        );
        error(
            outcome,
            "root-file-system",
            summary,
            "add the driver to `boot.initrd.supportedFilesystems`",
        );
    }
}

fn kernel_params(subject: &Subject, outcome: &mut Outcome) {
    let toplevel = &subject.facts.toplevel;
    for param in &subject.survey.boot.kernel_params {
        if let Some(init) = param.strip_prefix("init=")
            && init.starts_with("/nix/store/")
            && init != format!("{toplevel}/init")
        {
            let summary = format!("the kernel parameters start another system: {param}");
            error(outcome, "kernel-params", summary, NEXT);
        }
        let rescue = matches!(param.as_str(), "single" | "emergency" | "rescue");
        if rescue || is_rescue_target(param) {
            let summary = format!("the kernel parameters ask for no normal boot: {param}");
            warning(outcome, "kernel-params", summary);
        }
    }
}

fn is_rescue_target(param: &str) -> bool {
    param
        .strip_prefix("systemd.unit=")
        .is_some_and(|unit| ["rescue.target", "emergency.target"].contains(&unit))
}

/// Bootloaders that read `boot.json` start what it names, the others what the toplevel's links name.
fn bootspec(subject: &Subject, spec: &BootspecFiles, outcome: &mut Outcome) {
    let boot = &subject.survey.boot;
    let toplevel = subject.facts.toplevel.as_str();
    let init = format!("{toplevel}/init");
    let toplevel = toplevel.to_owned();
    for (name, told, real) in [
        ("toplevel", &spec.toplevel, Some(&toplevel)),
        ("init", &spec.init, Some(&init)),
        ("kernel", &spec.kernel, boot.kernel.as_ref()),
        ("initrd", &spec.initrd, boot.initrd.as_ref()),
    ] {
        if let (Some(told), Some(real)) = (told, real)
            && told != real
        {
            let summary = format!("boot.json and the toplevel name different files as {name}");
            let finding = Finding::new(
                Check::BootPath,
                State::Inspected,
                "boot.json",
                summary.clone(),
            );
            let finding = finding
                .with_evidence("boot.json", told)
                .with_evidence(name, real);
            outcome.cause(summary, NEXT, [finding]);
            return;
        }
    }
    if spec.kernel_params != subject.facts.kernel_params && !boot.kernel_params.is_empty() {
        let summary = "boot.json and `kernel-params` differ".to_owned();
        outcome.findings.push(
            Finding::new(Check::BootPath, State::Inspected, "boot.json", summary)
                .as_warning()
                .with_evidence("boot.json", spec.kernel_params.join(" "))
                .with_evidence("kernel-params", subject.facts.kernel_params.join(" ")),
        );
    }
}

fn unread(subject: &Subject, what: &str) -> bool {
    subject.facts.unreadable.iter().any(|(s, _)| s == what)
}

#[cfg(test)]
mod tests {
    use crate::closure::testing::{FakeClosure, cpio_archive};
    use crate::inspect::Options;
    use crate::inspect::testing::{ids, inspected, inspected_with, server};
    use crate::vocabulary::{DiskBus, TargetMachine, Verdict};

    fn found(fake: &FakeClosure) -> Vec<String> {
        ids(&inspected(fake))
    }

    #[test]
    fn a_whole_boot_path_is_silent() {
        let fake = server();
        let toplevel = fake.store_path("toplevel");
        let spec = format!(
            r#"{{"org.nixos.bootspec.v1": {{"toplevel": "{toplevel}", "init": "{toplevel}/init", "kernel": "{toplevel}/kernel",
                "initrd": "{toplevel}/initrd", "kernelParams": ["console=ttyS0", "loglevel=4"]}}}}"#
        );
        fake.file("boot.json", spec);
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), [""; 0]);
        assert_eq!(inspection.verdict, Verdict::Pass);
    }

    #[test]
    fn a_boot_json_of_another_system_is_found() {
        let fake = server();
        let other = "/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-other";
        let spec = format!(r#"{{"org.nixos.bootspec.v1": {{"toplevel": "{other}"}}}}"#);
        fake.file("boot.json", spec);
        assert_eq!(found(&fake), ["inspected/boot-path/boot.json"]);
    }

    #[test]
    fn an_init_that_is_a_link_is_the_one_that_boot_json_names() {
        let fake = server();
        let shell = fake.path_of("bash", "bin/bash");
        let stage_2 = fake.program("stage-2", "bin/init", format!("#!{shell}\n"));
        fake.remove("init");
        fake.link("toplevel", "init", &stage_2);
        let init = fake.path_of("toplevel", "init");
        let spec = format!(
            r#"{{"org.nixos.bootspec.v1": {{"init": "{init}", "kernelParams": ["console=ttyS0 loglevel=4"]}}}}"#
        );
        fake.file("boot.json", spec);
        assert_eq!(found(&fake), [""; 0]);
    }

    #[test]
    fn modules_of_another_kernel_are_found() {
        let fake = server();
        fake.remove("kernel-modules/lib/modules/6.6.63/modules.dep");
        fake.remove("kernel-modules/lib/modules/6.6.63/modules.builtin");
        fake.remove_directory("kernel-modules/lib/modules/6.6.63");
        fake.file("kernel-modules/lib/modules/6.6.64/modules.dep", "");
        fake.file("kernel-modules/lib/modules/6.6.64/modules.builtin", "");
        assert_eq!(found(&fake), ["inspected/boot-path/kernel-modules"]);
    }

    #[test]
    fn an_init_that_cannot_be_executed_is_found() {
        let fake = server();
        fake.program("toplevel", "init", "#!/nix/store/gone/bin/sh\n");
        assert_eq!(found(&fake), ["inspected/boot-path/init"]);
    }

    #[test]
    fn a_root_file_system_without_a_driver_is_found() {
        let fake = server();
        fake.file("etc/fstab", "/dev/vda1 / xfs defaults 0 1\n");
        assert_eq!(found(&fake), ["inspected/boot-path/root-file-system"]);
        let builtin = "kernel-modules/lib/modules/6.6.63/modules.builtin";
        fake.file(builtin, "kernel/fs/xfs/xfs.ko\n");
        assert_eq!(found(&fake), [""; 0]);
    }

    #[test]
    fn a_disk_without_a_driver_is_found() {
        let options = |bus| Options {
            target: TargetMachine {
                disk_bus: Some(bus),
                ..TargetMachine::default()
            },
            ..Options::default()
        };
        let fake = server();
        let of = |bus| ids(&inspected_with(&fake, &options(bus)));
        assert_eq!(of(DiskBus::Nvme), ["inspected/boot-path/disk"]);
        assert_eq!(of(DiskBus::Virtio), [""; 0]);
        fake.file("initrd", cpio_archive(&["ext4.ko"]));
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), ["inspected/boot-path/disk"]);
        assert_eq!(inspection.verdict, Verdict::Pass);
    }

    #[test]
    fn parameters_that_start_something_else_are_found() {
        let fake = server();
        let other = "init=/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-other/init";
        fake.file("kernel-params", other);
        assert_eq!(found(&fake), ["inspected/boot-path/kernel-params"]);
        fake.file("kernel-params", "systemd.unit=rescue.target");
        assert_eq!(inspected(&fake).verdict, Verdict::Pass);
        assert_eq!(found(&fake), ["inspected/boot-path/kernel-params"]);
    }
}
