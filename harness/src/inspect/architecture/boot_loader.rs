//! The EFI programs that the installer writes are for firmware that can start this kernel.

use super::{error, found};
use crate::closure::EfiLoader;
use crate::inspect::kernel::with_article;
use crate::inspect::rules::{Outcome, Subject};
use crate::vocabulary::{BootLoader, System};

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let loaders = &subject.survey.boot.installation.efi_loaders;
    let Some(kernel) = &subject.facts.kernel else {
        return;
    };
    let has = |system| loaders.iter().any(|loader| loader.system == system);
    let Some(first) = loaders.first().filter(|_| !has(kernel.clone())) else {
        firmware(subject, loaders, outcome);
        return;
    };
    let summary = format!(
        "the bootloader is for {} EFI firmware, and the kernel is {kernel}",
        first.system
    );
    let finding = found("bootloader", summary).with_evidence("bootloader", &first.name);
    // GRUB jumps into a kernel of the other width by itself, and a 64-bit kernel may have `CONFIG_EFI_MIXED` for 32-bit firmware.
    // systemd-boot has the firmware load the kernel, and 64-bit firmware refuses a 32-bit one.
    let refuses = subject.facts.boot_loader == BootLoader::SystemdBoot
        && *kernel == System::I686Linux
        && first.system == System::X86_64Linux;
    if refuses {
        error(outcome, finding);
    } else {
        outcome.findings.push(finding.as_warning());
    }
}

/// The firmware of a 64-bit machine is nearly always 64-bit, and starts no 32-bit program.
fn firmware(subject: &Subject, loaders: &[EfiLoader], outcome: &mut Outcome) {
    let machine = &subject.options.target.system;
    let Some(first) = loaders.first() else {
        return;
    };
    if is_refused(subject) {
        let summary = "UEFI firmware cannot start this kernel: it is i686-linux, and what starts the machine now is for 64-bit \
                       firmware, which loads no 32-bit program";
        let finding = found("bootloader", summary.to_owned())
            .with_evidence("bootloader", &first.name)
            .with_evidence("kernel", System::I686Linux.as_str());
        error(outcome, finding);
        return;
    }
    if loaders.iter().all(|loader| loader.system != *machine) {
        let summary = format!(
            "the bootloader is for {} EFI firmware, which {} machine hardly has",
            first.system,
            with_article(machine.as_str())
        );
        let finding = found("bootloader", summary).with_evidence("bootloader", &first.name);
        outcome.findings.push(finding.as_warning());
    }
}

/// A machine whose present bootloader is for 64-bit firmware alone has such firmware. systemd-boot has it load the kernel.
fn is_refused(subject: &Subject) -> bool {
    let Some(baseline) = subject.baseline else {
        return false;
    };
    let now = &baseline.survey.boot.installation.efi_loaders;
    let is_64_bit = !now.is_empty() && now.iter().all(|l| l.system == System::X86_64Linux);
    is_64_bit
        && subject.facts.boot_loader == BootLoader::SystemdBoot
        && subject.facts.kernel == Some(System::I686Linux)
}

#[cfg(test)]
mod tests {
    use crate::closure::testing::{FakeClosure, efi_program};
    use crate::inspect::Options;
    use crate::inspect::testing::{
        ids, inspected, inspected_with_baseline, install_by, make_i686, server,
    };
    use crate::vocabulary::Verdict;

    const FOUND: &str = "inspected/architecture/bootloader";
    const X86_64: u16 = 0x8664;
    const I386: u16 = 0x014c;

    /// A server of the kernel's width whose installer names a systemd with a bootloader for the machine.
    fn with_loader(is_64_bit: bool, machine: u16) -> FakeClosure {
        let fake = server();
        if !is_64_bit {
            make_i686(&fake);
        }
        let program = "lib/systemd/boot/efi/systemd-boot.efi";
        let program = fake.store_file("systemd", program, efi_program(machine));
        let script = format!("#!/x\n{program}\n");
        let installer = fake.store_file("install-systemd-boot.sh", "", script);
        install_by(&fake, &installer);
        fake
    }

    #[test]
    fn a_64_bit_systemd_boot_does_not_start_a_32_bit_kernel() {
        let inspection = inspected(&with_loader(false, X86_64));
        assert_eq!(ids(&inspection), [FOUND]);
        assert_eq!(inspection.verdict, Verdict::Fail);
    }

    #[test]
    fn a_bootloader_for_32_bit_firmware_is_a_warning_on_a_64_bit_machine() {
        for is_64_bit in [true, false] {
            let inspection = inspected(&with_loader(is_64_bit, I386));
            assert_eq!(ids(&inspection), [FOUND]);
            assert_eq!(inspection.verdict, Verdict::Pass);
        }
    }

    #[test]
    fn a_machine_that_boots_by_64_bit_firmware_starts_no_32_bit_system() {
        let before = with_loader(true, X86_64);
        let next = with_loader(false, I386);
        let inspection = inspected_with_baseline(&next, &before, &Options::default());
        let about_bootloader: Vec<_> = inspection
            .findings
            .iter()
            .filter(|finding| finding.id() == FOUND)
            .collect();
        assert!(
            about_bootloader[0]
                .summary
                .contains("firmware cannot start this kernel")
        );
        assert_eq!(inspection.verdict, Verdict::Fail);
        // A machine with 32-bit firmware runs it already.
        let before = with_loader(false, I386);
        let inspection = inspected_with_baseline(&next, &before, &Options::default());
        assert_eq!(inspection.verdict, Verdict::Pass);
    }

    #[test]
    fn a_bootloader_of_the_kernels_platform_is_silent() {
        assert_eq!(ids(&inspected(&with_loader(true, X86_64))), [""; 0]);
    }
}
