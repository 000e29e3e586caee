use std::collections::BTreeMap;

use super::files::ClosureFiles;

/// `modules.alias` of a distribution's kernel is about 1 MB, `modules.builtin.modinfo` 100 kB.
const INDEX_LIMIT: u64 = 64 << 20;

/// The modules behind the names that file systems have in fstab(5): `iso9660` is mounted by `isofs`.
///
/// A file system's module declares `fs-NAME` as its alias. depmod(8) collects the aliases of loadable modules in `modules.alias`, the
/// kernel's build those of built-in ones in `modules.builtin.modinfo` (since Linux 5.2). Of several modules the last one read counts.
pub(super) fn read(files: &ClosureFiles, modules: &str) -> BTreeMap<String, String> {
    let text = |name: &str| {
        let bytes = files.read(&format!("{modules}/{name}"), INDEX_LIMIT);
        String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
    };
    let mut names = of_builtin(&text("modules.builtin.modinfo"));
    names.extend(of_aliases(&text("modules.alias")));
    names
}

/// Lines such as `alias fs-iso9660 isofs`.
fn of_aliases(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter_map(|line| line.strip_prefix("alias fs-")?.split_once(' '))
        .map(|(name, module)| (name.to_owned(), module.trim().replace('-', "_")))
        .collect()
}

/// Entries such as `isofs.alias=fs-iso9660`, each ended by a NUL.
fn of_builtin(text: &str) -> BTreeMap<String, String> {
    text.split('\0')
        .filter_map(|entry| entry.split_once(".alias=fs-"))
        .map(|(module, name)| (name.to_owned(), module.replace('-', "_")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::FakeClosure;

    #[test]
    fn aliases_of_loadable_and_built_in_modules_are_read() {
        let fake = FakeClosure::new();
        let dir = fake.path_of("modules", "lib");
        let aliases = "# Aliases\nalias fs-iso9660 isofs\nalias pci:v00008086 e1000\n";
        fake.store_file("modules", "lib/modules.alias", aliases);
        let builtin = "ext4.license=GPL\0ext4.alias=fs-ext3\0";
        fake.store_file("modules", "lib/modules.builtin.modinfo", builtin);
        let closure = fake.closure();
        let names = read(&ClosureFiles::new(&closure), &dir);
        let expected = [("ext3", "ext4"), ("iso9660", "isofs")];
        assert!(
            names
                .iter()
                .map(|(n, m)| (n.as_str(), m.as_str()))
                .eq(expected)
        );
    }
}
