//! A specialisation is there to be chosen in the boot menu: one without an entry there is none for whoever needs it.

use crate::fold::Run;
use crate::vocabulary::{Check, Finding, Plan, State};

pub(super) fn check(plan: &Plan, run: &Run) -> Vec<Finding> {
    let missing = run.not_in_menu.iter().map(|name| {
        let summary = format!("the boot menu has no entry of the specialisation `{name}`");
        let finding = Finding::new(Check::NoBootEntry, State::Specialised, name, summary);
        let mut known = plan.specialisations.iter();
        match known.find(|known| known.name == *name) {
            Some(known) => finding.with_evidence("expected", known.closure.toplevel.as_str()),
            None => finding,
        }
    });
    missing.collect()
}

#[cfg(test)]
mod tests {
    use crate::testing;
    use crate::vocabulary::Observation;

    fn found(in_menu: bool) -> Vec<String> {
        let (plan, mut recording) = testing::specialised_recording(&["gaming"]);
        recording.more.push(Observation::Specialisation {
            name: "gaming".to_owned(),
            in_menu,
        });
        testing::finding_ids(&plan, &recording)
    }

    #[test]
    fn a_specialisation_that_the_menu_lacks_is_found() {
        assert_eq!(found(false), ["specialised/no-boot-entry/gaming"]);
    }

    #[test]
    fn one_that_it_has_is_silent() {
        assert_eq!(found(true), [""; 0]);
    }
}
