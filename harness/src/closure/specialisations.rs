use std::fs;

use super::initrd::KnownInitrd;
use super::path_walk::KnownDirectories;
use super::{Closure, Source};
use crate::vocabulary::StorePath;

/// The specialisations of a toplevel, by name: `TOPLEVEL/specialisation/NAME` is a link to the toplevel of each (NixOS'
/// `system/activation/specialisation.nix`). `None` for what is no link to a store path.
pub fn specialisations(source: &Source, toplevel: &StorePath) -> Vec<(String, Option<StorePath>)> {
    let directory = source.host_path(toplevel).join("specialisation");
    let entries = fs::read_dir(&directory).into_iter().flatten().flatten();
    let mut all: Vec<(String, Option<StorePath>)> = entries
        .map(|entry| {
            let target = fs::read_link(entry.path()).ok();
            let path = target.and_then(|target| StorePath::parse(target.to_str()?).ok());
            (entry.file_name().to_string_lossy().into_owned(), path)
        })
        .collect();
    all.sort();
    all
}

impl Closure {
    /// The same store paths, looked at from another toplevel among them.
    #[must_use]
    pub fn seen_from(&self, toplevel: StorePath) -> Self {
        Self {
            toplevel,
            known: KnownDirectories::default(),
            initrd: KnownInitrd::default(),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::read_facts;
    use crate::closure::testing::FakeClosure;

    #[test]
    fn each_is_a_link_to_a_toplevel_with_facts_of_its_own() {
        let fake = FakeClosure::new();
        fake.file("kernel-params", "quiet");
        fake.store_file("gaming", "kernel-params", "loglevel=7");
        let gaming = fake.store_path("gaming");
        fake.link("toplevel", "specialisation/gaming", gaming.as_str());
        fake.file("specialisation/README", "");
        let closure = fake.closure();
        let all = specialisations(&closure.source, &closure.toplevel);
        let names = [
            ("README".to_owned(), None),
            ("gaming".to_owned(), Some(gaming.clone())),
        ];
        assert_eq!(all, names);
        let facts = read_facts(&closure.seen_from(gaming.clone())).unwrap();
        assert_eq!(
            (facts.toplevel, facts.kernel_params),
            (gaming, vec!["loglevel=7".to_owned()])
        );
        assert_eq!(read_facts(&closure).unwrap().kernel_params, ["quiet"]);
    }

    #[test]
    fn a_toplevel_without_the_directory_has_none() {
        let closure = FakeClosure::new().closure();
        assert_eq!(specialisations(&closure.source, &closure.toplevel), []);
    }
}
