//! Stage 1 loads the modules that the initrd has for the kernel's own version string.

use super::error;
use crate::inspect::rules::{Outcome, Subject};

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let facts = subject.facts;
    let (Some(version), Some(initrd)) = (&facts.kernel_version, &facts.initrd_modules) else {
        return;
    };
    if initrd.versions.is_empty() || initrd.versions.contains(version) {
        return;
    }
    let versions: Vec<&str> = initrd.versions.iter().map(String::as_str).collect();
    let summary = format!(
        "the kernel is {version}, and the modules in the initrd are for {}: stage 1 will load none of them",
        versions.join(", ")
    );
    let next = "build kernel and initrd from one `boot.kernelPackages`";
    error(outcome, "initrd", summary, next);
}

#[cfg(test)]
mod tests {
    use crate::closure::testing::initrd;
    use crate::inspect::testing::{ids, inspected, server};
    use crate::vocabulary::ElfClass;

    fn found(version: &str) -> Vec<String> {
        let fake = server();
        let names = ["virtio_blk", "virtio_pci", "ext4"]
            .map(|name| format!("lib/modules/{version}/kernel/{name}.ko.xz"));
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        fake.file("initrd", initrd(ElfClass::X86_64, &names));
        ids(&inspected(&fake))
    }

    #[test]
    fn modules_of_another_kernel_in_the_initrd_are_found() {
        assert_eq!(found("6.6.64"), ["inspected/boot-path/initrd"]);
    }

    #[test]
    fn modules_of_this_kernel_in_the_initrd_are_silent() {
        assert_eq!(found("6.6.63"), [""; 0]);
    }
}
