//! A cause that only specialisations show is told as theirs, whatever rule it is of.

use std::collections::BTreeSet;

use crate::check::SPECIALISATIONS;
use crate::vocabulary::{Finding, State};

use super::Cause;

impl Cause {
    /// Has the headline begin with the specialisations that it is about, where its words do not name them and nothing else showed it.
    pub(super) fn naming_specialisations(mut self, own: &[&Finding]) -> Self {
        let is_theirs = own.iter().all(|f| f.state == State::Specialised);
        if is_theirs && !self.headline.contains("specialisation") {
            self.headline = format!("{}: {}", who(own), self.headline);
        }
        self
    }
}

fn who(own: &[&Finding]) -> String {
    let quoted = own.iter().flat_map(|f| &f.evidence);
    let named: BTreeSet<&str> = quoted
        .filter(|evidence| evidence.source == SPECIALISATIONS)
        .flat_map(|evidence| evidence.text.split(", "))
        .collect();
    let names: Vec<&str> = named.into_iter().collect();
    match names.as_slice() {
        [] => "a specialisation".to_owned(),
        [name] => format!("the specialisation `{name}`"),
        names => format!("the specialisations {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use crate::check;
    use crate::diagnose::{Cause, diagnose};
    use crate::testing::{self, Recording, endpoint, status};
    use crate::vocabulary::{Plan, Severity, Stage, State, Step, StepOutcome};

    fn causes(plan: &Plan, recording: &Recording) -> Vec<Cause> {
        let run = recording.run(plan);
        diagnose(plan, &run, &check::run(plan, &run)).causes
    }

    /// The only cause where beta fails in these of two specialisations.
    fn beta_fails(of: &[&str]) -> Cause {
        let (plan, mut recording) = testing::specialised_recording(&["gaming", "work"]);
        for name in of {
            let guest = recording.specialised.get_mut(*name).unwrap();
            guest.set_unit(
                "beta.service",
                &[("ActiveState", "failed"), ("Result", "exit-code")],
            );
            guest.log_unit("beta.service", "/var/lib/beta: no license");
            guest.answer(2, endpoint("beta", 8082), status(502));
        }
        let mut causes = causes(&plan, &recording);
        assert_eq!(causes.len(), 1, "{causes:#?}");
        causes.remove(0)
    }

    #[test]
    fn what_one_specialisation_shows_is_told_with_its_name() {
        let cause = beta_fails(&["gaming"]);
        assert_eq!(
            cause.headline,
            "the specialisation `gaming`: beta.service failed (exit-code): /var/lib/beta: no license"
        );
        assert_eq!((cause.state, cause.latent), (State::Specialised, false));
        assert_eq!(cause.findings, ["specialised/unit-failed/beta.service"]);
        assert_eq!(cause.consequences.len(), 1);
        let both = beta_fails(&["gaming", "work"]);
        let begins = "the specialisations gaming, work: beta.service failed";
        assert!(both.headline.starts_with(begins), "{}", both.headline);
    }

    #[test]
    fn what_the_candidate_shows_too_is_the_candidates() {
        let (plan, mut recording) = testing::specialised_recording(&["gaming"]);
        let failed = [("ActiveState", "failed")];
        let guest = recording.specialised.get_mut("gaming").unwrap();
        guest.set_unit("beta.service", &failed);
        recording
            .guest(State::Switched)
            .set_unit("beta.service", &failed);
        let causes = causes(&plan, &recording);
        assert_eq!(causes.len(), 1, "{causes:#?}");
        assert!(!causes[0].headline.contains("specialisation"));
        assert_eq!(causes[0].state, State::Switched);
    }

    #[test]
    fn one_that_does_not_boot_is_named() {
        let (plan, mut recording) = testing::specialised_recording(&["gaming"]);
        let outcome = StepOutcome::GuestFailed {
            stage: Some(Stage::Kernel),
            reason: "kernel panic".to_owned(),
            last_line: None,
        };
        recording.fail_step(Step::Specialisations, outcome);
        recording.console = vec!["Kernel panic - not syncing: no way".to_owned()];
        let causes = causes(&plan, &recording);
        assert_eq!(causes.len(), 1, "{causes:#?}");
        assert_eq!(
            causes[0].headline,
            "the specialisation `gaming` does not boot: the kernel panics at the kernel's start: no way"
        );
        assert_eq!(
            causes[0].findings,
            ["specialised/boot-failed/specialisations"]
        );
    }

    #[test]
    fn one_that_ends_in_emergency_mode_is_named() {
        let (plan, mut recording) = testing::specialised_recording(&["gaming", "work"]);
        let guest = recording.specialised.get_mut("gaming").unwrap();
        guest.system_state = "maintenance".to_owned();
        guest.set_unit("emergency.target", &[]);
        let causes = causes(&plan, &recording);
        assert_eq!(causes[0].severity, Severity::Error);
        let begins = "the specialisation `gaming` does not boot: ";
        assert!(causes[0].headline.starts_with(begins), "{causes:#?}");
    }
}
