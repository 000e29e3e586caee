//! Rules about what the closure's files said before anything was booted: a boot shows what follows from it.

use crate::vocabulary::{Check, Finding, Inspected, Severity, State, StaticCause};

use super::claims::consequence;
use super::pool::Pool;
use super::{Case, Cause};

/// Takes the static findings about units that a boot found dead too.
pub(super) fn take_of_units<'a>(pool: &mut Pool<'a>, units: &[&str]) -> Vec<&'a Finding> {
    pool.take(|f| f.check == Check::Executability && units.contains(&f.subject.as_str()))
}

/// What the inspection says of the first of these; `None` where there is none.
pub(super) fn headline_of<'a>(case: Case<'a>, findings: &[&Finding]) -> Option<&'a str> {
    let id = findings.first()?.id();
    let mut causes = case.run.inspected.iter().flat_map(|i| &i.causes);
    let cause = causes.find(|cause| cause.findings.contains(&id))?;
    Some(&cause.headline)
}

/// What is missing on the way of the boot: that it fails follows from it.
pub(super) fn boot_path(case: Case<'_>, pool: &mut Pool<'_>) -> Vec<Cause> {
    let mut causes = of_check(case, pool, Check::BootPath);
    if let Some(first) = causes.first_mut() {
        let failed = pool.take_errors(Check::BootFailed);
        let follows = consequence(&failed, "the boot fails at");
        first.consequences.extend(follows);
    }
    causes
}

/// What nginx has not: that it does not answer, or answers with a gateway error, follows from it.
pub(super) fn nginx(case: Case<'_>, pool: &mut Pool<'_>) -> Vec<Cause> {
    let mut causes = of_check(case, pool, Check::NginxConfig);
    if let Some(first) = causes.first_mut() {
        let failed = pool.take(|f| f.check == Check::UnitFailed && f.subject == "nginx.service");
        let unanswered = pool.take_errors(Check::HttpUnanswered);
        let follows = [
            consequence(&failed, "failed"),
            consequence(&unanswered, "no answer from"),
        ];
        first.consequences.extend(follows.into_iter().flatten());
    }
    causes
}

/// Every other fault of the files, as the inspection orders them.
pub(super) fn the_rest(case: Case<'_>, pool: &mut Pool<'_>) -> Vec<Cause> {
    causes(case, pool, |f| f.state == State::Inspected)
}

fn of_check(case: Case<'_>, pool: &mut Pool<'_>, check: Check) -> Vec<Cause> {
    causes(case, pool, |f| f.check == check)
}

/// The inspection's causes, as far as their findings are wanted, still stand, and nothing took them.
fn causes(case: Case<'_>, pool: &mut Pool<'_>, wanted: impl Fn(&Finding) -> bool) -> Vec<Cause> {
    let inspected: Option<&Inspected> = case.run.inspected.as_ref();
    let found = inspected.iter().flat_map(|i| &i.causes);
    found
        .filter_map(|found: &StaticCause| {
            let findings = pool.take(|f| {
                f.severity == Severity::Error && wanted(f) && found.findings.contains(&f.id())
            });
            Cause::of(&findings, &found.headline, &found.next)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::check;
    use crate::diagnose::{Cause, diagnose};
    use crate::testing::{Recording, healthy_recording, outage_recording};
    use crate::vocabulary::{Check, Finding, Plan, State, StaticCause, Step, StepOutcome};

    fn with(recording: &mut Recording, check: Check, subjects: &[&str]) {
        let found = |subject: &&str| Finding::new(check, State::Inspected, *subject, "it lacks x");
        let findings: Vec<Finding> = subjects.iter().map(found).collect();
        recording.inspected.causes = vec![StaticCause {
            headline: "the files lack x".to_owned(),
            next: "add x".to_owned(),
            findings: findings.iter().map(Finding::id).collect(),
        }];
        recording.inspected.findings = findings;
    }

    fn causes(plan: &Plan, recording: &Recording) -> Vec<Cause> {
        let run = recording.run(plan);
        diagnose(plan, &run, &check::run(plan, &run)).causes
    }

    #[test]
    fn what_a_boot_confirms_stands_under_what_the_boot_says() {
        let (plan, mut recording) = outage_recording();
        with(&mut recording, Check::Executability, &["alpha.service"]);
        let causes = causes(&plan, &recording);
        assert_eq!(causes.len(), 1);
        let id = "inspected/executability/alpha.service".to_owned();
        assert!(causes[0].findings.contains(&id) && causes[0].latent);
    }

    #[test]
    fn a_boot_that_fails_follows_from_what_its_path_lacks() {
        let (plan, mut recording) = healthy_recording();
        with(&mut recording, Check::BootPath, &["initrd"]);
        let failed = StepOutcome::GuestFailed {
            stage: None,
            reason: "emergency mode".to_owned(),
            last_line: None,
        };
        recording.guests.remove(&State::Rebooted);
        recording.fail_step(Step::WarmReboot, failed);
        let causes = causes(&plan, &recording);
        assert_eq!(causes.len(), 1, "{causes:#?}");
        assert_eq!(causes[0].headline, "the files lack x");
        let follows = &causes[0].consequences[0].findings;
        assert_eq!(follows, &["rebooted/boot-failed/warm-reboot"]);
    }

    #[test]
    fn what_no_boot_shows_keeps_its_own_cause() {
        let (plan, mut recording) = healthy_recording();
        with(&mut recording, Check::Reference, &["a", "b"]);
        let causes = causes(&plan, &recording);
        assert_eq!(causes.len(), 1);
        assert_eq!(causes[0].next, "add x");
        assert_eq!(causes[0].findings.len(), 2);
    }
}
