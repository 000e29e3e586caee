//! Cases of findings and of what could not be observed, which rehearsals and inspections have in common.

use super::{Case, Outcome, Trouble};
use crate::vocabulary::{Check, Finding, Severity, Unproven, Verdict};

/// The checks of files that every inspection makes; the other two are made where they are asked for, and are cases where they find something.
pub(crate) const FILE_CHECKS: [Check; 5] = [
    Check::Executability,
    Check::Architecture,
    Check::BootPath,
    Check::Reference,
    Check::NginxConfig,
];

/// What a finding comes from and what to do about it, as its report has them.
pub(crate) type Why<'a> = &'a dyn Fn(&Finding) -> Vec<String>;

/// The case of the verdict itself: whoever reads one line of a page reads the cause.
pub(crate) fn of_verdict(verdict: Verdict, headline: &str, next: &str) -> Case {
    let trouble = || Trouble {
        kind: "verdict".to_owned(),
        message: headline.to_owned(),
        text: next.to_owned(),
    };
    let outcome = match verdict {
        Verdict::Pass => Outcome::Passed {
            said: headline.to_owned(),
        },
        Verdict::Fail => Outcome::Failed(trouble()),
        Verdict::Unproven => Outcome::Error(trouble()),
    };
    Case::new("verdict", outcome)
}

/// The case of a check that was made, where it found nothing; `None` where its findings are cases of their own.
pub(crate) fn of_check(check: Check, findings: &[&Finding]) -> Option<Case> {
    let found = findings.iter().any(|finding| finding.check == check);
    (!found).then(|| Case::new(check.as_str(), Outcome::passed()))
}

/// A case for each finding, named by its check and its subject.
pub(crate) fn of_findings(findings: &[&Finding], why: Why<'_>) -> Vec<Case> {
    findings
        .iter()
        .map(|finding| {
            let name = format!("{} {}", finding.check, finding.subject);
            Case::new(name, of_finding(finding, why))
        })
        .collect()
}

fn of_finding(finding: &Finding, why: Why<'_>) -> Outcome {
    if let Some(suppression) = &finding.suppressed {
        return Outcome::Skipped {
            reason: format!("{suppression} ({})", finding.summary),
        };
    }
    let latent = if finding.latent {
        "latent until reboot: "
    } else {
        ""
    };
    let mut lines = why(finding);
    let evidence = finding.evidence.iter();
    lines.extend(evidence.map(|e| format!("{}: {}", e.source, e.text)));
    match finding.severity {
        Severity::Error => Outcome::Failed(Trouble {
            kind: finding.check.to_string(),
            message: format!("{latent}{}", finding.summary),
            text: lines.join("\n"),
        }),
        Severity::Warning => {
            lines.insert(0, format!("warning: {latent}{}", finding.summary));
            Outcome::Passed {
                said: lines.join("\n"),
            }
        }
    }
}

/// A case for each thing that could not be observed.
pub(crate) fn of_unproven<'a>(unproven: impl IntoIterator<Item = &'a Unproven>) -> Vec<Case> {
    unproven
        .into_iter()
        .map(|unproven| {
            let outcome = if unproven.decisive {
                Outcome::Error(Trouble {
                    kind: "unproven".to_owned(),
                    message: unproven.reason.clone(),
                    text: "the verdict depends on it".to_owned(),
                })
            } else {
                Outcome::Skipped {
                    reason: unproven.reason.clone(),
                }
            };
            Case::new(format!("unproven {}", unproven.subject), outcome)
        })
        .collect()
}
