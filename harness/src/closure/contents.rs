use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::nar::{self, Nar, Traces};
use super::nar_hash::NarHash;
use super::registration::{RecordedContents, Registration};
use super::{Closure, ClosureError, ReferencesBy, Source, nix_store};
use crate::vocabulary::StorePath;

/// Paths of one question to Nix, so that a command line stays below what Linux takes.
const ASKED_AT_ONCE: usize = 5_000;

/// Every file of a closure against the hashes that its store recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// Store paths that are what was recorded.
    pub whole: usize,
    /// In the order of their paths.
    pub damaged: Vec<Damage>,
    /// Store paths of which nothing can be said, and why.
    pub unknown: Vec<(StorePath, String)>,
}

/// A store path that is not what was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    pub path: StorePath,
    /// `sha256:<Nix's base 32> (<size of the NAR> bytes)`, as recorded.
    pub recorded: String,
    /// The same, as found.
    pub found: String,
    /// Files below it that look damaged, likeliest first: the name, then what is strange about it.
    pub suspects: Vec<(String, &'static str)>,
}

/// Makes the NAR of every path of the closure, on all cores, and compares it with the hash in the store's database or the
/// closure directory's `registration`.
///
/// # Errors
/// When Nix does not answer in time, or the `registration` cannot be read.
pub fn verify_contents(closure: &Closure) -> Result<Contents, ClosureError> {
    let recorded = recorded(closure)?;
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    let work = || {
        while let Some(path) = closure.paths.get(next.fetch_add(1, Ordering::Relaxed)) {
            let result = verify(&closure.host_path(path), path, &recorded);
            // A thread that panicked has left the list as good as it was.
            let mut results = results.lock().unwrap_or_else(|broken| broken.into_inner());
            results.push((path.clone(), result));
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let mut results = results
        .into_inner()
        .unwrap_or_else(|broken| broken.into_inner());
    results.sort_by(|a, b| a.0.cmp(&b.0));
    let mut contents = Contents::default();
    for (path, result) in results {
        match result {
            Ok(None) => contents.whole += 1,
            Ok(Some(damage)) => contents.damaged.push(damage),
            Err(reason) => contents.unknown.push((path, reason)),
        }
    }
    Ok(contents)
}

/// What the store knows of the closure's paths, as [`register`] says it.
pub(super) fn recorded(
    closure: &Closure,
) -> Result<BTreeMap<StorePath, RecordedContents>, ClosureError> {
    Ok(registered(closure)?.contents)
}

/// What `nix-store --load-db` reads, of all paths of the closures that their stores have a record of.
///
/// # Errors
/// As [`verify_contents`].
pub fn register(closures: &[&Closure]) -> Result<String, ClosureError> {
    let mut all = Registration::default();
    for closure in closures {
        let known = registered(closure)?;
        let listed = |path: &StorePath| closure.contains(path);
        let contents = known.contents.into_iter().filter(|(path, _)| listed(path));
        all.contents.extend(contents);
        let references = known
            .references
            .into_iter()
            .filter(|(path, _)| listed(path));
        all.references.extend(references);
    }
    Ok(all.render())
}

/// Nothing where there is no database and no `registration`.
fn registered(closure: &Closure) -> Result<Registration, ClosureError> {
    if let Some(file) = &closure.registration {
        let text = fs::read_to_string(file).map_err(ClosureError::io(file))?;
        return Registration::parse(file, &text);
    }
    let mut recorded = Registration::default();
    let (Source::Store { root }, ReferencesBy::Nix) = (&closure.source, closure.references) else {
        return Ok(recorded);
    };
    for paths in closure.paths.chunks(ASKED_AT_ONCE) {
        // The format of `--load-db` has each hash beside its path, so that no order need be trusted.
        let arguments: Vec<&str> = std::iter::once("--dump-db")
            .chain(paths.iter().map(StorePath::as_str))
            .collect();
        if let Some(answer) = nix_store::ask(root, &arguments)? {
            let named = Path::new("nix-store --dump-db");
            let answered = Registration::parse(named, &answer)?;
            recorded.contents.extend(answered.contents);
            recorded.references.extend(answered.references);
        }
    }
    Ok(recorded)
}

/// `None` where the path is whole.
fn verify(
    place: &Path,
    path: &StorePath,
    recorded: &BTreeMap<StorePath, RecordedContents>,
) -> Result<Option<Damage>, String> {
    let recorded = recorded
        .get(path)
        .ok_or("the store has no record of its hash")?;
    let expected = NarHash::parse(&recorded.hash)
        .ok_or_else(|| format!("its recorded hash `{:.80}` is no SHA-256", recorded.hash))?;
    let nar = nar::of(place).map_err(|error| format!("cannot read it: {error}"))?;
    if nar.hash == expected {
        return Ok(None);
    }
    let Nar { hash, size, traces } = nar;
    Ok(Some(Damage {
        path: path.clone(),
        recorded: format!("{expected} ({} bytes)", recorded.size),
        found: format!("{hash} ({size} bytes)"),
        suspects: suspects(traces),
    }))
}

/// Each file once, with the strangest that is known of it.
fn suspects(traces: Traces) -> Vec<(String, &'static str)> {
    let mut suspects: Vec<(String, &str)> = Vec::new();
    for (names, what) in [
        (traces.zeroed, "has nothing but zero bytes"),
        (traces.emptied, "is empty"),
        (traces.touched, "was written to after it was installed"),
        (traces.empty, "is empty"),
    ] {
        for name in names {
            if !suspects.iter().any(|(known, _)| *known == name) {
                suspects.push((name, what));
            }
        }
    }
    suspects
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::FakeClosure;

    /// A closure directory whose `registration` has the hashes of what is there now.
    fn registered(fake: &FakeClosure) -> Closure {
        let mut closure = fake.closure();
        let file = fake.root().join("registration");
        fs::write(&file, crate::closure::testing::registration(&closure)).unwrap();
        closure.registration = Some(file);
        closure
    }

    #[test]
    fn what_is_as_recorded_is_whole() {
        let fake = FakeClosure::new();
        fake.program("tool", "bin/tool", "#!/bin/sh\n");
        let contents = verify_contents(&registered(&fake)).unwrap();
        assert_eq!(contents.whole, 2);
        assert_eq!(contents.damaged, []);
        assert_eq!(contents.unknown, []);
    }

    #[test]
    fn a_file_that_lost_its_bytes_is_named() {
        let fake = FakeClosure::new();
        fake.program("tool", "bin/tool", "#!/bin/sh\n");
        fake.store_file("other", "x", "x");
        let closure = registered(&fake);
        fake.store_file("tool", "bin/tool", "");
        let contents = verify_contents(&closure).unwrap();
        assert_eq!((contents.whole, contents.damaged.len()), (2, 1));
        let damage = &contents.damaged[0];
        assert_eq!(damage.path, fake.store_path("tool"));
        assert_eq!(damage.suspects, [("bin/tool".to_owned(), "is empty")]);
        assert!(damage.recorded.starts_with("sha256:"), "{damage:?}");
    }

    #[test]
    fn without_a_record_nothing_is_said() {
        let fake = FakeClosure::new();
        let contents = verify_contents(&fake.closure()).unwrap();
        assert_eq!((contents.whole, contents.unknown.len()), (0, 1));
        let mut closure = registered(&fake);
        let file = fake.root().join("registration");
        let path = fake.store_path("toplevel");
        fs::write(&file, format!("{path}\nsha256:0\n1\n\n0\n")).unwrap();
        closure.registration = Some(file);
        let contents = verify_contents(&closure).unwrap();
        assert!(contents.unknown[0].1.contains("sha256:0"), "{contents:?}");
    }
}
