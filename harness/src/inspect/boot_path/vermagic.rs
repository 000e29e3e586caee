//! The kernel refuses a module that was built for another kernel, by its `vermagic` (`kernel/module/version.c`).

use super::{found, warning};
use crate::closure::{ModulePackage, ModuleTree};
use crate::inspect::rules::{Outcome, Subject};
use crate::vocabulary::Finding;

const NEXT: &str =
    "build kernel, modules and `boot.extraModulePackages` from one `boot.kernelPackages`";

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let (Some(version), Some(tree)) = (&subject.facts.kernel_version, &subject.survey.boot.modules)
    else {
        return;
    };
    // Another directory's modules are not looked for at all, which `modules` tells.
    if tree.version != *version {
        return;
    }
    let kernels = kernels_own(tree);
    for package in &tree.packages {
        if let Some((path, reason)) = package.unreadable.first() {
            let reason = format!("{path}: {reason}");
            outcome.unproven("kernel modules", reason, false);
        }
        let is_kernels = Some(package) == kernels;
        let Some((finding, magic)) = of_another(package, version, is_kernels) else {
            if let Some(ours) = kernels.filter(|_| !is_kernels) {
                options(package, ours, outcome);
            }
            continue;
        };
        if is_kernels && !ignores_release(magic) {
            outcome.cause(finding.summary.clone(), NEXT, [finding]);
        } else {
            outcome.findings.push(finding.as_warning());
        }
    }
}

/// The package with most modules is the kernel's.
fn kernels_own(tree: &ModuleTree) -> Option<&ModulePackage> {
    tree.packages.iter().max_by_key(|package| package.count)
}

/// With `CONFIG_MODVERSIONS` a checksum of each symbol stands for the release.
fn ignores_release(magic: &str) -> bool {
    magic.split(' ').any(|word| word == "modversions")
}

fn of_another<'a>(
    package: &'a ModulePackage,
    version: &str,
    is_kernels: bool,
) -> Option<(Finding, &'a str)> {
    let (path, magic) =
        magics(package).find(|(_, magic)| magic.split(' ').next() != Some(version))?;
    let whose = match is_kernels {
        true => "the modules are",
        false => "extra modules are",
    };
    let release = magic.split(' ').next().unwrap_or_default();
    let summary = format!("the kernel is {version}, and {whose} built for {release} (vermagic)");
    let subject = match is_kernels {
        true => "kernel-modules",
        false => package.store_path.name(),
    };
    Some((found(subject, summary).with_evidence(path, magic), magic))
}

/// A package of the right release may still be of another build of the kernel.
fn options(package: &ModulePackage, ours: &ModulePackage, outcome: &mut Outcome) {
    let rest = |magic: &str| magic.split_once(' ').map(|(_, rest)| rest.to_owned());
    let Some(expected) = magics(ours).next().map(|(_, magic)| rest(magic)) else {
        return;
    };
    if let Some((_, magic)) = magics(package).find(|(_, magic)| rest(magic) != expected) {
        let summary = format!(
            "extra modules are built for a kernel with other options (`{magic}`) than this one's modules"
        );
        warning(outcome, package.store_path.name(), summary);
    }
}

fn magics(package: &ModulePackage) -> impl Iterator<Item = (&str, &str)> {
    package
        .modules
        .iter()
        .filter_map(|(path, module)| Some((path.as_str(), module.vermagic.as_deref()?)))
}

#[cfg(test)]
mod tests {
    use crate::closure::testing::{FakeClosure, module};
    use crate::inspect::testing::{ids, inspected, server};
    use crate::vocabulary::{ElfClass, Verdict};

    const DIR: &str = "lib/modules/6.6.63";

    fn with_modules(magic: &str) -> FakeClosure {
        let fake = server();
        for name in ["a", "b"] {
            let path = format!("kernel-modules/{DIR}/kernel/fs/{name}.ko");
            fake.file(&path, module(ElfClass::X86_64, magic));
        }
        fake
    }

    fn with_extra(magic: &str) -> FakeClosure {
        let fake = with_modules("6.6.63 SMP");
        let bytes = module(ElfClass::X86_64, magic);
        let path = fake.store_file("nvidia-x11", &format!("{DIR}/misc/nvidia.ko"), bytes);
        let link = format!("kernel-modules/{DIR}/misc/nvidia.ko");
        fake.link("toplevel", &link, &path);
        fake
    }

    #[test]
    fn modules_built_for_another_release_are_found() {
        let inspection = inspected(&with_modules("6.6.64 SMP mod_unload"));
        assert_eq!(ids(&inspection), ["inspected/boot-path/kernel-modules"]);
        assert_eq!(inspection.verdict, Verdict::Fail);
    }

    #[test]
    fn with_checksums_of_symbols_another_release_is_a_warning() {
        let inspection = inspected(&with_modules("6.6.64 SMP modversions"));
        assert_eq!(ids(&inspection), ["inspected/boot-path/kernel-modules"]);
        assert_eq!(inspection.verdict, Verdict::Pass);
    }

    #[test]
    fn modules_of_this_kernel_are_silent() {
        assert_eq!(ids(&inspected(&with_extra("6.6.63 SMP"))), [""; 0]);
    }

    #[test]
    fn an_extra_package_of_another_kernel_is_a_warning() {
        for magic in ["6.6.64 SMP", "6.6.63 SMP preempt"] {
            let inspection = inspected(&with_extra(magic));
            assert_eq!(ids(&inspection), ["inspected/boot-path/nvidia-x11"]);
            assert_eq!(inspection.verdict, Verdict::Pass);
        }
    }
}
