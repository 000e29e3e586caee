use std::collections::BTreeMap;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::contents::recorded;
use super::nar_hash::NarHash;
use super::registration::{RecordedContents, Registration};
use super::{Closure, ClosureError};
use crate::vocabulary::{ClosureIdentity, StorePath};

/// What the store's database, or the closure directory's `registration`, says that the closure holds. No file is read.
///
/// # Errors
/// When the store has no hash of one of the closure's paths, or Nix does not answer.
pub fn identify(closure: &Closure) -> Result<ClosureIdentity, ClosureError> {
    let paths: Vec<&StorePath> = closure.paths.iter().collect();
    identity(&closure.toplevel, paths, &recorded(closure)?)
}

/// The same of a store elsewhere, by what `nix-store --dump-db` prints of the closure's paths there.
///
/// # Errors
/// When the text is no such record, or not of a whole closure.
pub fn identify_by_record(
    toplevel: &StorePath,
    record: &str,
) -> Result<ClosureIdentity, ClosureError> {
    let named = Path::new("nix-store --dump-db");
    let registration = Registration::parse(named, record)?;
    let reached = registration
        .reachable(toplevel)
        .map_err(ClosureError::NoHash)?;
    identity(toplevel, reached.iter().collect(), &registration.contents)
}

fn identity(
    toplevel: &StorePath,
    mut paths: Vec<&StorePath>,
    recorded: &BTreeMap<StorePath, RecordedContents>,
) -> Result<ClosureIdentity, ClosureError> {
    // A store's database and a `registration` write the same hash in different forms.
    let hash_of = |path: &StorePath| {
        recorded
            .get(path)
            .and_then(|contents| NarHash::parse(&contents.hash))
            .map(|hash| hash.to_string())
            .ok_or_else(|| ClosureError::NoHash(path.clone()))
    };
    paths.sort();
    let mut hasher = Sha256::new();
    for path in &paths {
        hasher.update(format!("{path} {}\n", hash_of(path)?));
    }
    Ok(ClosureIdentity {
        toplevel: toplevel.clone(),
        nar_hash: hash_of(toplevel)?,
        paths: paths.len(),
        closure_hash: base16ct::lower::encode_string(&hasher.finalize()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::{FakeClosure, registration};

    #[test]
    fn a_closure_is_known_by_all_that_its_store_recorded() {
        let fake = FakeClosure::new();
        fake.file("init", "one");
        let mut closure = fake.closure();
        assert!(matches!(identify(&closure), Err(ClosureError::NoHash(_))));

        let file = fake.root().join("registration");
        let records = registration(&closure);
        std::fs::write(&file, &records).unwrap();
        closure.registration = Some(file.clone());
        let identity = identify(&closure).unwrap();
        assert_eq!(identity.paths, closure.paths.len());
        assert!(identity.nar_hash.starts_with("sha256:"));
        assert_eq!(identify(&closure).unwrap(), identity);
        let elsewhere = identify_by_record(&closure.toplevel, &records).unwrap();
        assert_eq!(elsewhere, identity);
        for part in ["", &records[..records.len() / 2]] {
            assert!(identify_by_record(&closure.toplevel, part).is_err());
        }

        fake.file("init", "two");
        std::fs::write(&file, registration(&closure)).unwrap();
        let other = identify(&closure).unwrap();
        assert_ne!(other.nar_hash, identity.nar_hash);
        assert_ne!(other.closure_hash, identity.closure_hash);
    }
}
