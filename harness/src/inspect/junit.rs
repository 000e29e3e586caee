//! The inspection as JUnit XML: one suite, as the inspection of a rehearsal is there.

use super::Inspection;
use crate::report::junit::{
    FILE_CHECKS, Suite, of_check, of_findings, of_unproven, of_verdict, write,
};
use crate::vocabulary::{Finding, State};

/// The inspection as a JUnit document.
pub fn render(inspection: &Inspection) -> String {
    let findings: Vec<&Finding> = inspection.findings.iter().collect();
    let next = inspection.next.iter().map(|next| format!("next: {next}"));
    let next: String = next.collect();
    let mut cases = vec![of_verdict(inspection.verdict, &inspection.headline, &next)];
    let made = FILE_CHECKS.iter();
    cases.extend(made.filter_map(|check| of_check(*check, &findings)));
    cases.extend(of_findings(&findings, &|finding| why(inspection, finding)));
    cases.extend(of_unproven(&inspection.unproven));
    let mut properties = vec![
        ("verdict", inspection.verdict.to_string()),
        ("candidate", inspection.toplevel.to_string()),
        ("tool-version", inspection.tool_version.clone()),
    ];
    let baseline = inspection.baseline.as_ref();
    properties.extend(baseline.map(|path| ("baseline", path.to_string())));
    let suite = Suite {
        name: State::Inspected.to_string(),
        properties,
        cases,
    };
    write("bootproof", &[suite])
}

fn why(inspection: &Inspection, finding: &Finding) -> Vec<String> {
    let id = finding.id();
    let cause = inspection.causes.iter().find(|c| c.findings.contains(&id));
    cause.map_or_else(Vec::new, |cause| {
        vec![
            format!("cause: {}", cause.headline),
            format!("next: {}", cause.next),
        ]
    })
}
