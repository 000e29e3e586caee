//! A deploy that the gate refuses, and somebody makes all the same.

use std::fs;

use super::Deploy;

#[test]
fn an_override_is_loud_recorded_and_told_afterwards() {
    let deploy = Deploy::new();
    let new = deploy.sandbox.toplevel.path.clone();
    deploy.assert(deploy.run(&[&new, "--override", " "]), 2, &["say why"]);
    let told = deploy.run(&[&new, "--override", "the disk fills", "--dry-run"]);
    deploy.assert(told, 0, &["OVERRIDE:", "would copy"]);
    assert_eq!(deploy.overrides(), "");
    deploy.assert_untouched();

    let told = deploy.run(&[&new, "--override", "the disk\u{1b}[31m fills"]);
    let words = [
        "must not be deployed to web",
        "OVERRIDE: nobody has proven that it works",
        "the disk fills",
        "pass: web runs",
    ];
    deploy.assert(told, 0, &words);
    let record = deploy.overrides();
    assert!(record.starts_with("bootproof override 1\n"), "{record}");
    for word in [
        "\"host\": \"web\"",
        &new,
        "there is no receipt",
        &deploy.sandbox.baseline.path,
    ] {
        assert!(record.contains(word), "{word}: {record}");
    }
    // It is no receipt, and the next who asks is told.
    let words = [
        "what web runs was deployed by an override",
        "the disk fills",
    ];
    deploy.assert(deploy.candidate(), 0, &words);
    let (store, config) = (deploy.place("store"), deploy.place("bootproof.toml"));
    let gate = |baseline: &str| {
        let args = [
            "gate",
            &new,
            "--host",
            "web",
            "--store",
            &store,
            "--config",
            &config,
            "--baseline",
            baseline,
        ];
        let output = deploy.sandbox.bootproof(args).output().unwrap();
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    deploy.assert(
        gate(&new),
        1,
        &["was deployed by an override", "there is no receipt"],
    );
    let (_, told) = gate(&deploy.sandbox.baseline.path);
    assert!(!told.contains("override"), "{told}");
    // A copy of it that calls itself a receipt is none.
    fs::write(deploy.sandbox.place("receipts/x.receipt"), record).unwrap();
    deploy.assert(gate(&new), 1, &["it is no receipt of bootproof"]);
}

#[test]
fn an_override_that_cannot_be_recorded_is_none_and_one_that_is_not_needed_is_not_recorded() {
    let deploy = Deploy::new();
    let new = deploy.sandbox.toplevel.path.clone();
    fs::write(deploy.sandbox.place("receipts"), "").unwrap();
    let told = deploy.run(&[&new, "--override", "the disk fills"]);
    assert_eq!(told.0, 2, "{}", told.1);
    deploy.assert_untouched();
    let deploy = Deploy::proven();
    let told = deploy.run(&[&new, "--override", "the disk fills"]);
    deploy.assert(told, 0, &["may be deployed to web", "pass: web runs"]);
    assert_eq!(deploy.overrides(), "");
}

#[test]
fn an_override_does_not_put_other_contents_on_the_host() {
    let deploy = Deploy::new();
    deploy.host.has(
        "on-copy",
        "trap 'sed -i s/1111/2222/ \"$host/registration\"' EXIT",
    );
    let told = deploy.run(&[
        &deploy.sandbox.toplevel.path,
        "--override",
        "the disk fills",
    ]);
    deploy.assert(told, 1, &["is not what was proven"]);
    deploy.assert_not_activated();
}
