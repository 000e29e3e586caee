use super::programs::{Kind, Started};
use super::script_strangers;
use super::tracer::Tracer;
use crate::closure::files::ClosureFiles;

/// What a deploy tool or stage 1 executes of a toplevel; `init` is the boot path's. Which of them there are depends on the release and on
/// `system.switch.enable`, `system.activatable` and the kind of stage 1.
const TOOLS: &[&str] = &[
    "activate",
    "dry-activate",
    "prepare-root",
    "bin/switch-to-configuration",
];
const SCRIPTS: &[&str] = &[
    "activate",
    "init",
    "prepare-root",
    "bin/switch-to-configuration",
];

/// Follows those that are there.
pub(super) fn read(files: ClosureFiles, tracer: &mut Tracer) -> Vec<Started> {
    TOOLS
        .iter()
        .map(|name| (*name, files.in_toplevel(name)))
        .filter(|(_, path)| !is_absent(&files, path))
        .map(|(name, path)| Started {
            kind: Kind::Toplevel,
            name: name.to_owned(),
            hops: tracer.trace(&path, false).hops,
        })
        .collect()
}

/// Not even a link is there.
fn is_absent(files: &ClosureFiles, path: &str) -> bool {
    let (directory, name) = path.rsplit_once('/').unwrap_or_default();
    match files.resolve(directory) {
        Ok(directory) => directory.host.join(name).symlink_metadata().is_err(),
        Err(_) => true,
    }
}

/// Paths of the store that their texts name and the closure does not contain: the script, then a few of the paths.
pub(super) fn strangers(files: ClosureFiles) -> Vec<(String, Vec<String>)> {
    SCRIPTS
        .iter()
        .map(|name| {
            (
                (*name).to_owned(),
                script_strangers::strangers(&files, &files.in_toplevel(name)),
            )
        })
        .filter(|(_, paths)| !paths.is_empty())
        .collect()
}

/// Stage 2 runs `$systemConfig/activate`, and a script that does so needs it. A toplevel without one may be activated by other means.
pub(super) fn lacks_activate(files: ClosureFiles) -> bool {
    let path = files.in_toplevel("activate");
    let runs_it = |name: &&str| {
        files
            .text(&files.in_toplevel(name))
            .is_ok_and(|text| text.lines().any(|line| is_activation(line.trim(), &path)))
    };
    is_absent(&files, &path) && ["init", "prepare-root"].iter().any(runs_it)
}

/// `$systemConfig/activate` as a command of its own, quoted or not.
fn is_activation(line: &str, path: &str) -> bool {
    let command = line.replace('"', "");
    command == "$systemConfig/activate" || command == path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::{FakeClosure, elf};
    use crate::vocabulary::ElfClass;

    #[test]
    fn the_tools_that_are_there_are_followed() {
        let fake = FakeClosure::new();
        let bash = fake.program("bash", "bin/bash", elf(ElfClass::X86_64));
        let ng = fake.program("ng", "bin/switch", elf(ElfClass::I386));
        let gone = "/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-gone";
        let script = format!("#!{bash}\nexport SYSTEMD='{gone}'\nexec {ng} \"$@\"\n");
        fake.program("toplevel", "bin/switch-to-configuration", script);
        fake.link("toplevel", "activate", "broken");
        fake.file("init", format!("#!{bash}\n$systemConfig/activate\n"));
        let closure = fake.closure();
        let files = ClosureFiles::new(&closure);
        let started = read(files, &mut Tracer::new(files));
        let names: Vec<_> = started.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, ["activate", "bin/switch-to-configuration"]);
        assert_eq!(started[1].hops[2].class, Some(ElfClass::I386));
        let expected = (
            "bin/switch-to-configuration".to_owned(),
            vec![gone.to_owned()],
        );
        assert_eq!(strangers(files), [expected]);
        assert!(!lacks_activate(files));
        fake.remove("activate");
        assert!(lacks_activate(files));
    }
}
