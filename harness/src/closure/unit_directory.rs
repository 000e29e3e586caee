use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use super::files::{ClosureFiles, FileError};
use super::unit_file::UnitFile;
use super::units::{UNIT_DIRECTORY, template_of};

/// A unit or drop-in; the largest in practice, with an environment of hundreds of variables, have some 100 kB.
const TEXT_LIMIT: u64 = 1 << 20;
/// What all units together may take, in bytes; a desktop's take some 3 MB. Links may give one file any number of names.
const TOTAL_LIMIT: usize = 128 << 20;
/// What an assignment takes beside its text.
const ASSIGNMENT: usize = 100;

/// The directory that NixOS fills with units, listed once: few units have drop-ins, and none is looked for that is not there.
pub(super) struct UnitDirectory<'a> {
    files: ClosureFiles<'a>,
    drop_ins: BTreeSet<String>,
    left: Cell<usize>,
}

impl<'a> UnitDirectory<'a> {
    pub(super) fn new(files: ClosureFiles<'a>) -> Self {
        let names = files.list(UNIT_DIRECTORY).unwrap_or_default();
        Self {
            files,
            drop_ins: names.into_iter().filter(|n| n.ends_with(".d")).collect(),
            left: Cell::new(TOTAL_LIMIT),
        }
    }

    /// Reads a unit and its drop-ins; `None` where it is masked.
    ///
    /// # Errors
    /// When the unit or a drop-in cannot be read.
    pub(super) fn load(&self, name: &str) -> Result<Option<UnitFile>, FileError> {
        let path = format!("{UNIT_DIRECTORY}/{name}");
        let mut unit = UnitFile::default();
        match self.text(&path) {
            Ok(text) => unit.add(&text),
            Err(FileError::NullDevice) => return Ok(None),
            // An instance that is only wanted has its template's file.
            Err(FileError::Missing(_)) if template_of(name).is_some() => {
                let template = template_of(name).unwrap_or_default();
                unit.add(&self.text(&format!("{UNIT_DIRECTORY}/{template}"))?);
            }
            Err(error) => return Err(error),
        }
        for path in self.drop_ins_of(name).into_values() {
            match self.text(&path) {
                Ok(text) => unit.add(&text),
                Err(FileError::NullDevice) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Some(unit))
    }

    /// The text of a unit or drop-in, as long as all of them together do not take too much memory.
    fn text(&self, path: &str) -> Result<String, FileError> {
        let bytes = self.files.read(path, TEXT_LIMIT)?;
        let text = String::from_utf8(bytes).map_err(|_| FileError::NotText(path.to_owned()))?;
        let lines = memchr::memchr_iter(b'\n', text.as_bytes()).count();
        let weight = text.len() + lines * ASSIGNMENT;
        let left = self.left.get().checked_sub(weight);
        self.left.set(left.unwrap_or(0));
        match left {
            Some(_) => Ok(text),
            None => Err(FileError::Format {
                path: path.to_owned(),
                reason: "the units are too large together".to_owned(),
            }),
        }
    }

    /// The drop-ins of a unit by their names, which decide over the order whatever the directory; of two with one name that of the more
    /// special directory counts (systemd.unit(5)).
    fn drop_ins_of(&self, name: &str) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for directory in directories(name) {
            if !self.drop_ins.contains(&directory) {
                continue;
            }
            let directory = format!("{UNIT_DIRECTORY}/{directory}");
            let names = self.files.list(&directory).unwrap_or_default();
            for name in names.into_iter().filter(|name| name.ends_with(".conf")) {
                let path = format!("{directory}/{name}");
                found.entry(name).or_insert(path);
            }
        }
        found
    }
}

/// The directories of drop-ins, the most special one first: a unit's own, its template's, those of its prefixes (`foo-.service.d` for
/// `foo-bar.service`), and that of its kind (`service.d`).
fn directories(name: &str) -> Vec<String> {
    let Some((stem, kind)) = name.rsplit_once('.') else {
        return vec![format!("{name}.d")];
    };
    let (prefix, instance) = match stem.split_once('@') {
        Some((prefix, instance)) => (prefix, Some(instance)),
        None => (stem, None),
    };
    let mut directories = Vec::new();
    let mut add = |prefix: &str| match instance {
        None => directories.push(format!("{prefix}.{kind}.d")),
        Some(instance) => {
            directories.push(format!("{prefix}@{instance}.{kind}.d"));
            directories.push(format!("{prefix}@.{kind}.d"));
        }
    };
    add(prefix);
    let dashes = prefix.match_indices('-').map(|(at, _)| at);
    for at in dashes.collect::<Vec<_>>().into_iter().rev() {
        if at > 0 && at + 1 < prefix.len() {
            add(&prefix[..=at]);
        }
    }
    directories.push(format!("{kind}.d"));
    directories.dedup();
    directories
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::FakeClosure;

    #[test]
    fn prefixes_templates_and_kinds_have_drop_ins_too() {
        assert_eq!(
            directories("a-b-c@x.service"),
            [
                "a-b-c@x.service.d",
                "a-b-c@.service.d",
                "a-b-@x.service.d",
                "a-b-@.service.d",
                "a-@x.service.d",
                "a-@.service.d",
                "service.d",
            ]
        );
        assert_eq!(directories("-.mount"), ["-.mount.d", "mount.d"]);
        assert_eq!(directories("t@.timer"), ["t@.timer.d", "timer.d"]);
    }

    #[test]
    fn names_of_drop_ins_decide_over_the_order() {
        let fake = FakeClosure::new();
        let file = |below: &str, value: &str| {
            let text = format!("[Service]\nEnvironment={value}\n");
            fake.file(&format!("etc/systemd/system/{below}"), text);
        };
        file("a-b.service", "unit");
        file("service.d/50-all.conf", "kind");
        file("service.d/10-same.conf", "hidden");
        file("a-.service.d/90-last.conf", "prefix");
        file("a-b.service.d/10-same.conf", "own");
        let masked = "etc/systemd/system/a-b.service.d/50-all.conf";
        let read = || {
            let closure = fake.closure();
            let unit = UnitDirectory::new(ClosureFiles::new(&closure)).load("a-b.service");
            let unit = unit.unwrap().unwrap();
            let values = unit.list("Service", "Environment");
            values.into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(read(), ["unit", "own", "kind", "prefix"]);
        fake.link("toplevel", masked, "/dev/null");
        assert_eq!(read(), ["unit", "own", "prefix"]);
    }
}
