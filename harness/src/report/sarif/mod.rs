//! Findings of files as SARIF 2.1.0, for code scanning. What a boot showed has no file that it could be shown at, and is not in it.
//!
//! The names of things and the one object a log has are in [`model`]; the tests hold it against OASIS' own schema.

mod model;
mod moved;
mod rules;

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use model::{
    ArtifactLocation, AutomationDetails, Driver, Invocation, Level, Location, Log, LogicalLocation,
    Message, Notification, PhysicalLocation, Region, Run, Suppression, Tool,
};

use super::Report;
use crate::vocabulary::{Finding, STORE_DIR, Severity, State, StorePath, Unproven, Verdict};

/// What was inspected, by a rehearsal or without one.
pub(crate) struct Inspected<'a> {
    pub(crate) tool_version: &'a str,
    pub(crate) toplevel: &'a StorePath,
    pub(crate) verdict: Verdict,
    pub(crate) headline: &'a str,
    pub(crate) findings: Vec<&'a Finding>,
    pub(crate) unproven: Vec<&'a Unproven>,
}

/// The static part of a rehearsal as a SARIF log.
///
/// # Errors
/// None that is known: the types have a JSON form.
pub fn render(report: &Report) -> Result<String, serde_json::Error> {
    let of_files = |state: Option<State>| state == Some(State::Inspected);
    let findings = report.findings.iter();
    let unproven = report.unproven.iter();
    log(&Inspected {
        tool_version: &report.tool_version,
        toplevel: &report.candidate.toplevel,
        verdict: report.verdict,
        headline: &report.headline,
        findings: findings.filter(|f| of_files(Some(f.state))).collect(),
        unproven: unproven.filter(|u| of_files(u.state)).collect(),
    })
}

/// The log, with a newline at its end.
///
/// # Errors
/// None that is known: the types have a JSON form.
pub(crate) fn log(inspected: &Inspected<'_>) -> Result<String, serde_json::Error> {
    let mut results = Vec::new();
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for finding in &inspected.findings {
        // Every check of files is a rule: a test holds it.
        if let Some(rule_index) = rules::index(finding.check) {
            let print = fingerprint(finding);
            let nth = seen.entry(print.clone()).or_default();
            *nth += 1;
            results.push(result(
                inspected,
                finding,
                rule_index,
                format!("{print}:{nth}"),
            ));
        }
    }
    let notifications = inspected.unproven.iter().map(|unproven| Notification {
        level: if unproven.decisive {
            Level::Warning
        } else {
            Level::Note
        },
        message: Message {
            text: format!("unproven: {}: {}", unproven.subject, unproven.reason),
        },
    });
    let log = Log {
        schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: "bootproof",
                    version: inspected.tool_version.to_owned(),
                    semantic_version: inspected.tool_version.to_owned(),
                    rules: rules::all(),
                },
            },
            // What one machine's results replace: those of the toplevel of that name.
            automation_details: AutomationDetails {
                id: format!(
                    "bootproof/{}/",
                    moved::without_builds(inspected.toplevel.base_name())
                ),
            },
            invocations: [Invocation {
                execution_successful: true,
                tool_execution_notifications: notifications.collect(),
            }],
            results,
            column_kind: "unicodeCodePoints",
            properties: [
                ("verdict", inspected.verdict.to_string()),
                ("headline", inspected.headline.to_owned()),
                ("toplevel", inspected.toplevel.to_string()),
            ]
            .into(),
        }],
    };
    let mut text = serde_json::to_string_pretty(&log)?;
    text.push('\n');
    Ok(text)
}

fn result(
    inspected: &Inspected<'_>,
    finding: &Finding,
    rule_index: usize,
    fingerprint: String,
) -> model::Result {
    // The file that is at fault is what the evidence names; a fault of the whole is the toplevel's.
    let texts = finding.evidence.iter().flat_map(|e| [&e.source, &e.text]);
    let place = texts
        .map(String::as_str)
        .chain([finding.subject.as_str()])
        .find_map(store_file)
        .unwrap_or(inspected.toplevel.as_str());
    let evidence = finding.evidence.iter().enumerate();
    let related = evidence.map(|(n, evidence)| Location {
        id: Some(n),
        physical_location: [&evidence.source, &evidence.text]
            .into_iter()
            .find_map(|text| store_file(text))
            .map(physical),
        logical_locations: Vec::new(),
        message: Some(Message {
            text: format!("{} {}", evidence.source, evidence.text),
        }),
    });
    let suppressions = finding.suppressed.iter().map(|suppression| Suppression {
        kind: "external",
        status: "accepted",
        justification: suppression.to_string(),
    });
    model::Result {
        rule_id: finding.check.as_str(),
        rule_index,
        level: match finding.severity {
            Severity::Error => Level::Error,
            Severity::Warning => Level::Warning,
        },
        message: Message {
            text: format!("{}: {}", finding.subject, finding.summary),
        },
        locations: [Location {
            id: None,
            physical_location: Some(physical(place)),
            logical_locations: vec![
                LogicalLocation {
                    name: finding.subject.clone(),
                    fully_qualified_name: finding.id(),
                    kind: match finding.subject.rsplit_once('.') {
                        Some((_, "service" | "socket" | "mount" | "timer" | "path" | "target")) => {
                            "unit"
                        }
                        _ => "object",
                    },
                },
                LogicalLocation {
                    name: inspected.toplevel.name().to_owned(),
                    fully_qualified_name: inspected.toplevel.to_string(),
                    kind: "package",
                },
            ],
            message: None,
        }],
        related_locations: related.collect(),
        partial_fingerprints: [("checkAndSubjectWithoutBuild/v1", fingerprint)].into(),
        suppressions: suppressions.collect(),
    }
}

/// The same for the same fault of another build: no store hash, no version, and no words, which may get better.
fn fingerprint(finding: &Finding) -> String {
    let subject = moved::without_builds(&finding.subject);
    let digest = Sha256::digest(format!("{}\n{subject}", finding.check));
    digest[..16].iter().map(|b| format!("{b:02x}")).collect()
}

/// The first file of the store that a text names.
fn store_file(text: &str) -> Option<&str> {
    let (at, _) = text.match_indices(STORE_DIR).find(|(at, _)| {
        let end = text[*at..].find([' ', '\n', '`', '\'', '"']);
        StorePath::split(&text[*at..end.map_or(text.len(), |end| at + end)]).is_ok()
    })?;
    let file = text[at..].split([' ', '\n', '`', '\'', '"']).next()?;
    Some(file.trim_end_matches([':', ',', ';', ')']))
}

fn physical(file: &str) -> PhysicalLocation {
    PhysicalLocation {
        artifact_location: ArtifactLocation {
            uri: format!("file://{}", percent(file)),
        },
        region: Region { start_line: 1 },
    }
}

/// A path as RFC 3986 has it in a URI.
fn percent(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => text.push(char::from(byte)),
            byte => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests;
