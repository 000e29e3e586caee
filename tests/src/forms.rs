//! The forms of a report, held against schemas: those that others wrote, and our published ones.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

static SARIF: LazyLock<Validator> =
    LazyLock::new(|| validator("tests/schemas/sarif-schema-2.1.0.json"));
static REPORT: LazyLock<Validator> =
    LazyLock::new(|| validator("harness/schema/report.schema.json"));

/// Panics unless `xmllint` finds the text valid by Jenkins' schema of JUnit XML.
pub fn assert_junit(xml: &[u8]) {
    let mut child = Command::new("xmllint")
        .args(["--nonet", "--noout", "--schema"])
        .arg(place("tests/schemas/junit-10.xsd"))
        .arg("-")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("xmllint, of the package libxml2-utils, which `cargo xtask test` installs");
    child.stdin.take().unwrap().write_all(xml).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stderr),
        String::from_utf8_lossy(xml)
    );
}

/// Panics unless the text is a log by OASIS' schema of SARIF 2.1.0.
pub fn assert_sarif(json: &[u8]) -> Value {
    valid(json, &SARIF)
}

/// Panics unless the text is as the schema of `harness/schema` says.
pub fn assert_published(json: &[u8], schema: &str) -> Value {
    valid(
        json,
        &validator(&format!("harness/schema/{schema}.schema.json")),
    )
}

/// The lines of `--format json-lines`, each as its schema says.
pub fn assert_lines(stdout: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(stdout).unwrap();
    assert!(text.ends_with('\n'), "{text}");
    let lines = text.lines().map(str::as_bytes);
    let schema = validator("harness/schema/progress.schema.json");
    lines.map(|line| valid(line, &schema)).collect()
}

fn valid(json: &[u8], schema: &Validator) -> Value {
    let value: Value = serde_json::from_slice(json).unwrap();
    let errors: Vec<String> = schema
        .iter_errors(&value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}\n{value:#}");
    value
}

fn validator(schema: &str) -> Validator {
    let text = std::fs::read_to_string(place(schema)).unwrap();
    // ECMA-262 lets a bracket stand that closes nothing, as one of SARIF's patterns has it; the validator's regular expressions do not.
    let text = text.replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}\\\\]?$");
    let schema = serde_json::from_str(&text).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

fn place(name: &str) -> std::path::PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap().join(name)
}

/// Panics unless all that a run leaves for programs is as its schema says.
pub fn assert_run(directory: &Path) {
    let read = |name: &str| std::fs::read(directory.join(name)).unwrap();
    assert_junit(&read("report.junit.xml"));
    valid(&read("report.json"), &REPORT);
    let (plan, observations) = bootproof::rehearsal::read_recording(directory).unwrap();
    let report = bootproof::report::report(&plan, &observations);
    let sarif = bootproof::report::sarif::render(&report).unwrap();
    assert_sarif(sarif.as_bytes());
}
