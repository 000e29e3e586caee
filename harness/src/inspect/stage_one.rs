//! Whether the kernel finds something to execute in the initrd.

use super::kernel::mounts_root;
use super::rules::{Outcome, Subject};
use super::trouble::{Reason, troubles};
use crate::closure::{Fault, Role};
use crate::vocabulary::{Check, Finding, State};

const NEXT: &str =
    "build the initrd again from the `boot.kernelPackages` and the platform of the system";

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let params = &subject.survey.boot.kernel_params;
    // The kernel is told to execute something else.
    if params.iter().any(|param| param.starts_with("rdinit=")) {
        return;
    }
    let Some(trouble) = troubles(subject, &subject.survey.initrd.hops).next() else {
        return;
    };
    let is_missing = matches!(trouble.reason, Reason::Fault(Fault::Missing));
    // Without an `init` in the initrd the kernel mounts `root=` by itself.
    if trouble.hop.role == Role::Command && is_missing && mounts_root(params) {
        return;
    }
    let what = match (trouble.hop.role, is_missing) {
        (Role::Command, true) => "the initrd has no `/init`".to_owned(),
        (Role::Command, false) => format!("`/init` of the initrd {}", trouble.what(subject)),
        (_, true) => format!(
            "`/init` of the initrd needs {}, which is not in the initrd",
            trouble.hop.path
        ),
        (_, false) => format!(
            "{} of the initrd {}",
            trouble.hop.path,
            trouble.what(subject)
        ),
    };
    let text = format!("stage 1 cannot be executed: {what}");
    let finding = Finding::new(
        Check::Executability,
        State::Inspected,
        "initrd",
        text.clone(),
    )
    .with_evidence(trouble.hop.path.as_str(), trouble.short(subject));
    outcome.cause(text, NEXT, [finding]);
}

#[cfg(test)]
mod tests {
    use crate::closure::testing::{cpio_of, initrd};
    use crate::inspect::testing::{ids, inspected, server};
    use crate::vocabulary::{ElfClass, Verdict};

    const MODULES: &[&str] = &["virtio_blk.ko", "virtio_pci.ko", "ext4.ko"];

    #[test]
    fn an_init_of_another_class_is_found() {
        let fake = server();
        fake.file("initrd", initrd(ElfClass::Other, MODULES));
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), ["inspected/executability/initrd"]);
        assert_eq!(inspection.verdict, Verdict::Fail);
    }

    #[test]
    fn an_initrd_without_init_is_found_unless_the_kernel_mounts_the_root() {
        let fake = server();
        let files: Vec<_> = MODULES
            .iter()
            .map(|name| (*name, 0o100_644, b"".as_slice()))
            .collect();
        fake.file("initrd", cpio_of(&files));
        let inspection = inspected(&fake);
        assert!(
            inspection.headline.contains("no `/init`"),
            "{}",
            inspection.headline
        );
        assert_eq!(ids(&inspection), ["inspected/executability/initrd"]);
        fake.file("kernel-params", "root=/dev/vda1");
        assert_eq!(ids(&inspected(&fake)), [""; 0]);
        // As NixOS says to systemd in the initrd.
        fake.file("kernel-params", "root=fstab");
        assert_eq!(ids(&inspected(&fake)), ["inspected/executability/initrd"]);
        fake.file("kernel-params", "rdinit=/other");
        assert_eq!(ids(&inspected(&fake)), [""; 0]);
    }

    #[test]
    fn an_init_that_runs_is_silent() {
        assert_eq!(ids(&inspected(&server())), [""; 0]);
    }
}
