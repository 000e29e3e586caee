use std::collections::BTreeSet;

use super::system_path::{self, SystemPath};
use super::tracer::Tracer;
use super::{generators, system_tools, udev_rules};
use crate::closure::execution::hop::Hop;
use crate::closure::files::ClosureFiles;

/// Programs that something other than a unit's `Exec…=` starts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Programs {
    pub started: Vec<Started>,
    pub system_path: SystemPath,
    /// Paths of the store that scripts of the toplevel name and the closure does not contain: the script, then a few of the paths.
    pub strangers: Vec<(String, Vec<String>)>,
    /// The toplevel has no `activate`, although its `init` runs it.
    pub lacks_activate: bool,
}

/// One of them, followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    pub kind: Kind,
    /// What it is called where it is started: a file's name, or the line of a rule.
    pub name: String,
    pub hops: Vec<Hop>,
}

/// Who starts a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// systemd, when it loads units (systemd.generator(7)).
    Generator,
    /// systemd, for the environment of units (systemd.environment-generator(7)).
    EnvironmentGenerator,
    /// systemd-shutdown(8), after all units have stopped.
    Shutdown,
    /// udev, when a rule applies to a device.
    Udev,
    /// Whoever runs a program of `/run/wrappers/bin`.
    Wrapper,
    /// The deploy tool, under the kernel that runs then; stage 2 runs some of them too.
    Toplevel,
}

pub(super) fn read(files: ClosureFiles, tracer: &mut Tracer) -> Programs {
    let mut started = generators::read(files, tracer);
    started.extend(udev_rules::read(files, tracer));
    started.extend(wrappers(tracer));
    started.extend(system_tools::read(files, tracer));
    Programs {
        started,
        system_path: system_path::read(files),
        strangers: system_tools::strangers(files),
        lacks_activate: system_tools::lacks_activate(files),
    }
}

fn wrappers(tracer: &mut Tracer) -> Vec<Started> {
    let paths: BTreeSet<String> = tracer.run_time().wrappers.keys().cloned().collect();
    paths
        .into_iter()
        .map(|path| Started {
            kind: Kind::Wrapper,
            hops: tracer.trace(&path, false).hops,
            name: path.rsplit('/').next().unwrap_or_default().to_owned(),
        })
        .collect()
}
