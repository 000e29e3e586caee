//! A kernel loads modules of its own class only (`kernel/module/main.c`, `elf_validity_check`).

use super::{error, found};
use crate::inspect::kernel::with_article;
use crate::inspect::rules::{Outcome, Subject};
use crate::vocabulary::Finding;

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let Some(tree) = &subject.survey.boot.modules else {
        return;
    };
    let most = tree.packages.iter().map(|package| package.count).max();
    for package in &tree.packages {
        let own = Some(package.count) == most;
        let Some(finding) = foreign(subject, package, own) else {
            continue;
        };
        // A driver that does not load is no end of the boot; without the kernel's own ones there is hardly a machine without one.
        if own {
            error(outcome, finding);
        } else {
            outcome.findings.push(finding.as_warning());
        }
    }
}

fn foreign(
    subject: &Subject,
    package: &crate::closure::ModulePackage,
    own: bool,
) -> Option<Finding> {
    let kernel = subject.facts.kernel.as_ref()?;
    let class = kernel.elf_class()?;
    let mut modules = package.modules.iter();
    let (path, module) = modules.find(|(_, module)| module.class != class)?;
    let summary = format!(
        "{} are of class {}, which {} kernel does not load",
        if own { "the modules" } else { "extra modules" },
        module.class,
        with_article(kernel.as_str())
    );
    let name = match own {
        true => "kernel-modules",
        false => package.store_path.name(),
    };
    Some(found(name, summary).with_evidence(path, module.class.as_str()))
}

#[cfg(test)]
mod tests {
    use crate::closure::testing::{FakeClosure, module};
    use crate::inspect::testing::{ids, inspected, server};
    use crate::vocabulary::{ElfClass, Verdict};

    const DIR: &str = "lib/modules/6.6.63";

    fn with_modules(class: ElfClass, extra: ElfClass) -> FakeClosure {
        let fake = server();
        for name in ["a", "b"] {
            let path = format!("kernel-modules/{DIR}/kernel/fs/{name}.ko");
            fake.file(&path, module(class, "6.6.63 SMP"));
        }
        let bytes = module(extra, "6.6.63 SMP");
        let path = fake.store_file("nvidia-x11", &format!("{DIR}/misc/nvidia.ko"), bytes);
        let link = format!("kernel-modules/{DIR}/misc/nvidia.ko");
        fake.link("toplevel", &link, &path);
        fake
    }

    #[test]
    fn modules_of_another_class_are_found() {
        let fake = with_modules(ElfClass::I386, ElfClass::X86_64);
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), ["inspected/architecture/kernel-modules"]);
        assert_eq!(inspection.verdict, Verdict::Fail);
    }

    #[test]
    fn an_extra_package_of_another_class_is_a_warning() {
        let fake = with_modules(ElfClass::X86_64, ElfClass::I386);
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), ["inspected/architecture/nvidia-x11"]);
        assert_eq!(inspection.verdict, Verdict::Pass);
    }

    #[test]
    fn modules_of_the_kernels_class_are_silent() {
        let fake = with_modules(ElfClass::X86_64, ElfClass::X86_64);
        assert_eq!(ids(&inspected(&fake)), [""; 0]);
    }
}
