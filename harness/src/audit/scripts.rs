//! The scripts that the machine's `sh` is given. They need coreutils and `systemctl`, and write nothing.

use crate::fold;
use crate::next_boot;
use crate::shell::{asking, quoted};

const MACHINE: &str = include_str!("scripts/machine.sh");
const TOPLEVEL: &str = include_str!("scripts/toplevel.sh");
const UNITS: &str = include_str!("scripts/units.sh");
const PROGRAM: &str = include_str!("scripts/program.sh");

/// What is asked first: what runs, and what the bootloader has.
pub(super) fn of_machine(mark: &str) -> String {
    let boot = next_boot::QUESTIONS;
    asking(mark, &format!("{boot}{MACHINE}{}", sample("units-first")))
}

/// Toplevels, the services of one of them, and what a boot entry loads.
pub(super) fn of_toplevels(
    mark: &str,
    toplevels: &[&str],
    with_units: Option<&str>,
    boot_files: &[String],
) -> String {
    let mut body = String::new();
    for toplevel in toplevels {
        body.push_str(&format!("toplevel={}\n{TOPLEVEL}", quoted(toplevel)));
    }
    if let Some(toplevel) = with_units {
        body.push_str(&format!("toplevel={}\n{UNITS}", quoted(toplevel)));
    }
    for file in boot_files {
        let name = |kind: &str| quoted(&format!("{kind} {file}"));
        let path = quoted(file);
        body.push_str(&format!(
            "size {} {path}\nbytes {} {path} 33280\n",
            name("size"),
            name("loaded")
        ));
        if let Some((directory, _)) = file.rsplit_once('/') {
            let name = quoted(&format!("directory {directory}"));
            let directory = quoted(directory);
            body.push_str(&format!(
                "open {name}; if [ -d \"$root\"{directory} ]; then shut 0; else shut absent; fi\n"
            ));
        }
    }
    asking(mark, &body)
}

/// The headers of programs, and the state of all units once more.
pub(super) fn of_programs(mark: &str, programs: &[String], with_sample: bool) -> String {
    let mut body = PROGRAM.to_owned();
    for program in programs {
        body.push_str(&format!("program {}\n", quoted(program)));
    }
    if with_sample {
        body.push_str(&sample("units-last"));
    }
    asking(mark, &body)
}

fn sample(name: &str) -> String {
    let properties = fold::PROPERTIES.join(",");
    format!("of {name} timeout 60 systemctl show --all --no-pager --property={properties} '*'\n")
}
