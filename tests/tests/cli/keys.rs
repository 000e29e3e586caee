//! `bootproof key`: a key that signs receipts.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use bootproof_tests::Sandbox;
use predicates::str::contains;

#[test]
fn a_key_is_made_once_for_its_owner_and_its_public_half_is_printed() {
    let sandbox = Sandbox::new();
    let file = sandbox.place("ci.secret");
    let place = file.to_str().unwrap();
    let made = sandbox.bootproof(["key", "generate", "ci-1", place]);
    let made = { made }.assert().code(0);
    let public = String::from_utf8(made.get_output().stdout.clone()).unwrap();
    assert!(public.starts_with("ci-1:"), "{public}");
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let again = sandbox.bootproof(["key", "public", place]).assert().code(0);
    again.stdout(public).stderr("");

    let before = fs::read(&file).unwrap();
    let told = sandbox
        .bootproof(["key", "generate", "ci-1", place])
        .assert();
    told.code(2).stderr(contains("never written over"));
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn what_is_no_key_is_refused_by_name() {
    let sandbox = Sandbox::new();
    let file = sandbox.place("key");
    fs::write(&file, "nonsense").unwrap();
    let place = file.to_str().unwrap();
    let told = sandbox.bootproof(["key", "public", place]).assert();
    told.code(2)
        .stderr(contains(place))
        .stderr(contains("NAME:BASE64"));
    let told = sandbox
        .bootproof(["key", "generate", "a:b", "/dev/null/x"])
        .assert();
    told.code(2).stderr(contains("`a:b` is no name for a key"));
}
