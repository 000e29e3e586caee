use super::specifiers::expanded;
use crate::closure::files::ClosureFiles;
use crate::closure::unit_file::{UnitFile, split_words};

/// A file that systemd itself opens or enters before it executes a unit's program, and that no closure and no path of the store has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeededFile {
    /// `EnvironmentFile`, …
    pub key: &'static str,
    pub path: String,
}

/// Settings of systemd.exec(5) without which a program is not executed, and how each names its files.
const SETTINGS: &[(&str, Form)] = &[
    ("EnvironmentFile", Form::Path),
    ("LoadCredential", Form::Credential),
    ("LoadCredentialEncrypted", Form::Credential),
    ("BindReadOnlyPaths", Form::Binds),
    ("BindPaths", Form::Binds),
    ("WorkingDirectory", Form::LastPath),
];

/// Files of one setting: more than any unit names.
const MAX_FILES: usize = 200;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// The whole value; each assignment adds one.
    Path,
    /// The whole value; the last assignment counts.
    LastPath,
    /// `ID:PATH`
    Credential,
    /// Words of `SOURCE[:DESTINATION[:OPTIONS]]`
    Binds,
}

/// Those in the store that the closure does not have. A path after `-` may be missing; what only the machine knows of a path, and patterns,
/// are left out.
pub(super) fn missing(files: &ClosureFiles, unit: &str, file: &UnitFile) -> Vec<NeededFile> {
    let named = named(unit, file);
    named
        .into_iter()
        .filter(|needed| files.lacks(&needed.path))
        .collect()
}

/// Environment files below `/etc` that the closure's `etc` does not have: people may put them there.
pub(super) fn of_people(files: &ClosureFiles, unit: &str, file: &UnitFile) -> Vec<String> {
    let named = named(unit, file);
    named
        .into_iter()
        .filter(|needed| needed.key == "EnvironmentFile" && needed.path.starts_with("/etc/"))
        .map(|needed| needed.path)
        .filter(|path| !path.contains(['*', '?', '[']) && !files.is_there(path))
        .collect()
}

fn named(unit: &str, file: &UnitFile) -> Vec<NeededFile> {
    let mut needed = Vec::new();
    for (key, form) in SETTINGS {
        let mut values = file.list("Service", key);
        if *form == Form::LastPath {
            values = values.pop().into_iter().collect();
        }
        let paths = values.into_iter().flat_map(|value| match form {
            Form::Path | Form::LastPath => vec![value.to_owned()],
            Form::Credential => credential(file, value).into_iter().collect(),
            Form::Binds => split_words(value)
                .iter()
                .filter_map(|word| word.split(':').next())
                .map(str::to_owned)
                .collect(),
        });
        let paths = paths
            .filter(|path| path.starts_with('/'))
            .filter_map(|path| expanded(&path, unit));
        needed.extend(paths.map(|path| NeededFile { key, path }).take(MAX_FILES));
    }
    needed
}

/// The path of a credential; `None` where `SetCredential=` has what counts when it is missing.
fn credential(file: &UnitFile, value: &str) -> Option<String> {
    let (id, path) = value.split_once(':')?;
    let is_set = ["SetCredential", "SetCredentialEncrypted"]
        .iter()
        .flat_map(|key| file.list("Service", key))
        .any(|set| set.split_once(':').is_some_and(|(set, _)| set == id));
    (!is_set).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::FakeClosure;

    fn keys(fake: &FakeClosure, text: &str) -> Vec<&'static str> {
        let closure = fake.closure();
        let mut file = UnitFile::default();
        file.add(text);
        let missing = missing(&ClosureFiles::new(&closure), "a@i.service", &file);
        missing.into_iter().map(|needed| needed.key).collect()
    }

    #[test]
    fn what_systemd_opens_and_the_closure_lacks_is_found() {
        let fake = FakeClosure::new();
        fake.store_file("x", "there", "");
        let x = fake.path_of("x", "");
        let text = format!(
            "[Service]\nEnvironmentFile={x}%i\nLoadCredential=a:{x}gone\nBindReadOnlyPaths={x}there {x}gone:/x:norbind\n\
             WorkingDirectory={x}gone\nEnvironmentFile=/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-gone\n"
        );
        assert_eq!(
            keys(&fake, &text),
            [
                "EnvironmentFile",
                "EnvironmentFile",
                "LoadCredential",
                "BindReadOnlyPaths",
                "WorkingDirectory"
            ]
        );
    }

    #[test]
    fn what_may_be_missing_or_is_elsewhere_is_silent() {
        let fake = FakeClosure::new();
        fake.store_file("x", "there", "");
        fake.link("x", "state", "/etc/secret");
        let x = fake.path_of("x", "");
        let text = format!(
            "[Service]\nEnvironmentFile=-{x}gone\nEnvironmentFile={x}there\nEnvironmentFile={x}state\nEnvironmentFile={x}*.conf\n\
             EnvironmentFile={x}%H\nEnvironmentFile=/run/secrets/a\nLoadCredential=a:{x}gone\nSetCredential=a:x\nLoadCredential=b\n\
             BindPaths=/nix/store -{x}gone:/a \"{x}there:/a b\"\nWorkingDirectory={x}gone\nWorkingDirectory=-{x}gone\n"
        );
        assert_eq!(keys(&fake, &text), [""; 0]);
        let text = format!("[Service]\nEnvironmentFile={x}gone\nEnvironmentFile=\n");
        assert_eq!(keys(&fake, &text), [""; 0]);
    }

    #[test]
    fn an_environment_file_below_etc_may_be_put_there() {
        let fake = FakeClosure::new();
        fake.file("etc/there", "");
        let closure = fake.closure();
        let mut file = UnitFile::default();
        file.add("[Service]\nEnvironmentFile=/etc/there\nEnvironmentFile=/etc/gone\nEnvironmentFile=-/etc/other\n");
        let files = ClosureFiles::new(&closure);
        assert_eq!(of_people(&files, "a.service", &file), ["/etc/gone"]);
    }
}
