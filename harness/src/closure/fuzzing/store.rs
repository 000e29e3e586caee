use std::path::Path;

use super::PLAIN_LIMIT;
use crate::closure::ClosureError;
use crate::closure::cpio_names;
use crate::closure::initrd;
use crate::closure::modules::module_name;
use crate::closure::registration::Registration;

/// The names in an initrd, through every compression: the same each time, each bounded, and no more data than the bound.
pub fn initrd(bytes: &[u8]) {
    let read = || {
        let mut names = Vec::new();
        let mut reader = bytes;
        let result = cpio_names::visit_files(&mut reader, PLAIN_LIMIT, &mut |entry, _| {
            let name = entry.name;
            // A byte that is no UTF-8 becomes three.
            assert!(name.len() <= 3 * 4096);
            if let Some(module) = module_name(name) {
                assert!(!module.is_empty() && !module.contains(['/', '-']));
            }
            names.push(name.to_owned());
            Ok(names.len() < 1000)
        });
        (names, result.map_err(|error| error.to_string()))
    };
    let (names, result) = read();
    assert_eq!((&names, &result), (&read().0, &read().1));
    if let Err(reason) = result {
        assert!(reason.len() < 500, "{reason}");
    }
    let carried = initrd::parse(&mut &*bytes);
    assert!(carried.programs.unreadable.is_none() || carried.programs.hops.is_empty());
    // Scripts of scripts, and the loader's.
    assert!(carried.programs.hops.len() < 10);
    assert!(carried.damage.is_none() || carried.unread.is_some());
}

/// The registration of a closure directory: written again it means the same, and a walk over it ends.
pub fn registration(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let file = Path::new("registration");
    let parsed = match Registration::parse(file, text) {
        Ok(parsed) => parsed,
        Err(ClosureError::Registration { line, .. }) => {
            return assert!(line <= text.lines().count() + 1);
        }
        Err(other) => panic!("{other}"),
    };
    let again = Registration::parse(file, &parsed.render()).unwrap();
    assert_eq!(parsed.references, again.references);
    assert_eq!(parsed.contents, again.contents);
    for root in parsed.roots() {
        match parsed.reachable(&root) {
            Ok(reached) => assert!(reached.contains(&root)),
            Err(missing) => assert!(!parsed.references.contains_key(&missing)),
        }
    }
}
