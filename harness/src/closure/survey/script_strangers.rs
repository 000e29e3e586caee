use std::collections::{BTreeMap, BTreeSet};

use super::unit_set::Unit;
use crate::closure::files::ClosureFiles;
use crate::closure::mentions;
use crate::vocabulary::StorePath;

/// A larger file is no start script.
const MAX_SCRIPT: u64 = 1 << 20;
/// Scripts that are read: more than any closure's units start.
const MAX_SCRIPTS: usize = 5_000;
/// Paths that are told of one script.
const MAX_TOLD: usize = 10;

/// For each unit with a script that names store paths which the closure does not contain: the script, and the paths.
pub(super) fn read(
    files: ClosureFiles,
    units: &BTreeMap<String, Unit>,
) -> BTreeMap<String, (String, Vec<String>)> {
    let mut by_script: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut found = BTreeMap::new();
    for (name, unit) in units {
        for hop in unit.commands.iter().flat_map(|command| &command.hops) {
            let script = hop.path.as_str();
            if !by_script.contains_key(script) && by_script.len() < MAX_SCRIPTS {
                by_script.insert(script, strangers(&files, script));
            }
            if let Some(paths) = by_script.get(script).filter(|paths| !paths.is_empty()) {
                found
                    .entry(name.clone())
                    .or_insert_with(|| (script.to_owned(), paths.clone()));
            }
        }
    }
    found
}

/// What a script's lines name, its comments left out; of a program nothing.
pub(super) fn strangers(files: &ClosureFiles, script: &str) -> Vec<String> {
    if !files.header(script, 2).is_ok_and(|start| start == b"#!") {
        return Vec::new();
    }
    let Ok(bytes) = files.read(script, MAX_SCRIPT) else {
        return Vec::new();
    };
    let is_comment = |line: &&[u8]| line.trim_ascii_start().starts_with(b"#");
    let lines = bytes.split(|byte| *byte == b'\n').skip(1);
    let named: BTreeSet<StorePath> = lines
        .filter(|line| !is_comment(line))
        .flat_map(mentions::in_bytes)
        .flat_map(|mention| mentions::store_paths(&mention.path))
        .filter(|path| !files.closure().contains(path))
        .collect();
    let named = named.into_iter().take(MAX_TOLD);
    named.map(|path| path.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::survey;
    use crate::closure::testing::{FakeClosure, elf};
    use crate::vocabulary::ElfClass;

    #[test]
    fn paths_that_a_script_names_and_the_closure_lacks_are_found() {
        let fake = FakeClosure::new();
        let shell = fake.program("bash", "bin/bash", elf(ElfClass::X86_64));
        let gone = "/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-gone";
        let nuked = "/nix/store/eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee-nuked/bin";
        let text = format!(
            "#!{shell}\n# see {gone}x/why\nexport PATH={shell}:{nuked}:{gone}/bin\ncat /nix/store/$x-y /nix/store/*\n"
        );
        let script = fake.program("start", "bin/start", text);
        let unit = format!("[Service]\nExecStart={script}\n");
        fake.file("etc/systemd/system/a.service", unit);
        let unit = format!("[Service]\nExecStart={shell}\n");
        fake.file("etc/systemd/system/b.service", unit);
        let found = survey(&fake.closure()).script_strangers;
        let expected = (script, vec![gone.to_owned()]);
        assert_eq!(found, BTreeMap::from([("a.service".to_owned(), expected)]));
    }
}
