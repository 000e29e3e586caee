//! The store in the guest against the host's: the size and the content of every file of both closures, and where every link leads.
//!
//! The guest prints what it has, by find(1) and cksum(1); what is to be there is read on the host, once. A size and a sum of 32 bits tell
//! what a disk lost; they are no defence against somebody who means to deceive.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::cksum::cksum;
use super::run::Closures;
use crate::vocabulary::{DamagedPath, STORE_DIR};

/// The files and links of a store path, by their path below it: empty for a store path that is a file itself.
type Files = BTreeMap<String, Content>;

/// What the guest's store has to hold, by `<hash>-<name>`.
#[derive(Debug, Default)]
pub(super) struct StoreFiles {
    paths: BTreeMap<String, Files>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    File { sum: u32, bytes: u64 },
    Link(String),
}

impl StoreFiles {
    /// Reads the closures on the host.
    ///
    /// # Errors
    /// When a file of theirs cannot be read, with its store path.
    pub(super) fn read(closures: &Closures) -> io::Result<Self> {
        let mut paths = BTreeMap::new();
        for (place, name) in &closures.store_paths {
            let mut files = Files::new();
            add(place, String::new(), &mut files).map_err(|error| {
                io::Error::new(error.kind(), format!("{}: {error}", place.display()))
            })?;
            paths.insert(name.clone(), files);
        }
        Ok(Self { paths })
    }

    /// Files and links.
    pub(super) fn count(&self) -> u64 {
        self.paths.values().map(|files| files.len() as u64).sum()
    }

    /// Links as `link TARGET PATH` with tabs between, files as cksum(1) prints them.
    pub(super) fn question(&self) -> String {
        let names: Vec<&str> = self.paths.keys().map(String::as_str).collect();
        format!(
            "cd {STORE_DIR} || exit 1
{{
find {paths} -type l -printf 'link\\t%l\\t%p\\n'
find {paths} -type f -print0 | xargs -0 -r cksum
}} 2>/dev/null
true",
            paths = names.join(" ")
        )
    }

    /// What differs, by store path. Where the guest's find(1) tells no link at all, links are not compared.
    pub(super) fn damaged(
        &self,
        has: &BTreeMap<String, Content>,
        closures: &Closures,
    ) -> Vec<DamagedPath> {
        let tells_links = has.values().any(|c| matches!(c, Content::Link(_)));
        let mut all = Vec::new();
        for (name, files) in &self.paths {
            let mut wrong = files.iter().filter_map(|(below, must)| {
                if matches!(must, Content::Link(_)) && !tells_links {
                    return None;
                }
                let path = match below.as_str() {
                    "" => name.clone(),
                    below => format!("{name}/{below}"),
                };
                let told = difference(must, has.get(&path))?;
                Some(if below.is_empty() {
                    told
                } else {
                    format!("{below}: {told}")
                })
            });
            let Some(first) = wrong.next() else { continue };
            all.push(DamagedPath {
                path: name.clone(),
                of_baseline: closures.of_installed.contains(name),
                of_candidate: closures.of_candidate.contains(name),
                files: 1 + wrong.count() as u64,
                first,
                valid: None,
            });
        }
        all
    }
}

fn add(place: &Path, below: String, files: &mut Files) -> io::Result<()> {
    let metadata = fs::symlink_metadata(place)?;
    if metadata.is_dir() {
        for entry in fs::read_dir(place)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let below = match below.as_str() {
                "" => name,
                below => format!("{below}/{name}"),
            };
            add(&entry.path(), below, files)?;
        }
        return Ok(());
    }
    let content = if metadata.is_symlink() {
        Content::Link(fs::read_link(place)?.to_string_lossy().into_owned())
    } else {
        let (sum, bytes) = cksum(File::open(place)?)?;
        Content::File { sum, bytes }
    };
    // A list of lines cannot tell such a name.
    if !below.contains(|c: char| c.is_control()) {
        files.insert(below, content);
    }
    Ok(())
}

/// What the guest has, by its path below the store.
pub(super) fn read(output: &str) -> BTreeMap<String, Content> {
    output.lines().filter_map(of_line).collect()
}

fn of_line(line: &str) -> Option<(String, Content)> {
    if let Some(link) = line.strip_prefix("link\t") {
        let (target, path) = link.split_once('\t')?;
        return Some((path.to_owned(), Content::Link(target.to_owned())));
    }
    // Some versions write a line with a name that has a backslash with another one in front, and each of the name's doubled.
    let (line, is_escaped) = match line.strip_prefix('\\') {
        Some(line) => (line, true),
        None => (line, false),
    };
    let (sum, rest) = line.split_once(' ')?;
    let (bytes, path) = rest.split_once(' ')?;
    let path = match is_escaped {
        true => path.replace("\\\\", "\\"),
        false => path.to_owned(),
    };
    let content = Content::File {
        sum: sum.parse().ok()?,
        bytes: bytes.parse().ok()?,
    };
    Some((path, content))
}

/// What the guest has instead of what it must have; `None` where it has that.
fn difference(must: &Content, has: Option<&Content>) -> Option<String> {
    match (must, has) {
        (must, Some(has)) if must == has => None,
        (_, None) => Some("it is not there".to_owned()),
        (Content::File { bytes: must, .. }, Some(Content::File { bytes, .. })) => {
            Some(if bytes == must {
                format!("other content in its {bytes} bytes")
            } else {
                format!("{bytes} bytes, not {must}")
            })
        }
        (Content::File { .. }, Some(Content::Link(_))) => Some("a link, not a file".to_owned()),
        (Content::Link(_), Some(Content::File { .. })) => Some("a file, not a link".to_owned()),
        (Content::Link(must), Some(Content::Link(target))) => {
            Some(format!("it leads to `{target}`, not to `{must}`"))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;
    use std::process::Command;

    use super::*;
    use crate::rehearsal::KernelFiles;

    fn closures(store: &Path, names: &[&str]) -> Closures {
        let kernel = || KernelFiles {
            kernel: PathBuf::new(),
            initrd: PathBuf::new(),
        };
        Closures {
            store_paths: names
                .iter()
                .map(|name| (store.join(name), (*name).to_owned()))
                .collect(),
            of_installed: [names[0].to_owned()].into(),
            of_candidate: names.iter().map(|name| (*name).to_owned()).collect(),
            registration: String::new(),
            installed: kernel(),
            candidate: kernel(),
            seeds: Vec::new(),
        }
    }

    fn store() -> tempfile::TempDir {
        let store = tempfile::tempdir().unwrap();
        let place = |name: &str| store.path().join(name);
        fs::create_dir_all(place("a-units/deep")).unwrap();
        fs::write(place("a-units/deep/dev-x\\x2dy.swap"), "swap").unwrap();
        fs::write(place("a-units/two words"), "words").unwrap();
        fs::write(place("a-units/empty"), "").unwrap();
        symlink("/nix/store/b-file", place("a-units/link")).unwrap();
        fs::write(place("b-file"), "alone").unwrap();
        store
    }

    /// What the store says that stands in `place`, asked as the guest is.
    fn asked(files: &StoreFiles, place: &Path) -> BTreeMap<String, Content> {
        let question = files.question().replace(STORE_DIR, place.to_str().unwrap());
        let output = Command::new("sh").arg("-c").arg(question).output().unwrap();
        read(&String::from_utf8(output.stdout).unwrap())
    }

    #[test]
    fn a_store_that_is_whole_differs_in_nothing() {
        let store = store();
        let closures = closures(store.path(), &["a-units", "b-file"]);
        let files = StoreFiles::read(&closures).unwrap();
        let has = asked(&files, store.path());
        assert_eq!(has.len(), 5);
        assert_eq!(files.damaged(&has, &closures), []);
    }

    #[test]
    fn what_a_power_cut_leaves_of_a_store_is_told_by_path() {
        let good = store();
        let closures = closures(good.path(), &["a-units", "b-file"]);
        let files = StoreFiles::read(&closures).unwrap();
        let bad = store();
        fs::write(bad.path().join("a-units/two words"), "").unwrap();
        fs::remove_file(bad.path().join("a-units/link")).unwrap();
        symlink("elsewhere", bad.path().join("a-units/link")).unwrap();
        fs::write(bad.path().join("b-file"), "\0\0\0\0\0").unwrap();
        let damaged = files.damaged(&asked(&files, bad.path()), &closures);
        let told: Vec<_> = damaged
            .iter()
            .map(|d| (d.path.as_str(), d.files, d.first.as_str(), d.of_baseline))
            .collect();
        assert_eq!(
            told,
            [
                (
                    "a-units",
                    2,
                    "link: it leads to `elsewhere`, not to `/nix/store/b-file`",
                    true
                ),
                ("b-file", 1, "other content in its 5 bytes", false),
            ]
        );
        fs::remove_dir_all(bad.path().join("a-units")).unwrap();
        let damaged = files.damaged(&asked(&files, bad.path()), &closures);
        // No link is told any more, so that none counts.
        assert_eq!(damaged[0].files, 3);
        assert!(damaged[0].first.ends_with("it is not there"));
    }

    #[test]
    fn lines_that_are_none_say_nothing() {
        for line in ["", "link\tx", "1 2", "x 2 a", "1 -2 a", "99999999999 1 a"] {
            assert_eq!(of_line(line), None, "{line}");
        }
        assert_eq!(
            of_line("\\1 2 a\\\\b").unwrap().0,
            of_line("1 2 a\\b").unwrap().0
        );
    }
}
