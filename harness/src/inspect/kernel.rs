//! What a kernel can execute.

use super::rules::Subject;
use crate::vocabulary::{ElfClass, System};

/// Whether this closure's kernel executes programs of a class: itself, by IA32 emulation, or by an emulator that binfmt_misc calls.
///
/// Where bootproof has no rule for the kernel it is taken to.
pub(super) fn runs(subject: &Subject, class: ElfClass) -> bool {
    let native = match (&subject.facts.kernel, class) {
        (Some(System::X86_64Linux), ElfClass::I386) => ia32_emulation(subject),
        (Some(System::X86_64Linux), class) => class == ElfClass::X86_64,
        (Some(System::I686Linux), class) => class == ElfClass::I386,
        (Some(System::Other(_)) | None, _) => true,
    };
    native || emulated(subject, class)
}

/// A 64-bit kernel runs i386 programs with `CONFIG_IA32_EMULATION`, unless `ia32_emulation=` says otherwise (the kernel's
/// `kernel-parameters.txt`). Debian's and NixOS's kernels have it, and a closure without a configuration is taken to.
fn ia32_emulation(subject: &Subject) -> bool {
    let switched_off = subject
        .facts
        .kernel_params
        .iter()
        .filter_map(|param| param.strip_prefix("ia32_emulation="))
        .next_back()
        .is_some_and(|value| ["0", "off", "n", "false"].contains(&value));
    !switched_off && subject.survey.boot.ia32_emulation != Some(false)
}

/// binfmt.d(5): the lines that NixOS writes are named after the system, `:x86_64-linux:M::…`.
fn emulated(subject: &Subject, class: ElfClass) -> bool {
    let binfmt = &subject.survey.boot.binfmt;
    match class {
        ElfClass::X86_64 => binfmt.contains(":x86_64-linux:") || binfmt.contains(":qemu-x86_64:"),
        ElfClass::I386 => ["i386", "i486", "i586", "i686"].iter().any(|name| {
            binfmt.contains(&format!(":{name}-linux:"))
                || binfmt.contains(&format!(":qemu-{name}:"))
        }),
        // Which of the other machines it is was not read.
        ElfClass::Other => !binfmt.trim().is_empty(),
    }
}

/// `an i686-linux kernel`.
pub(super) fn called(subject: &Subject) -> String {
    match &subject.facts.kernel {
        Some(system) => format!("{} kernel", with_article(system.as_str())),
        None => "an unknown kernel".to_owned(),
    }
}

/// The indefinite article that an architecture's name takes when it is spoken.
pub(super) fn with_article(name: &str) -> String {
    // `x86_64` and `i686` both begin with a vowel's sound.
    let vowel = name.starts_with(['a', 'e', 'i', 'o', 'u', 'x']);
    format!("{} {name}", if vowel { "an" } else { "a" })
}
