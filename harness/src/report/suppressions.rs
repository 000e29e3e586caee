//! What somebody answers for does not fail the rehearsal, until the day that was set for it.

use crate::fold::{Run, sanitise, steps_in_order};
use crate::vocabulary::{Finding, Plan, Severity, StepOutcome, Suppression, Unproven};

use super::model::{SuppressionReport, SuppressionUse};

/// Has the errors that a suppression means become warnings which say so; tells what came of each suppression.
///
/// The day is that of the rehearsal, so that an old recording has the same report for ever.
pub(super) fn apply(plan: &Plan, findings: &mut [Finding]) -> Vec<SuppressionReport> {
    let counts = |suppression: &Suppression| {
        plan.rehearsed_on
            .is_some_and(|day| suppression.counts_on(day))
    };
    let mut told: Vec<SuppressionReport> = plan
        .suppressions
        .iter()
        .map(|suppression| SuppressionReport {
            suppression: sanitised(suppression),
            came_of_it: if counts(suppression) {
                SuppressionUse::Unused
            } else {
                SuppressionUse::Expired
            },
            findings: Vec::new(),
        })
        .collect();
    for finding in findings {
        finding.suppressed = None;
        if finding.severity != Severity::Error {
            continue;
        }
        let meant: Vec<&mut SuppressionReport> = told
            .iter_mut()
            .filter(|entry| entry.suppression.finding.means(finding))
            .collect();
        for entry in meant {
            entry.findings.push(finding.id());
            if entry.came_of_it != SuppressionUse::Expired {
                entry.came_of_it = SuppressionUse::Used;
                finding.severity = Severity::Warning;
                finding
                    .suppressed
                    .get_or_insert_with(|| entry.suppression.clone());
            }
        }
    }
    told.sort_by(|a, b| (a.came_of_it, &a.suppression).cmp(&(b.came_of_it, &b.suppression)));
    told
}

/// A fault that kept a step from being done also hides what comes after it, for which nobody answers.
pub(super) fn gap(plan: &Plan, run: &Run, told: &[SuppressionReport]) -> Option<Unproven> {
    if !told.iter().any(|s| s.came_of_it == SuppressionUse::Used) {
        return None;
    }
    let missing = steps_in_order(plan, run).into_iter().find(|(_, record)| {
        record.and_then(|record| record.outcome.as_ref()) != Some(&StepOutcome::Done)
    });
    missing.map(|(step, _)| Unproven {
        state: None,
        subject: "suppressions".to_owned(),
        reason: format!("{step} was not done, and what it would have shown was not suppressed"),
        decisive: true,
    })
}

/// What is to be said in the first line of a failure: `; the suppression by anna expired on 2026-11-01`.
pub(super) fn expiry(told: &[SuppressionReport]) -> String {
    let expired = told
        .iter()
        .find(|s| s.came_of_it == SuppressionUse::Expired && !s.findings.is_empty());
    expired.map_or_else(String::new, |s| {
        let Suppression { owner, expires, .. } = &s.suppression;
        format!("; the suppression by {owner} expired on {expires}")
    })
}

/// One line for people.
pub(super) fn sentence(told: &SuppressionReport) -> String {
    let Suppression {
        finding,
        owner,
        reason,
        expires,
    } = &told.suppression;
    let ids = told.findings.join(", ");
    match told.came_of_it {
        SuppressionUse::Expired if ids.is_empty() => {
            format!("{finding}: expired on {expires}, and means nothing that fails: take it out")
        }
        SuppressionUse::Expired => format!(
            "{finding}: expired on {expires}, so that this counts: {ids} ({owner} said: {reason})"
        ),
        SuppressionUse::Unused => {
            format!("{finding}: unused, nothing that fails is meant by it: take it out")
        }
        SuppressionUse::Used => format!("{ids}: {}", told.suppression),
    }
}

/// The configuration is people's, and is printed on other people's terminals.
fn sanitised(suppression: &Suppression) -> Suppression {
    Suppression {
        reason: sanitise::line(&suppression.reason),
        owner: sanitise::line(&suppression.owner),
        ..suppression.clone()
    }
}

#[cfg(test)]
mod tests {
    use crate::report::{Report, human, markdown, report};
    use crate::testing::{self, Recording};
    use crate::vocabulary::{
        FindingPattern, Plan, Severity, State, Step, StepOutcome, Suppression, Verdict,
    };

    use super::SuppressionUse;

    fn suppression(finding: &str, expires: &str) -> Suppression {
        Suppression {
            finding: FindingPattern::parse(finding).unwrap(),
            reason: "it is moved next week".to_owned(),
            owner: "anna".to_owned(),
            expires: expires.parse().unwrap(),
        }
    }

    /// The rehearsal is of 2026-11-22; `alpha.service` has failed in it.
    fn failed_alpha(suppressions: &[(&str, &str)]) -> (Plan, Recording) {
        let (mut plan, mut recording) = testing::healthy_recording();
        let guest = recording.guest(State::Rebooted);
        guest.set_unit("alpha.service", &[("ActiveState", "failed")]);
        plan.suppressions = suppressions
            .iter()
            .map(|(finding, expires)| suppression(finding, expires))
            .collect();
        (plan, recording)
    }

    fn report_of((plan, recording): &(Plan, Recording)) -> Report {
        report(plan, &recording.observations_of(plan))
    }

    fn printed(report: &Report) -> [String; 3] {
        let style = human::Style::default();
        [
            human::render(report, &style),
            markdown::render(report),
            crate::report::json::render(report).unwrap(),
        ]
    }

    #[test]
    fn what_somebody_answers_for_is_told_and_does_not_fail() {
        let report = report_of(&failed_alpha(&[(
            "*/unit-failed/alpha.service",
            "2026-11-22",
        )]));
        assert_eq!(report.verdict, Verdict::Pass);
        assert!(
            report.headline.ends_with(" (1 suppressed)"),
            "{}",
            report.headline
        );
        assert_eq!(report.findings[0].severity, Severity::Warning);
        assert!(report.findings[0].suppressed.is_some());
        assert_eq!(report.suppressions[0].came_of_it, SuppressionUse::Used);
        let id = "rebooted/unit-failed/alpha.service";
        assert_eq!(report.suppressions[0].findings, [id]);
        for text in printed(&report) {
            assert!(text.contains("it is moved next week"), "{text}");
            assert!(
                text.contains("2026-11-22") && text.contains("anna"),
                "{text}"
            );
        }
    }

    #[test]
    fn an_expired_one_fails_and_is_told() {
        let all = [("*/unit-failed/alpha.service", "2026-11-21")];
        let mut case = failed_alpha(&all);
        let report = report_of(&case);
        assert_eq!(report.verdict, Verdict::Fail);
        assert!(report.headline.contains("by anna expired on 2026-11-21"));
        for text in printed(&report) {
            assert!(text.contains("expired"), "{text}");
        }
        // A recording without a date has no day on which one could count.
        case.0.suppressions[0].expires = "9999-01-01".parse().unwrap();
        case.0.rehearsed_on = None;
        assert_eq!(report_of(&case).verdict, Verdict::Fail);
    }

    #[test]
    fn one_that_is_not_expired_counts_beside_one_that_is() {
        let all = [
            ("*/unit-failed/alpha.service", "2026-11-21"),
            ("*/*/alpha.service", "2026-12-01"),
        ];
        let report = report_of(&failed_alpha(&all));
        assert_eq!(report.verdict, Verdict::Pass);
        assert_eq!(report.suppressions[0].came_of_it, SuppressionUse::Expired);
    }

    #[test]
    fn an_unused_one_is_told() {
        let all = [
            ("*/unit-failed/beta.service", "2026-12-01"),
            ("*/unit-failed/alpha.service", "2026-12-01"),
        ];
        let report = report_of(&failed_alpha(&all));
        assert_eq!(report.verdict, Verdict::Pass);
        assert_eq!(report.suppressions[0].came_of_it, SuppressionUse::Unused);
        for text in printed(&report) {
            assert!(text.contains("unused"), "{text}");
        }
    }

    #[test]
    fn the_rest_of_the_faults_still_fails() {
        let (mut plan, recording) = testing::outage_recording();
        plan.suppressions = ["alpha.service", "beta.service"]
            .map(|unit| Suppression {
                finding: FindingPattern::of_unit(unit).unwrap(),
                ..suppression("*/*/alpha.service", "2026-12-01")
            })
            .to_vec();
        let report = report(&plan, &recording.observations_of(&plan));
        assert_eq!(report.verdict, Verdict::Fail);
        assert!(
            report.headline.contains("gamma.service"),
            "{}",
            report.headline
        );
        assert!(!report.headline.contains("alpha"), "{}", report.headline);
    }

    #[test]
    fn a_step_that_was_not_done_leaves_what_it_hides_unproven() {
        let mut case = failed_alpha(&[("*/unit-failed/alpha.service", "2026-12-01")]);
        case.1.guests.remove(&State::Rebooted);
        let guest = case.1.guest(State::Switched);
        guest.set_unit("alpha.service", &[("ActiveState", "failed")]);
        case.1.fail_step(Step::WarmReboot, StepOutcome::Skipped);
        let report = report_of(&case);
        assert_ne!(report.verdict, Verdict::Pass);
        assert!(report.unproven.iter().any(|u| u.subject == "suppressions"));
    }

    #[test]
    fn what_an_owner_wrote_cannot_write_to_a_terminal() {
        let mut case = failed_alpha(&[("*/unit-failed/alpha.service", "2026-12-01")]);
        case.0.suppressions[0].reason = "\u{1b}[2Jgone".to_owned();
        for text in printed(&report_of(&case)) {
            assert!(
                !text.contains('\u{1b}') && !text.contains("u001b"),
                "{text}"
            );
        }
    }
}
