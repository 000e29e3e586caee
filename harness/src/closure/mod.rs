//! Reads a NixOS closure on the host: which store paths it has, and what its files say of the machine that will run it.
//!
//! The command line and the rehearsal's planning call [`resolve`] for the paths and [`read_facts`] for the facts. Nothing of the closure is
//! run, no VM is needed, and no file outside the closure is read on its behalf. A fact that cannot be read is reported as
//! unreadable and never guessed.

mod absence;
mod boot_loader;
mod bootspec;
mod bzimage;
mod contents;
mod cpio_names;
mod decompress;
mod drivers;
mod error;
mod etc_digests;
mod executable;
mod execution;
mod facts;
mod file_system_names;
mod files;
mod fstab;
pub(crate) mod fuzzing;
mod grub_config;
pub mod grub_menu;
mod identity;
mod initrd;
mod interfaces;
mod listing;
mod locate;
mod mentions;
mod module_file;
mod modules;
mod nar;
mod nar_hash;
mod nginx_config;
mod nix_store;
mod path_walk;
mod pe;
mod read_ahead;
mod references;
mod registration;
mod resolve;
mod side_by_side;
mod source;
mod specialisations;
mod stage_1_root;
mod survey;
#[cfg(test)]
pub(crate) mod testing;
mod unit_directory;
mod unit_file;
mod units;

pub use boot_loader::installed_boot_loader;
pub use bzimage::platform as kernel_platform;
pub use contents::{Contents, Damage, register, verify_contents};
pub use error::ClosureError;
pub use etc_digests::{etc_digests, without_hashes};
pub use executable::last_exec;
pub use execution::{Fault, Hop, Role, interpreter};
pub use facts::read_facts;
pub use identity::{identify, identify_by_record};
pub use initrd::{InitrdFiles, InitrdService};
pub use locate::in_store;
pub use module_file::ModuleFile;
pub use read_ahead::{examine, resolve_ahead};
pub use resolve::{Closure, ReferencesBy, only_toplevel, resolve, resolve_directory};
pub use side_by_side::reading_threads;
pub use source::Source;
pub use specialisations::specialisations;
pub use survey::{
    Accounts, BootFiles, BootImage, BootspecFiles, Census, Command, CutShort, DanglingLink,
    EfiLoader, ElfCounts, Installation, Kind, ModulePackage, ModuleTree, Named, NeededFile,
    NginxNeeds, Programs, Specialisation, Started, Survey, SystemPath, Unit, Upstream, View,
    outline, survey,
};
pub use unit_file::{UnitFile, command_lines, command_words};
