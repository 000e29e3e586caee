use std::fmt;

use serde::{Deserialize, Serialize};

/// A Nix platform, such as `x86_64-linux`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(with = "String"))]
#[serde(from = "String", into = "String")]
pub enum System {
    X86_64Linux,
    I686Linux,
    /// A platform that bootproof has no rules for; kept as it was written.
    Other(String),
}

impl System {
    pub fn as_str(&self) -> &str {
        match self {
            Self::X86_64Linux => "x86_64-linux",
            Self::I686Linux => "i686-linux",
            Self::Other(text) => text,
        }
    }

    /// The platform of a kernel that calls its machine so (`uname -m`).
    pub fn of_uname_machine(machine: &str) -> Self {
        match machine {
            "x86_64" => Self::X86_64Linux,
            "i386" | "i486" | "i586" | "i686" => Self::I686Linux,
            other => Self::Other(format!("{other}-linux")),
        }
    }

    /// The class of the executables that are native to this platform; `None` where bootproof has no rule.
    pub fn elf_class(&self) -> Option<ElfClass> {
        match self {
            Self::X86_64Linux => Some(ElfClass::X86_64),
            Self::I686Linux => Some(ElfClass::I386),
            Self::Other(_) => None,
        }
    }
}

impl From<String> for System {
    fn from(text: String) -> Self {
        match text.as_str() {
            "x86_64-linux" => Self::X86_64Linux,
            "i686-linux" => Self::I686Linux,
            _ => Self::Other(text),
        }
    }
}

impl From<System> for String {
    fn from(system: System) -> Self {
        system.as_str().to_owned()
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Class and machine of an ELF file, as far as they decide which kernel can run it (elf(5), `EI_CLASS` and `e_machine`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum ElfClass {
    /// 64-bit, `EM_X86_64`.
    #[serde(rename = "x86_64")]
    X86_64,
    /// 32-bit, `EM_386`.
    #[serde(rename = "i386")]
    I386,
    /// Any other pair.
    #[serde(rename = "other")]
    Other,
}

impl ElfClass {
    /// Reads the first 20 bytes or more of a file; `None` where they are no ELF header.
    pub fn of_header(bytes: &[u8]) -> Option<Self> {
        const EM_386: u16 = 3;
        const EM_X86_64: u16 = 62;
        if bytes.len() < 20 || !bytes.starts_with(b"\x7fELF") {
            return None;
        }
        let machine = [bytes[18], bytes[19]];
        let machine = match bytes[5] {
            2 => u16::from_be_bytes(machine),
            _ => u16::from_le_bytes(machine),
        };
        Some(match (bytes[4], machine) {
            (2, EM_X86_64) => Self::X86_64,
            (1, EM_386) => Self::I386,
            _ => Self::Other,
        })
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::I386 => "i386",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for ElfClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_platform_is_kept() {
        let system = System::from("riscv64-linux".to_owned());
        assert_eq!(system.as_str(), "riscv64-linux");
    }

    #[test]
    fn the_kernel_calls_every_32_bit_x86_differently() {
        assert_eq!(System::of_uname_machine("i586"), System::I686Linux);
        assert_eq!(System::of_uname_machine("x86_64"), System::X86_64Linux);
    }

    #[test]
    fn elf_headers_are_told_apart() {
        let mut header = [0u8; 20];
        header[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        header[18] = 62;
        assert_eq!(ElfClass::of_header(&header), Some(ElfClass::X86_64));
        header[4] = 1;
        header[18] = 3;
        assert_eq!(ElfClass::of_header(&header), Some(ElfClass::I386));
        header[18] = 40;
        assert_eq!(ElfClass::of_header(&header), Some(ElfClass::Other));
        assert_eq!(ElfClass::of_header(b"#!/bin/sh"), None);
    }
}
