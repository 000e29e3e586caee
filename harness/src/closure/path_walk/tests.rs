use crate::closure::files::{ClosureFiles, FileError};
use crate::closure::testing::FakeClosure;

#[test]
fn what_is_asked_again_has_the_same_answer() {
    let fake = FakeClosure::new();
    fake.store_file("etc", "d/hosts", "");
    fake.link("etc", "d/self", ".");
    fake.link("etc", "d/up", "../d/hosts");
    fake.link("etc", "d/out", "/root/x");
    fake.link("toplevel", "etc/d", &fake.path_of("etc", "d"));
    let closure = fake.closure();
    let files = ClosureFiles::new(&closure);
    for _ in 0..2 {
        for path in [
            "/etc/d/hosts",
            "/etc/d/up",
            "/etc/d/self/hosts",
            "/etc/d/self/./self//up",
            "/etc/static/d/../d/hosts/",
        ] {
            let logical = files.resolve(path).map(|r| r.logical);
            assert_eq!(logical.unwrap(), fake.path_of("etc", "d/hosts"), "{path}");
        }
        for path in ["/etc/d/self", "/etc/d/."] {
            let logical = files.resolve(path).map(|r| r.logical);
            assert_eq!(logical.unwrap(), fake.path_of("etc", "d"), "{path}");
        }
        let gone = files.resolve("/etc/d/gone/x").unwrap_err();
        assert!(matches!(gone, FileError::Missing(_)), "{gone}");
        let out = files.resolve("/etc/d/out").unwrap_err();
        assert!(matches!(out, FileError::Outside(_)), "{out}");
    }
}

#[test]
fn links_that_led_to_a_known_directory_count() {
    let fake = FakeClosure::new();
    fake.store_file("etc", "d0/file", "");
    for n in 1..=41 {
        let target = format!("d{}", n - 1);
        fake.link("etc", &format!("d{n}"), &target);
    }
    let closure = fake.closure();
    let files = ClosureFiles::new(&closure);
    let resolve = |below: &str| files.resolve(&fake.path_of("etc", below));
    for _ in 0..2 {
        assert!(resolve("d40/file").is_ok());
        let error = resolve("d41/file").unwrap_err();
        assert!(matches!(error, FileError::LinkLoop(_)), "{error}");
    }
    fake.link("etc", "d0/again", &fake.path_of("etc", "d40/file"));
    assert!(resolve("d0/again").is_err());
    assert!(resolve("d39/file").is_ok());
}
