use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use super::elf::{self, ElfNeeds};
use crate::closure::files::ClosureFiles;
use crate::vocabulary::ElfClass;

/// A browser loads some two hundred libraries.
const MAX_LIBRARIES: usize = 1_024;
const MAX_NAMES: usize = 4;
/// Files that are looked for on behalf of one program: with hundreds of libraries in hundreds of directories some 50,000.
const MAX_LOOKUPS: usize = 500_000;
/// Bytes of a search path that one file hands on to those that it loads.
const MAX_SEARCH_PATH: usize = 256 << 10;
/// A directory (`PATH_MAX`).
const MAX_DIRECTORY: usize = 4096;
/// Stands for directories that are not known: it makes nothing certain.
const UNKNOWN: &str = "";

/// The ELF files of some root directory.
pub(in crate::closure) trait ElfFiles {
    /// What the headers of an ELF file say; `None` where they are damaged, or the file is none.
    fn needs(&mut self, path: &str) -> Option<Rc<ElfNeeds>>;
}

/// Finds the libraries of the closure's programs, each file read once.
pub(in crate::closure) struct Libraries<'a> {
    files: ClosureFiles<'a>,
    read: BTreeMap<String, Option<Rc<ElfNeeds>>>,
    missing: BTreeMap<String, Vec<String>>,
}

/// A file that the loader has mapped, with the `DT_RPATH`s of those that asked for it.
struct Loaded {
    directory: String,
    needs: Rc<ElfNeeds>,
    inherited: Vec<String>,
}

impl<'a> Libraries<'a> {
    pub(in crate::closure) fn new(files: ClosureFiles<'a>) -> Self {
        Self {
            files,
            read: BTreeMap::new(),
            missing: BTreeMap::new(),
        }
    }

    /// The first few libraries that the loader would not find for the program at a link-free path.
    pub(in crate::closure) fn missing(&mut self, program: &str) -> Vec<String> {
        if let Some(known) = self.missing.get(program) {
            return known.clone();
        }
        let missing = missing_libraries(self, program);
        self.missing.insert(program.to_owned(), missing.clone());
        missing
    }
}

impl ElfFiles for Libraries<'_> {
    fn needs(&mut self, logical: &str) -> Option<Rc<ElfNeeds>> {
        if let Some(known) = self.read.get(logical) {
            return known.clone();
        }
        let needs = self.files.header(logical, 64).ok().and_then(|header| {
            let file = self.files.open(logical).ok()?;
            elf::read(file, &header).ok().map(Rc::new)
        });
        self.read.insert(logical.to_owned(), needs.clone());
        needs
    }
}

/// The first few libraries that ld.so(8) would not find for the program at a link-free path.
pub(in crate::closure) fn missing_libraries(
    files: &mut dyn ElfFiles,
    program: &str,
) -> Vec<String> {
    Search { files }.missing(program).unwrap_or_default()
}

struct Search<'a> {
    files: &'a mut dyn ElfFiles,
}

impl Search<'_> {
    /// Loads breadth first, as the loader does; a name that is loaded already is not looked for again.
    fn missing(&mut self, program: &str) -> Option<Vec<String>> {
        let needs = self.files.needs(program)?;
        let loader = needs.interpreter.clone()?;
        let class = needs.class;
        let musl = file_name(&loader).starts_with("ld-musl");
        let mut names = BTreeSet::from([file_name(&loader).to_owned()]);
        if musl {
            // musl's loader is its C library.
            names.insert("libc.so".to_owned());
        }
        let defaults = [directory(&loader).to_owned()];
        let mut missing = Vec::new();
        let mut queue = VecDeque::from([Loaded {
            directory: directory(program).to_owned(),
            needs,
            inherited: Vec::new(),
        }]);
        let mut loaded = 0;
        let mut lookups = MAX_LOOKUPS;
        while let Some(user) = queue.pop_front() {
            let inherited = user.inherited(musl);
            let searched = user.search_path(&inherited, &defaults);
            for name in &user.needs.needed {
                if !names.insert(name.clone()) {
                    continue;
                }
                let Some((path, needs)) = self.find(name, &searched, class, &mut lookups) else {
                    if lookups == 0 {
                        return Some(Vec::new());
                    }
                    if is_certain(name, &searched) {
                        missing.push(name.clone());
                    }
                    if missing.len() == MAX_NAMES {
                        return Some(missing);
                    }
                    continue;
                };
                loaded += 1;
                if loaded > MAX_LIBRARIES {
                    return Some(missing);
                }
                names.extend(needs.soname.clone());
                queue.push_back(Loaded {
                    directory: directory(&path).to_owned(),
                    needs,
                    inherited: inherited.clone(),
                });
            }
        }
        Some(missing)
    }

    /// A library of another class is passed over, as the loader does.
    fn find(
        &mut self,
        name: &str,
        searched: &[String],
        class: ElfClass,
        lookups: &mut usize,
    ) -> Option<(String, Rc<ElfNeeds>)> {
        let mut at = |path: String| {
            *lookups = lookups.checked_sub(1)?;
            let needs = self.files.needs(&path)?;
            (needs.class == class).then_some((path, needs))
        };
        if name.contains('/') {
            return at(name.to_owned());
        }
        let mut directories = searched.iter();
        directories.find_map(|directory| at(format!("{directory}/{name}")))
    }
}

impl Loaded {
    /// `DT_RPATH` counts for what a file loads in turn, `DT_RUNPATH` does not; with musl both do.
    fn inherited(&self, musl: bool) -> Vec<String> {
        let needs = &self.needs;
        let mut own = self.expanded(&needs.rpath);
        if musl {
            own.extend(self.expanded(&needs.runpath));
        }
        own.extend(self.inherited.iter().cloned());
        let mut left = MAX_SEARCH_PATH;
        let fits = |directory: &&String| {
            left = left.saturating_sub(directory.len() + 1);
            left > 0
        };
        let kept = own.iter().take_while(fits).count();
        if kept < own.len() {
            own.truncate(kept);
            own.push(UNKNOWN.to_owned());
        }
        own
    }

    fn search_path(&self, inherited: &[String], defaults: &[String]) -> Vec<String> {
        let runpath = self.expanded(&self.needs.runpath);
        let mut path = Vec::new();
        // A file with a DT_RUNPATH ignores every DT_RPATH.
        if runpath.is_empty() {
            path.extend(inherited.iter().cloned());
        }
        path.extend(runpath);
        path.extend(defaults.iter().cloned());
        path
    }

    fn expanded(&self, directories: &[String]) -> Vec<String> {
        let expand = |dir: &String| {
            let grown = dir.matches('$').count() * self.directory.len();
            if dir.len() + grown > MAX_DIRECTORY {
                return UNKNOWN.to_owned();
            }
            dir.replace("${ORIGIN}", &self.directory)
                .replace("$ORIGIN", &self.directory)
        };
        directories.iter().map(expand).collect()
    }
}

/// Whether a library that was not found is missing on the machine too.
///
/// `/run/opengl-driver/lib` and the like are filled at run time, and glibc of nixpkgs has the directory of `libgcc_s` built in.
fn is_certain(name: &str, searched: &[String]) -> bool {
    let in_store = |dir: &String| dir.starts_with("/nix/store/");
    name != "libgcc_s.so.1" && searched.iter().all(in_store)
}

fn directory(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::{FakeClosure, dynamic_elf};

    fn missing(fake: &FakeClosure, program: &str) -> Vec<String> {
        let closure = fake.closure();
        Libraries::new(ClosureFiles::new(&closure)).missing(program)
    }

    #[test]
    fn a_search_beyond_all_bounds_calls_nothing_missing() {
        let fake = FakeClosure::new();
        let loader = fake.program("libc", "lib/ld.so", dynamic_elf("", &[], ""));
        let dirs: Vec<String> = (0..1_000)
            .map(|n| format!("{}/{n}", fake.store_path("libc")))
            .collect();
        let dirs = dirs.join(":");
        let names: Vec<String> = (0..300).map(|n| format!("lib{n}.so")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let few = fake.program("a", "bin/a", dynamic_elf(&loader, &names[..9], &dirs));
        assert_eq!(missing(&fake, &few).len(), MAX_NAMES);
        let origin = "$ORIGIN".repeat(30_000);
        let wild = fake.program("b", "bin/b", dynamic_elf(&loader, &names, &origin));
        assert_eq!(missing(&fake, &wild), [""; 0]);
    }
}
