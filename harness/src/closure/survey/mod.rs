//! What a static look at a closure needs beyond its facts: every command of every unit followed to the program, its loader and its
//! libraries, the files of the boot, and links that lead nowhere.
//!
//! `inspect` calls [`survey`]. Nothing is judged here, and only headers are read of programs. The readers run side by side; the census
//! walks each of the closure's store paths once.

mod accounts;
mod binary_wrapper;
mod boot_files;
mod boot_images;
mod boot_target;
mod bootspec_files;
mod census;
mod commands;
mod generators;
mod header_walk;
mod idle_units;
mod installation;
mod links;
mod module_tree;
mod named_places;
mod needed_files;
mod nginx_needs;
mod pid_1;
mod programs;
mod run_time;
mod script_strangers;
pub(super) mod specifiers;
mod system_path;
mod system_tools;
#[cfg(test)]
mod tests;
mod tracer;
pub(super) mod udev_rules;
mod unit_set;
mod wrappers;

use std::collections::{BTreeMap, BTreeSet};

pub use accounts::Accounts;
pub use boot_files::{BootFiles, CutShort};
pub use boot_images::BootImage;
pub use bootspec_files::{BootspecFiles, Specialisation};
pub use census::{Census, ElfCounts};
pub use commands::Command;
pub use installation::{EfiLoader, Installation};
pub use links::DanglingLink;
pub use module_tree::{ModulePackage, ModuleTree};
pub use needed_files::NeededFile;
pub use nginx_needs::{Named, NginxNeeds, Upstream};
pub use programs::{Kind, Programs, Started};
pub use system_path::SystemPath;
pub use unit_set::{Unit, View};

use super::Closure;
use super::files::ClosureFiles;
use super::initrd::InitrdFiles;
use super::side_by_side::{self, Slot};
use tracer::Tracer;

/// What was found in the files of a closure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// By name; masked units are left out.
    pub units: BTreeMap<String, Unit>,
    /// Names of units that are systemd's own, which it finds after those.
    pub units_of_systemd: BTreeSet<String>,
    /// `None` where the closure does not say which there are.
    pub accounts: Option<Accounts>,
    pub boot: BootFiles,
    pub initrd: InitrdFiles,
    /// What is executed other than by a unit.
    pub programs: Programs,
    pub dangling: Vec<DanglingLink>,
    pub nginx: NginxNeeds,
    /// What all files of the closure are.
    pub census: Census,
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
    let (followed, dangling) = (Slot::empty(), Slot::empty());
    let read_followed = || followed.put(follow(files));
    let read_initrd = || {
        closure.initrd();
    };
    let read_links = || dangling.put(links::read(files));
    // The census is the one that any number of threads can share, and so comes last: it evens out what the others took.
    let walk = census::begin(closure);
    side_by_side::run(&[&read_initrd, &read_followed, &read_links], &|| {
        walk.work();
    });
    Survey {
        dangling: dangling.take(),
        census: census::finish(closure, walk),
        ..with_initrd(followed.take(), closure)
    }
}

/// A survey without what takes a look at every link or file: neither [`Survey::dangling`] nor [`Survey::census`]. It is enough
/// of a closure that another is held against.
pub fn outline(closure: &Closure) -> Survey {
    let files = ClosureFiles::new(closure);
    with_initrd(follow(files), closure)
}

fn with_initrd(mut survey: Survey, closure: &Closure) -> Survey {
    survey.initrd = match closure.initrd() {
        Ok(initrd) => initrd.programs.clone(),
        Err(error) => InitrdFiles {
            unreadable: Some(error.to_string()),
            ..InitrdFiles::default()
        },
    };
    let reasons = survey.initrd.unreadable.iter();
    let unreadable = reasons.map(|reason| ("initrd".to_owned(), reason.clone()));
    survey.unreadable.extend(unreadable);
    survey
}

/// What is found by following commands and the toplevel's files.
fn follow(files: ClosureFiles) -> Survey {
    let real = |name: &str| {
        let resolved = files.resolve(&files.in_toplevel(name)).ok()?;
        Some(resolved.logical)
    };
    let mut tracer = Tracer::new(files);
    let units = unit_set::read(files, &mut tracer);
    Survey {
        nginx: nginx_needs::read(files, &units.units),
        accounts: accounts::read(&files, &units.units),
        script_strangers: script_strangers::read(files, &units.units),
        units: units.units,
        units_of_systemd: units.of_systemd,
        boot: boot_files::read(files, &mut tracer),
        programs: programs::read(files, &mut tracer),
        systemd: real("systemd"),
        kernel_modules: real("kernel-modules"),
        unreadable: units.unreadable,
        ..Survey::default()
    }
}
