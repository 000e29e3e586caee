//! A QEMU virtual machine: what it is made of, its process, its monitor, its serial lines.
//!
//! Called by the rehearsal, which owns one [`Vm`] at a time. Names no NixOS concept and judges nothing: it starts the
//! machine, hands on what happens as [`VmEvent`]s, and makes sure that no process outlives its owner.

mod accelerator;
mod argv;
mod efi_variables;
mod firmware;
mod machine;
mod monitor;
mod process;
mod qmp;
mod saved;
mod shell;
mod streams;
mod text_screen;

pub use accelerator::{Proof, prove_accelerator};
pub use argv::{ChildFds, argv, argv_text};
pub use efi_variables::{BOOT_LOADER_INTERFACE, efi_variable, fuzz as fuzz_efi_variables};
pub use firmware::{Uefi, UefiImages, uefi_images};
pub use machine::{
    BootSource, CardPlace, Forward, MachineSpec, NetworkCard, QemuBinary, Subnet, WriteLog,
};
pub use process::{MachineFds, Vm, VmError, VmEvent};
pub use shell::{GREETING, SHELL_PORT_NAME, Shell, ShellEvent, ShellPort};
