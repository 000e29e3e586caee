//! The kernel looks for its modules by its own version string, and modprobe(8) by their index.

use super::{error, unread};
use crate::inspect::rules::{Outcome, Subject};

const NEXT: &str = "build kernel and modules from one `boot.kernelPackages`";

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let Some(version) = &subject.facts.kernel_version else {
        return;
    };
    let boot = &subject.survey.boot;
    let Some(found) = &boot.module_versions else {
        if boot.kernel.is_some() {
            let note = "the closure has no kernel modules".to_owned();
            outcome.notes.push(note);
        }
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
        error(outcome, "kernel-modules", summary, NEXT);
        return;
    }
    if let Some(tree) = &boot.modules
        && !tree.has_index
        && !tree.packages.is_empty()
        && !unread(subject, "kernel-modules")
    {
        let summary = format!(
            "the modules of {version} have no index (`modules.dep`): modprobe will find none of them"
        );
        error(outcome, "kernel-modules", summary, super::NEXT);
    }
}

#[cfg(test)]
mod tests {
    use crate::closure::testing::module;
    use crate::inspect::testing::{ids, inspected, server};
    use crate::vocabulary::ElfClass;

    const DIR: &str = "kernel-modules/lib/modules/6.6.63";

    #[test]
    fn modules_of_another_kernel_are_found() {
        let fake = server();
        fake.remove(&format!("{DIR}/modules.dep"));
        fake.remove(&format!("{DIR}/modules.builtin"));
        fake.remove_directory(DIR);
        fake.file("kernel-modules/lib/modules/6.6.64/modules.dep", "");
        fake.file("kernel-modules/lib/modules/6.6.64/modules.builtin", "");
        assert_eq!(
            ids(&inspected(&fake)),
            ["inspected/boot-path/kernel-modules"]
        );
    }

    #[test]
    fn modules_without_an_index_are_found() {
        let fake = server();
        let bytes = module(ElfClass::X86_64, "6.6.63 SMP");
        fake.file(&format!("{DIR}/kernel/fs/xfs.ko"), bytes);
        assert_eq!(ids(&inspected(&fake)), [""; 0]);
        fake.remove(&format!("{DIR}/modules.dep"));
        assert_eq!(
            ids(&inspected(&fake)),
            ["inspected/boot-path/kernel-modules"]
        );
    }
}
