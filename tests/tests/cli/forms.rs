//! The forms for programs: valid by schemas that others wrote, whatever a guest prints.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use bootproof_tests::fake_qemu::Act;
use bootproof_tests::{Sandbox, forms, guests};
use predicates::str::contains;

/// What could end an element, an attribute or a string, and what no XML has.
const HOSTILE: &str =
    "]]></failure><x y=\"'&\u{1b}]0;t\u{7}\u{1b}[2J\u{0}\u{b}\u{ffff}\u{202e} | `*_<b>";

/// The report of the sandbox's run in another form.
fn told(sandbox: &Sandbox, format: &str) -> Vec<u8> {
    let run = sandbox.run_directory();
    let mut command = sandbox.bootproof(["report".as_ref(), run.as_os_str()]);
    let output = command.args(["--format", format]).output().unwrap();
    output.stdout
}

fn assert_forms(sandbox: &Sandbox) {
    let run = sandbox.run_directory();
    forms::assert_run(&run);
    let junit = fs::read(run.join("report.junit.xml")).unwrap();
    assert_eq!(told(sandbox, "junit"), junit);
    forms::assert_sarif(&told(sandbox, "sarif"));
    forms::assert_lines(&told(sandbox, "json-lines"));
}

#[test]
fn a_healthy_run_has_valid_forms() {
    let sandbox = Sandbox::with_guest(guests::healthy);
    let run = sandbox.rehearsal().args(["--format", "junit"]).assert();
    let run = run.code(0);
    let xml = &run.get_output().stdout;
    assert_eq!(
        xml,
        &fs::read(sandbox.run_directory().join("report.junit.xml")).unwrap()
    );
    assert_forms(&sandbox);
}

#[test]
fn a_guest_that_prints_markup_and_control_characters_makes_no_form_invalid() {
    let panic = format!("[    1.0] Kernel panic - not syncing: {HOSTILE}\r\n");
    let script = guests::that_boots(vec![Act::Console(panic), Act::Hang]);
    let sandbox = Sandbox::with_guest(|_| script);
    let fault = sandbox.toplevel.host_path().join("init");
    fs::set_permissions(fault, fs::Permissions::from_mode(0o644)).unwrap();
    sandbox.rehearsal().assert().code(1);
    assert_forms(&sandbox);
    let xml = told(&sandbox, "junit");
    let xml = String::from_utf8(xml).unwrap();
    assert!(xml.contains("]]&gt;&lt;/failure&gt;"), "{xml}");
    let sarif = forms::assert_sarif(&told(&sandbox, "sarif"));
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "boot-path");
}

#[test]
fn an_inspection_has_the_same_forms() {
    let sandbox = Sandbox::new();
    let init = sandbox.toplevel.host_path().join("init");
    fs::set_permissions(init, fs::Permissions::from_mode(0o644)).unwrap();
    let inspect = |more: &[&str]| {
        let root = sandbox.toplevel.root().as_os_str();
        let toplevel = sandbox.toplevel.path.as_ref();
        let args: [&std::ffi::OsStr; 4] = ["inspect".as_ref(), "--store".as_ref(), root, toplevel];
        let run = sandbox.bootproof(args).args(more).assert().code(1);
        run.get_output().clone()
    };
    let of = |format: &str| inspect(&["--format", format]).stdout;
    forms::assert_junit(&of("junit"));
    forms::assert_sarif(&of("sarif"));
    forms::assert_published(&of("json"), "inspection");
    let lines = forms::assert_lines(&of("json-lines"));
    let kinds: Vec<_> = lines
        .iter()
        .map(|l| l["event"]["kind"].as_str().unwrap())
        .collect();
    assert_eq!((kinds[0], kinds[kinds.len() - 1]), ("inspected", "verdict"));
    assert!(kinds.contains(&"found"), "{kinds:?}");

    let quiet = String::from_utf8(inspect(&["-q"]).stderr).unwrap();
    assert_eq!(quiet.lines().count(), 1, "{quiet}");
    assert!(quiet.starts_with("fail: "), "{quiet}");
    let told = inspect(&[]).stderr;
    assert!(inspect(&["-v"]).stderr.len() >= told.len());
}

#[test]
fn verbose_and_quiet_are_not_both_had() {
    let sandbox = Sandbox::new();
    let run = sandbox.rehearsal().args(["-q", "-v"]).assert();
    run.code(2).stderr(contains("cannot be used with"));
}
