//! The toplevel leads to a kernel and an initrd.

use super::{NEXT, error, warning};
use crate::inspect::kernel::mounts_root;
use crate::inspect::rules::{Outcome, Subject};

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let boot = &subject.survey.boot;
    let told = |name: &str| match (&boot.bootspec, name) {
        (Some(spec), "kernel") => spec.kernel.is_some(),
        (Some(spec), _) => spec.initrd.is_some(),
        (None, _) => false,
    };
    let is_container = ["kernel", "initrd"]
        .iter()
        .all(|name| boot.absent.contains(name) && !told(name));
    if is_container && boot.module_versions.is_none() {
        outcome.notes.push(
            "the toplevel has neither kernel nor initrd: like a container's, no bootloader starts it"
                .to_owned(),
        );
        return;
    }
    if boot.kernel.is_none() {
        nowhere(outcome, "kernel");
    }
    if boot.initrd.is_some() {
        return;
    }
    if boot.absent.contains(&"initrd")
        && !told("initrd")
        && mounts_root(&subject.facts.kernel_params)
    {
        // `boot.initrd.enable = false`
        let summary = "there is no initrd: the kernel mounts the root by itself, with the drivers that it has built in";
        warning(outcome, "initrd", summary.to_owned());
    } else {
        nowhere(outcome, "initrd");
    }
}

fn nowhere(outcome: &mut Outcome, name: &str) {
    let summary = format!("`{name}` of the toplevel leads to no file of the closure");
    error(outcome, name, summary, NEXT);
}

#[cfg(test)]
mod tests {
    use crate::closure::testing::FakeClosure;
    use crate::inspect::testing::{ids, inspected, server};
    use crate::vocabulary::Verdict;

    const GONE: &str = "/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-gone/x";

    fn without(name: &str) -> FakeClosure {
        let fake = server();
        fake.remove(name);
        fake
    }

    #[test]
    fn a_kernel_or_an_initrd_that_leads_nowhere_is_found() {
        for name in ["kernel", "initrd"] {
            let fake = without(name);
            assert_eq!(
                ids(&inspected(&fake)),
                [format!("inspected/boot-path/{name}")]
            );
            fake.link("toplevel", name, GONE);
            assert_eq!(
                ids(&inspected(&fake)),
                [format!("inspected/boot-path/{name}")]
            );
        }
    }

    #[test]
    fn a_kernel_that_mounts_its_root_itself_may_do_without_an_initrd() {
        let fake = without("initrd");
        fake.file("kernel-params", "console=ttyS0 root=/dev/vda1");
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), ["inspected/boot-path/initrd"]);
        assert_eq!(inspection.verdict, Verdict::Pass);
    }

    #[test]
    fn a_container_is_unproven() {
        let fake = without("kernel");
        fake.remove("initrd");
        fake.remove("kernel-modules/lib/modules/6.6.63/modules.dep");
        fake.remove("kernel-modules/lib/modules/6.6.63/modules.builtin");
        for dir in ["/6.6.63", ""] {
            fake.remove_directory(&format!("kernel-modules/lib/modules{dir}"));
        }
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), [""; 0]);
        assert_eq!(inspection.verdict, Verdict::Unproven);
    }
}
