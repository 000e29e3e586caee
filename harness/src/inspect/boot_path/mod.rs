//! Whether firmware, stage 1 and stage 2 find what they need in the files of the closure.

mod boot_space;
mod bootspec;
mod default_target;
mod devices;
mod disk;
mod entries;
mod file_systems;
mod images;
mod initrd_modules;
mod kernel_params;
mod modules;
mod root_device;
mod same_root;
mod specialisations;
mod stage_2;
mod vermagic;

use super::rules::{Outcome, Subject};
use crate::vocabulary::{Check, FileSystem, Finding, State};

/// What to do about a toplevel whose own files do not fit each other.
const NEXT: &str =
    "build the toplevel again, and compare `boot.json` and the links of the toplevel with it";

/// What is proven of each thing that a boot needs, in the order in which a fault of one explains those of the next.
const PARTS: &[fn(&Subject, &mut Outcome)] = &[
    stage_2::rule,
    default_target::rule,
    entries::rule,
    images::rule,
    modules::rule,
    vermagic::rule,
    initrd_modules::rule,
    disk::rule,
    file_systems::rule,
    devices::rule,
    root_device::rule,
    same_root::rule,
    kernel_params::rule,
    bootspec::rule,
    specialisations::rule,
    boot_space::rule,
];

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    for part in PARTS {
        part(subject, outcome);
    }
}

fn found(subject: &str, summary: String) -> Finding {
    Finding::new(Check::BootPath, State::Inspected, subject, summary)
}

fn error(outcome: &mut Outcome, subject: &str, summary: String, next: &str) {
    let finding = found(subject, summary.clone());
    outcome.cause(summary, next, [finding]);
}

fn warning(outcome: &mut Outcome, subject: &str, summary: String) {
    outcome.findings.push(found(subject, summary).as_warning());
}

fn unread(subject: &Subject, what: &str) -> bool {
    subject.facts.unreadable.iter().any(|(s, _)| s == what)
}

fn root<'a>(subject: &Subject<'a>) -> Option<&'a FileSystem> {
    let mut all = subject.facts.file_systems.iter();
    all.find(|fs| fs.mount_point == "/")
}

/// Whether stage 1 mounts it: the root, and what NixOS marks so because stage 2 needs it (systemd.mount(5), `x-initrd.mount`).
fn is_of_stage_1(fs: &FileSystem) -> bool {
    fs.mount_point == "/" || fs.options.iter().any(|option| option == "x-initrd.mount")
}

/// Whether stage 1 can load a module or the kernel has it built in; `None` where initrd or lists could not be read.
fn is_in_stage_1(subject: &Subject, module: &str) -> Option<bool> {
    let carried = subject.facts.initrd_modules.as_ref()?;
    let modules = subject.survey.boot.modules.as_ref()?;
    Some(carried.names.contains(module) || modules.built_in.contains(module))
}

#[cfg(test)]
mod tests {
    use crate::inspect::testing::{ids, inspected, server};
    use crate::vocabulary::Verdict;

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
        assert_eq!(inspection.notes, [""; 0]);
    }
}
