//! What a static look at a closure needs beyond its facts: every command of every unit followed to the program, its loader and its
//! libraries, the files of the boot, and links that lead nowhere.
//!
//! `inspect` calls [`survey`]. Nothing is judged here, and only headers are read of programs.

mod binary_wrapper;
mod boot_files;
mod boot_images;
mod boot_target;
mod bootspec_files;
mod commands;
mod elf;
mod generators;
mod hop;
mod initrd_files;
mod installation;
mod libraries;
mod links;
mod module_tree;
mod named_places;
mod nginx_needs;
mod programs;
mod run_time;
mod script;
mod script_strangers;
mod specifiers;
mod system_path;
mod system_tools;
mod tracer;
mod udev_rules;
mod unit_set;
mod wrappers;

use std::collections::{BTreeMap, BTreeSet};

pub use boot_files::BootFiles;
pub use boot_images::BootImage;
pub use bootspec_files::{BootspecFiles, Specialisation};
pub use commands::Command;
pub use hop::{Fault, Hop, Role};
pub use initrd_files::InitrdFiles;
pub use installation::{EfiLoader, Installation};
pub use links::DanglingLink;
pub use module_tree::{ModulePackage, ModuleTree};
pub use nginx_needs::{NginxNeeds, Place, Upstream};
pub use programs::{Kind, Programs, Started};
pub use system_path::SystemPath;
pub use unit_set::{Unit, View};

use super::Closure;
use super::files::ClosureFiles;
use tracer::Tracer;

/// What was found in the files of a closure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// By name; masked units are left out.
    pub units: BTreeMap<String, Unit>,
    /// Names of units that are systemd's own, which it finds after those.
    pub units_of_systemd: BTreeSet<String>,
    pub boot: BootFiles,
    pub initrd: InitrdFiles,
    /// What is executed other than by a unit.
    pub programs: Programs,
    pub dangling: Vec<DanglingLink>,
    pub nginx: NginxNeeds,
    /// By unit: a script that it starts, and paths of the store that the script names and the closure does not contain.
    pub script_strangers: BTreeMap<String, (String, Vec<String>)>,
    /// The store path of systemd, link-free.
    pub systemd: Option<String>,
    /// `toplevel/kernel-modules`, link-free.
    pub kernel_modules: Option<String>,
    /// What could not be read: the subject, then why.
    pub unreadable: Vec<(String, String)>,
}

/// Looks through a closure. What cannot be read is left out and named.
pub fn survey(closure: &Closure) -> Survey {
    let files = ClosureFiles::new(closure);
    let real = |name: &str| {
        let resolved = files.resolve(&files.in_toplevel(name)).ok()?;
        Some(resolved.logical)
    };
    let mut tracer = Tracer::new(files);
    let units = unit_set::read(files, &mut tracer);
    let initrd = initrd_files::read(files);
    let mut unreadable = units.unreadable;
    unreadable.extend(
        initrd
            .unreadable
            .iter()
            .map(|reason| ("initrd".to_owned(), reason.clone())),
    );
    Survey {
        nginx: nginx_needs::read(files, &units.units),
        script_strangers: script_strangers::read(files, &units.units),
        units: units.units,
        units_of_systemd: units.of_systemd,
        boot: boot_files::read(files, &mut tracer),
        initrd,
        programs: programs::read(files, &mut tracer),
        dangling: links::read(files),
        systemd: real("systemd"),
        kernel_modules: real("kernel-modules"),
        unreadable,
    }
}
