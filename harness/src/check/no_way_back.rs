//! After the switch the boot menu must still have what ran before: it is what an operator starts when the candidate does not serve.
//!
//! Read from the menu and not tried, so that it is a warning; where the rehearsal is to go back, it cannot, and that fails it.

use crate::vocabulary::{Check, Finding, Plan, Prediction, State, Step};

use crate::fold::Run;

pub(super) fn check(plan: &Plan, run: &Run) -> Vec<Finding> {
    finding(plan, run).into_iter().collect()
}

fn finding(plan: &Plan, run: &Run) -> Option<Finding> {
    let baseline = plan.baseline.as_ref()?.toplevel.as_str();
    let candidate = plan.candidate.toplevel.as_str();
    let Prediction::Entry {
        loader,
        toplevel: Some(next),
        offered,
        ..
    } = run.states.get(&State::Switched)?.next_boot.as_ref()?
    else {
        return None;
    };
    // A menu that was not updated is for another check, and a recording without its entries says nothing.
    if baseline == candidate || next != candidate || offered.is_empty() {
        return None;
    }
    if offered.iter().any(|toplevel| toplevel == baseline) {
        return None;
    }
    let summary = format!("{loader}'s menu has no entry any more of what ran before the switch");
    let finding = Finding::new(Check::NoWayBack, State::Switched, "boot-menu", summary)
        .with_evidence("expected", baseline);
    let finding = offered
        .iter()
        .take(SHOWN)
        .fold(finding, |finding, toplevel| {
            finding.with_evidence("boot menu", toplevel.as_str())
        });
    Some(match plan.steps.contains(&Step::Rollback) {
        true => finding,
        false => finding.as_warning(),
    })
}

/// How many entries are quoted.
const SHOWN: usize = 5;

#[cfg(test)]
mod tests {
    use crate::testing;
    use crate::vocabulary::{Observation, Prediction, Severity, State, Step};

    fn found(offered: &[&str], rolls_back: bool) -> Vec<(String, Severity)> {
        let (mut plan, mut recording) = testing::healthy_recording();
        recording.more.push(Observation::Predicted {
            state: Some(State::Switched),
            prediction: Prediction::Entry {
                loader: "GRUB".to_owned(),
                entry: "NixOS - Default".to_owned(),
                chosen_by: "default of /boot/grub/grub.cfg".to_owned(),
                toplevel: Some(testing::CANDIDATE.to_owned()),
                fallback: None,
                offered: offered
                    .iter()
                    .map(|&toplevel| toplevel.to_owned())
                    .collect(),
            },
        });
        let observations = recording.observations_of(&plan);
        if rolls_back {
            plan.steps.push(Step::Rollback);
        }
        let findings = crate::check::run(&plan, &crate::fold::fold(&observations));
        findings.iter().map(|f| (f.id(), f.severity)).collect()
    }

    #[test]
    fn a_menu_without_the_baseline_is_told_and_fails_who_wants_to_go_back() {
        let id = "switched/no-way-back/boot-menu".to_owned();
        let menu = [testing::CANDIDATE];
        assert_eq!(found(&menu, false), [(id.clone(), Severity::Warning)]);
        assert_eq!(found(&menu, true), [(id, Severity::Error)]);
    }

    #[test]
    fn a_menu_with_the_baseline_and_one_that_was_not_read_are_silent() {
        assert_eq!(found(&[testing::CANDIDATE, testing::BASELINE], true), []);
        assert_eq!(found(&[], true), []);
    }
}
