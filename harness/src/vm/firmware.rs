//! UEFI firmware for a machine: code that is never written, and variables that are the machine's own.
//!
//! QEMU has both as flash memory (edk2's `OvmfPkg/README`). Secure Boot is off: no keys are enrolled in the variables that a
//! machine begins with.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::machine::QemuBinary;

/// The images of a UEFI firmware on this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UefiImages {
    pub code: PathBuf,
    /// What the variables of a new machine are copied from; it belongs to this code.
    pub variables: PathBuf,
    /// The code runs in system management mode, without which it does not start.
    pub smm: bool,
}

/// The firmware of one machine, open for QEMU.
#[derive(Debug)]
pub struct Uefi {
    pub(super) code: File,
    pub(super) variables: File,
    pub(super) smm: bool,
}

/// Where distributions have code and variables: Debian and Ubuntu, Fedora, Arch, NixOS with libvirt.
const X86_64: &[(&str, &str)] = &[
    (
        "/usr/share/OVMF/OVMF_CODE_4M.fd",
        "/usr/share/OVMF/OVMF_VARS_4M.fd",
    ),
    (
        "/usr/share/OVMF/OVMF_CODE.fd",
        "/usr/share/OVMF/OVMF_VARS.fd",
    ),
    (
        "/usr/share/edk2/ovmf/OVMF_CODE.fd",
        "/usr/share/edk2/ovmf/OVMF_VARS.fd",
    ),
    (
        "/usr/share/edk2/x64/OVMF_CODE.4m.fd",
        "/usr/share/edk2/x64/OVMF_VARS.4m.fd",
    ),
    (
        "/run/libvirt/nix-ovmf/OVMF_CODE.fd",
        "/run/libvirt/nix-ovmf/OVMF_VARS.fd",
    ),
];

/// Debian's `ovmf-ia32` has no other than the one that could do Secure Boot.
const I386_SMM: (&str, &str) = (
    "/usr/share/OVMF/OVMF32_CODE_4M.secboot.fd",
    "/usr/share/OVMF/OVMF32_VARS_4M.fd",
);

/// The firmware that this host has for machines of `binary`; QEMU's own, where it brings one, comes last: Debian's has none.
pub fn uefi_images(binary: QemuBinary) -> Option<UefiImages> {
    let pair = |(code, variables): &(&str, &str), smm| UefiImages {
        code: code.into(),
        variables: variables.into(),
        smm,
    };
    let mut known: Vec<UefiImages> = match binary {
        QemuBinary::X86_64 => X86_64.iter().map(|files| pair(files, false)).collect(),
        QemuBinary::I386 => vec![pair(&I386_SMM, true)],
    };
    known.extend(data_directories(binary).map(|directory| of_qemu(&directory, binary)));
    known
        .into_iter()
        .find(|images| images.code.is_file() && images.variables.is_file())
}

/// What QEMU's own build installs (its `pc-bios/meson.build`); both widths share the empty variables.
fn of_qemu(directory: &Path, binary: QemuBinary) -> UefiImages {
    let code = match binary {
        QemuBinary::X86_64 => "edk2-x86_64-code.fd",
        QemuBinary::I386 => "edk2-i386-code.fd",
    };
    UefiImages {
        code: directory.join(code),
        variables: directory.join("edk2-i386-vars.fd"),
        smm: false,
    }
}

/// `share/qemu` beside the `bin` that the emulator is in, by the links that lead to it too.
fn data_directories(binary: QemuBinary) -> impl Iterator<Item = PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let programs: Vec<PathBuf> = std::env::split_paths(&path)
        .map(|directory| directory.join(binary.program()))
        .filter(|program| program.is_file())
        .collect();
    programs.into_iter().flat_map(|program| {
        let real = std::fs::canonicalize(&program).unwrap_or_else(|_| program.clone());
        [program, real]
            .into_iter()
            .filter_map(|program| Some(program.parent()?.parent()?.join("share/qemu")))
    })
}

impl Uefi {
    /// The machine's variables as they are now.
    ///
    /// # Errors
    /// When their file cannot be read.
    pub fn variables(&self) -> io::Result<Vec<u8>> {
        let length = usize::try_from(self.variables.metadata()?.len()).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        self.variables.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    }

    /// Makes them what they were; the machine is off.
    ///
    /// # Errors
    /// When their file cannot be written.
    pub fn set_variables(&self, bytes: &[u8]) -> io::Result<()> {
        self.variables.write_all_at(bytes, 0)
    }

    /// The same for another machine, whose variables are its own from now on, in a file without a name in `directory`.
    ///
    /// # Errors
    /// When the variables cannot be copied.
    pub fn copy(&self, directory: &Path) -> io::Result<Self> {
        let variables = tempfile::tempfile_in(directory)?;
        variables.write_all_at(&self.variables()?, 0)?;
        Ok(Self {
            code: self.code.try_clone()?,
            variables,
            smm: self.smm,
        })
    }

    /// The firmware `images`, with `variables` as those of one machine: open for reading and writing.
    ///
    /// # Errors
    /// When the code cannot be opened.
    pub fn open(images: &UefiImages, variables: File) -> io::Result<Self> {
        Ok(Self {
            code: File::open(&images.code)?,
            variables,
            smm: images.smm,
        })
    }
}
