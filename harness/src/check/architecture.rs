//! Which kernel runs which executables: the one rule that several checks and the diagnosis share.

use crate::vocabulary::{ElfClass, System};

/// Whether a kernel of this platform runs executables of this class; `None` where bootproof has no rule.
///
/// A 64-bit x86 kernel runs 32-bit executables where it has `CONFIG_IA32_EMULATION`, as NixOS's and Debian's have.
pub fn kernel_runs(kernel: &System, class: ElfClass) -> Option<bool> {
    match (kernel, class) {
        (System::X86_64Linux, ElfClass::X86_64 | ElfClass::I386)
        | (System::I686Linux, ElfClass::I386) => Some(true),
        (System::I686Linux, ElfClass::X86_64) => Some(false),
        (_, ElfClass::Other) | (System::Other(_), _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_64_bit_kernel_runs_both() {
        assert_eq!(
            kernel_runs(&System::X86_64Linux, ElfClass::I386),
            Some(true)
        );
        assert_eq!(
            kernel_runs(&System::I686Linux, ElfClass::X86_64),
            Some(false)
        );
        let other = System::Other("riscv64-linux".to_owned());
        assert_eq!(kernel_runs(&other, ElfClass::I386), None);
    }
}
