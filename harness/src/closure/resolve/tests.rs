use super::*;
use crate::closure::testing::FakeClosure;

fn in_store(fake: &FakeClosure, toplevel: &str) -> Result<Closure, ClosureError> {
    let root = fake.root().to_owned();
    resolve(&Source::Store { root }, toplevel)
}

/// Turns the fake's chroot store into a closure directory.
fn record(fake: &FakeClosure, name: &str, references: &[&str]) -> String {
    let references: Vec<_> = references.iter().map(|r| fake.store_path(r)).collect();
    let lines = references.iter().map(|r| format!("{r}\n"));
    format!(
        "{}\nsha256:0\n1\n\n{}\n{}",
        fake.store_path(name),
        references.len(),
        lines.collect::<String>()
    )
}

#[test]
fn a_store_without_a_database_is_scanned() {
    let fake = FakeClosure::new();
    let kernel = fake.store_file("linux", "bzImage", "kernel");
    fake.store_file("unrelated", "file", "");
    fake.link("toplevel", "linked-kernel", &kernel);
    let toplevel = fake.store_path("toplevel");
    let closure = in_store(&fake, toplevel.as_str()).unwrap();
    assert_eq!(closure.references, ReferencesBy::Scan);
    assert_eq!(closure.paths.len(), 2);
    assert!(closure.contains(&fake.store_path("linux")));
    assert!(!closure.contains(&fake.store_path("unrelated")));
    assert!(closure.disk_bytes().unwrap() >= 2 * 4096);
}

#[test]
fn a_path_without_a_kernel_is_no_toplevel() {
    let fake = FakeClosure::new();
    fake.store_file("container", "init", "");
    let error = in_store(&fake, fake.store_path("container").as_str()).unwrap_err();
    let ClosureError::NotAToplevel { missing, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(missing, "kernel");
}

#[test]
fn the_only_root_of_a_closure_directory_is_its_toplevel() {
    let fake = FakeClosure::new();
    fake.store_file("linux", "bzImage", "kernel");
    fake.store_file("stray", "file", "");
    let records = record(&fake, "toplevel", &["linux"])
        + &record(&fake, "linux", &[])
        + &record(&fake, "stray", &[]);
    fs::write(fake.root().join("registration"), records).unwrap();
    let closure = resolve_directory(fake.root()).unwrap();
    assert_eq!(closure.toplevel, fake.store_path("toplevel"));
    assert_eq!(closure.paths.len(), 2);
    assert_eq!(closure.references, ReferencesBy::Registration);
    assert!(closure.registration.is_some());
}

#[test]
fn several_toplevels_are_listed_and_one_can_be_named() {
    let fake = FakeClosure::new();
    for name in ["init", "kernel", "initrd", "etc", "system"] {
        fake.store_file("other", name, "");
    }
    let records = record(&fake, "toplevel", &[]) + &record(&fake, "other", &[]);
    fs::write(fake.root().join("registration"), records).unwrap();
    let error = resolve_directory(fake.root()).unwrap_err();
    assert!(error.to_string().contains("-other"), "{error}");
    assert!(matches!(error, ClosureError::SeveralToplevels { .. }));
    let dir = fake.root().to_owned();
    let named = resolve(
        &Source::Directory { dir },
        fake.store_path("other").base_name(),
    );
    assert_eq!(named.unwrap().toplevel, fake.store_path("other"));
}

#[test]
fn a_toplevel_that_another_one_refers_to_is_not_the_one() {
    let fake = FakeClosure::new();
    assert_eq!(
        only_toplevel(fake.root()).unwrap(),
        fake.store_path("toplevel")
    );
    for name in ["init", "kernel", "initrd", "etc", "system"] {
        fake.store_file("special", name, "");
    }
    let error = only_toplevel(fake.root()).unwrap_err();
    assert!(
        matches!(error, ClosureError::SeveralToplevels { .. }),
        "{error}"
    );
    fake.link(
        "toplevel",
        "specialisation",
        &fake.store_path("special").to_string(),
    );
    assert_eq!(
        only_toplevel(fake.root()).unwrap(),
        fake.store_path("toplevel")
    );
}

#[test]
fn store_paths_alone_are_taken_whole() {
    let fake = FakeClosure::new();
    fake.store_file("linux", "bzImage", "kernel");
    let listing = ["toplevel", "linux"].map(|name| format!("{}\n", fake.store_path(name)));
    fs::write(fake.root().join("store-paths"), listing.concat()).unwrap();
    let closure = resolve_directory(fake.root()).unwrap();
    assert_eq!(closure.references, ReferencesBy::StorePaths);
    assert_eq!(closure.paths.len(), 2);
}

#[test]
fn a_closure_directory_that_lacks_something_is_an_error_that_names_it() {
    let fake = FakeClosure::new();
    let dir = fake.root();
    let error = resolve_directory(dir).unwrap_err();
    assert!(matches!(error, ClosureError::NoClosureFiles(_)), "{error}");

    fs::write(dir.join("store-paths"), "").unwrap();
    let error = resolve_directory(dir).unwrap_err();
    assert!(matches!(error, ClosureError::NoToplevel(_)), "{error}");

    let source = Source::Directory {
        dir: dir.to_owned(),
    };
    let error = resolve(&source, fake.store_path("toplevel").as_str()).unwrap_err();
    assert!(matches!(error, ClosureError::NotListed(..)), "{error}");

    let records = record(&fake, "toplevel", &["gone"]) + &record(&fake, "gone", &[]);
    fs::write(dir.join("registration"), records).unwrap();
    let error = resolve_directory(dir).unwrap_err();
    assert!(matches!(error, ClosureError::Incomplete { .. }), "{error}");

    fs::write(dir.join("registration"), record(&fake, "toplevel", &["x"])).unwrap();
    let error = resolve_directory(dir).unwrap_err();
    assert!(matches!(error, ClosureError::NotListed(..)), "{error}");

    fs::write(dir.join("registration"), "not a path\n").unwrap();
    let error = resolve_directory(dir).unwrap_err();
    assert!(
        matches!(error, ClosureError::Registration { line: 1, .. }),
        "{error}"
    );
}
