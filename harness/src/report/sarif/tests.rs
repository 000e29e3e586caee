use super::*;
use crate::report::report;
use crate::testing;
use crate::vocabulary::Check;

const TOPLEVEL: &str = "/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-nixos-system-web-24.11";
const LATER: &str = "/nix/store/1fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-nixos-system-web-25.05";

fn logged(toplevel: &str, findings: &[Finding]) -> serde_json::Value {
    let toplevel = StorePath::parse(toplevel).unwrap();
    let text = log(&Inspected {
        tool_version: "0.1.0",
        toplevel: &toplevel,
        verdict: Verdict::Fail,
        headline: "fail: x",
        findings: findings.iter().collect(),
        unproven: Vec::new(),
    });
    serde_json::from_str(&text.unwrap()).unwrap()
}

fn finding(check: Check, subject: &str) -> Finding {
    Finding::new(check, State::Inspected, subject, "is wrong")
}

fn print(log: &serde_json::Value, n: usize) -> &str {
    let prints = &log["runs"][0]["results"][n]["partialFingerprints"];
    prints["checkAndSubjectWithoutBuild/v1"].as_str().unwrap()
}

#[test]
fn every_check_of_files_is_a_rule() {
    let of_boots = Check::ALL.iter().position(|c| *c == Check::Executability);
    for check in &Check::ALL[of_boots.unwrap()..] {
        assert!(rules::index(*check).is_some(), "{check}");
    }
    assert_eq!(rules::index(Check::UnitFailed), None);
}

#[test]
fn the_static_part_of_the_outage_points_to_the_programs() {
    let (plan, observations) = testing::outage();
    let text = render(&report(&plan, &observations)).unwrap();
    let log: serde_json::Value = serde_json::from_str(&text).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let ids: Vec<_> = results
        .iter()
        .map(|r| r["ruleId"].as_str().unwrap())
        .collect();
    let executability = "executability";
    let expected = [executability, executability, executability, "architecture"];
    assert_eq!(ids, expected);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        let rule = &log["runs"][0]["tool"]["driver"]["rules"][index];
        assert_eq!(rule["id"], result["ruleId"]);
    }
}

#[test]
fn the_fingerprint_is_the_same_where_only_a_version_moved() {
    let of = |toplevel: &str, dash: &str| {
        let reference = finding(Check::Reference, &format!("{toplevel}/etc/{dash}x"));
        logged(toplevel, &[reference])
    };
    let log = of(TOPLEVEL, "");
    assert_eq!(print(&log, 0), print(&of(LATER, ""), 0));
    assert_ne!(print(&log, 0), print(&of(TOPLEVEL, "y"), 0));
    let id = |log: &serde_json::Value| log["runs"][0]["automationDetails"]["id"].clone();
    assert_eq!(id(&log), id(&of(LATER, "")));
}

#[test]
fn two_faults_of_one_subject_are_two() {
    let twice = [
        finding(Check::Reference, "a"),
        finding(Check::Reference, "a"),
    ];
    let log = logged(TOPLEVEL, &twice);
    assert_ne!(print(&log, 0), print(&log, 1));
}

#[test]
fn a_location_is_the_file_that_the_evidence_names_else_the_toplevel() {
    let uri = |finding: Finding| {
        let log = logged(TOPLEVEL, &[finding]);
        let location = &log["runs"][0]["results"][0]["locations"][0];
        let uri = &location["physicalLocation"]["artifactLocation"]["uri"];
        uri.as_str().unwrap().to_owned()
    };
    let whole = finding(Check::Architecture, "kernel");
    assert_eq!(uri(whole.clone()), format!("file://{TOPLEVEL}"));
    let text = format!("/nix/store/x, then {LATER}/bin/a%b: no such file");
    let named = whole.with_evidence("ExecStart=", text);
    assert_eq!(uri(named), format!("file://{LATER}/bin/a%25b"));
}
