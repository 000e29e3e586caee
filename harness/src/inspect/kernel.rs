//! What a kernel can execute.

use super::rules::{Baseline, Subject};
use crate::closure::BootFiles;
use crate::vocabulary::{ClosureFacts, ElfClass, System};

/// The kernel of a closure, as far as it decides what can be executed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kernel<'a> {
    facts: &'a ClosureFacts,
    boot: &'a BootFiles,
}

/// Whether this closure's kernel executes programs of a class.
pub(super) fn runs(subject: &Subject, class: ElfClass) -> bool {
    Kernel::of_subject(subject).runs(class)
}

/// `an i686-linux kernel`.
pub(super) fn called(subject: &Subject) -> String {
    Kernel::of_subject(subject).called()
}

/// Whether the parameters name a root that the kernel mounts by itself where the initrd has no init, or there is no initrd.
///
/// NixOS's `root=fstab` and `root=gpt-auto` tell systemd who else tells it (kernel-command-line(7)): to the kernel they are no device.
pub(super) fn mounts_root(params: &[String]) -> bool {
    const OF_SYSTEMD: &[&str] = &["fstab", "gpt-auto", "dissect", "tmpfs", "off"];
    let last = params.iter().rev().find_map(|p| p.strip_prefix("root="));
    last.is_some_and(|root| !OF_SYSTEMD.contains(&root))
}

impl<'a> Kernel<'a> {
    /// That of the baseline.
    pub(super) fn of(baseline: &Baseline<'a>) -> Self {
        Self {
            facts: baseline.facts,
            boot: &baseline.survey.boot,
        }
    }

    fn of_subject(subject: &Subject<'a>) -> Self {
        Self {
            facts: subject.facts,
            boot: &subject.survey.boot,
        }
    }

    /// Whether it executes programs of a class: itself, by IA32 emulation, or by an emulator that binfmt_misc calls.
    ///
    /// Where bootproof has no rule for the kernel it is taken to.
    pub(super) fn runs(&self, class: ElfClass) -> bool {
        let native = match (&self.facts.kernel, class) {
            (Some(System::X86_64Linux), ElfClass::I386) => self.ia32_emulation(),
            (Some(System::X86_64Linux), class) => class == ElfClass::X86_64,
            (Some(System::I686Linux), class) => class == ElfClass::I386,
            (Some(System::Other(_)) | None, _) => true,
        };
        native || self.emulated(class)
    }

    /// `an i686-linux kernel`.
    pub(super) fn called(&self) -> String {
        match &self.facts.kernel {
            Some(system) => format!("{} kernel", with_article(system.as_str())),
            None => "an unknown kernel".to_owned(),
        }
    }

    /// A 64-bit kernel runs i386 programs with `CONFIG_IA32_EMULATION`, unless `ia32_emulation=` says otherwise (the kernel's
    /// `kernel-parameters.txt`). Debian's and NixOS's kernels have it, and a closure without a configuration is taken to.
    fn ia32_emulation(&self) -> bool {
        let switched_off = self
            .facts
            .kernel_params
            .iter()
            .filter_map(|param| param.strip_prefix("ia32_emulation="))
            .next_back()
            .is_some_and(|value| ["0", "off", "n", "false"].contains(&value));
        !switched_off && self.boot.ia32_emulation != Some(false)
    }

    /// binfmt.d(5): the lines that NixOS writes are named after the system, `:x86_64-linux:M::…`.
    fn emulated(&self, class: ElfClass) -> bool {
        let binfmt = &self.boot.binfmt;
        match class {
            ElfClass::X86_64 => {
                binfmt.contains(":x86_64-linux:") || binfmt.contains(":qemu-x86_64:")
            }
            ElfClass::I386 => ["i386", "i486", "i586", "i686"].iter().any(|name| {
                binfmt.contains(&format!(":{name}-linux:"))
                    || binfmt.contains(&format!(":qemu-{name}:"))
            }),
            // Which of the other machines it is was not read.
            ElfClass::Other => !binfmt.trim().is_empty(),
        }
    }
}

/// The indefinite article that an architecture's name takes when it is spoken.
pub fn with_article(name: &str) -> String {
    // `x86_64` and `i686` both begin with a vowel's sound.
    let vowel = name.starts_with(['a', 'e', 'i', 'o', 'u', 'x']);
    format!("{} {name}", if vowel { "an" } else { "a" })
}
