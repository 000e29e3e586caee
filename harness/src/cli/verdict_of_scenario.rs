//! Whether a scenario came out as its `scenario.toml` expects.

use std::collections::BTreeSet;
use std::path::Path;

use super::Exit;
use crate::report::Report;
use crate::scenario::Expectation;
use crate::vocabulary::Finding;

/// Whether a scenario came out as it must: the verdict, exactly the findings and gaps, and the cause that the report leads with.
pub(super) fn judge(
    name: &str,
    expect: &Expectation,
    report: &Report,
    directory: &Path,
) -> (Exit, String) {
    let unproven = |id: &String| format!("unproven {id}");
    let expected: BTreeSet<String> = expect
        .findings
        .iter()
        .cloned()
        .chain(expect.unproven.iter().map(unproven))
        .collect();
    let found: BTreeSet<String> = report
        .findings
        .iter()
        .map(Finding::id)
        .chain(report.unproven.iter().map(|u| unproven(&u.id())))
        .collect();
    let mut differences = Vec::new();
    if report.verdict != expect.verdict {
        differences.push(format!(
            "the verdict is {}, expected {}",
            report.verdict, expect.verdict
        ));
    }
    for missing in expected.difference(&found) {
        differences.push(format!("missing: {missing}"));
    }
    for extra in found.difference(&expected) {
        differences.push(format!("not expected: {extra}"));
    }
    differences.extend(wrong_cause(expect, report));
    if differences.is_empty() {
        let line = format!(
            "scenario {name}: as expected ({}, {})",
            report.verdict,
            match report.findings.len() {
                1 => "1 finding".to_owned(),
                many => format!("{many} findings"),
            }
        );
        return (Exit::Pass, line);
    }
    let line = format!(
        "scenario {name}: NOT as expected ({})\n  {}",
        directory.display(),
        differences.join("\n  ")
    );
    (Exit::Fail, line)
}

/// What is wrong with the cause that the report leads with.
fn wrong_cause(expect: &Expectation, report: &Report) -> Option<String> {
    let first = report.diagnosis.causes.first();
    let rule = first.map_or("no rule", |cause| cause.rule.as_str());
    if let Some(expected) = expect.cause.as_deref().filter(|expected| *expected != rule) {
        return Some(format!("the first cause is of {rule}, expected {expected}"));
    }
    let headline = first.map_or("", |cause| cause.headline.as_str());
    let expected = expect.says.as_deref()?;
    (!says(headline, expected)).then(|| match headline {
        "" => format!("no cause is named, expected one that says: {expected}"),
        _ => format!("the first cause is: {headline}\n    expected one that says: {expected}"),
    })
}

/// Whether a headline has these words, of which `…` is anything.
fn says(headline: &str, expected: &str) -> bool {
    let mut rest = headline;
    expected
        .split('…')
        .all(|words| match rest.split_once(words) {
            Some((_, after)) => {
                rest = after;
                true
            }
            None => false,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use crate::vocabulary::Verdict;

    fn told(expect: &Expectation) -> (Exit, String) {
        let (plan, recording) = testing::outage_recording();
        let report = crate::report::report(&plan, &recording.observations());
        judge("outage", expect, &report, Path::new("run"))
    }

    fn outage() -> Expectation {
        let (plan, recording) = testing::outage_recording();
        Expectation {
            verdict: Verdict::Fail,
            findings: testing::finding_ids(&plan, &recording),
            unproven: Vec::new(),
            says: Some("i686-linux kernel runs x86_64 executables".to_owned()),
            cause: Some("foreign-executables".to_owned()),
        }
    }

    #[test]
    fn exactly_what_is_expected_passes() {
        let (exit, line) = told(&outage());
        assert_eq!(
            (exit, line.contains("as expected (fail, 16 findings)")),
            (Exit::Pass, true),
            "{line}"
        );
    }

    #[test]
    fn what_differs_from_build_to_build_is_left_open() {
        let headline =
            "the kernel is 6.1.0-56-amd64, and the modules are for 6.1.0-0-amd64: none will load";
        assert!(says(
            headline,
            "the kernel is …, and the modules are for …: none"
        ));
        assert!(says(headline, "the modules are for") && says(headline, "… none will load"));
        assert!(!says(headline, "the modules are for …, and the kernel is"));
        assert!(!says("", "the kernel"));
    }

    #[test]
    fn each_difference_is_told() {
        let mut expect = outage();
        expect.findings[0] = "inspected/executability/delta.service".to_owned();
        expect.verdict = Verdict::Pass;
        expect.says = Some("502".to_owned());
        let (exit, line) = told(&expect);
        assert_eq!(exit, Exit::Fail);
        for part in [
            "the verdict is fail, expected pass",
            "missing: inspected/executability/delta.service",
            "not expected: inspected/executability/alpha.service",
            "expected one that says: 502",
        ] {
            assert!(line.contains(part), "{line}");
        }
    }

    #[test]
    fn another_rule_than_the_expected_one_is_told() {
        let mut expect = outage();
        expect.cause = Some("restart-loop".to_owned());
        let (exit, line) = told(&expect);
        assert_eq!(exit, Exit::Fail);
        assert!(
            line.contains("is of foreign-executables, expected restart-loop"),
            "{line}"
        );
    }
}
