//! What came of each specialisation of the candidate that was to be booted. One line each.

use super::model::SpecialisationReport;
use super::select;
use super::state::state;
use crate::fold::{Run, StateRecord, sanitise};
use crate::vocabulary::{Plan, Specialisation, State, Step};

/// By name; of one that was booted several times, the last boot. Nothing where no step boots them.
pub(super) fn specialisations(plan: &Plan, run: &Run) -> Vec<SpecialisationReport> {
    if run.step(Step::Specialisations).is_none() {
        return Vec::new();
    }
    let of_plan = plan.specialisations.iter().map(|known| {
        let Specialisation { name, closure } = known;
        let looks = run.looks();
        let is_its = |(of, record): &&(State, &StateRecord)| {
            *of == State::Specialised && record.occasion.as_deref() == Some(name.as_str())
        };
        let record = looks.iter().rfind(is_its).map(|(_, record)| *record);
        let told = match record {
            Some(record) => seen(record),
            None if run.not_in_menu.contains(name) => "the boot menu has no entry of it".to_owned(),
            None => "not seen".to_owned(),
        };
        SpecialisationReport {
            name: name.clone(),
            toplevel: Some(closure.toplevel.clone()),
            booted: record.and_then(|r| r.booted()).map(sanitise::line),
            text: format!("{name}: {told}"),
        }
    });
    let left_out = plan.specialisations_left_out.iter();
    let left_out = left_out.map(|(name, reason)| SpecialisationReport {
        name: name.clone(),
        toplevel: None,
        booted: None,
        text: format!("{name}: not booted, because {reason}"),
    });
    of_plan.chain(left_out).collect()
}

/// `booted; systemd says running, 0 failed units; 4 × 200`.
fn seen(record: &StateRecord) -> String {
    let seen = state(State::Specialised, record);
    let word = seen.system_state.as_deref().unwrap_or("nothing");
    let failed = match seen.units_failed {
        Some(1) => "1 failed unit".to_owned(),
        Some(count) => format!("{count} failed units"),
        None => "its units were not seen".to_owned(),
    };
    format!(
        "booted; systemd says {word}, {failed}; http: {}",
        select::http(&seen)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use crate::vocabulary::Observation;

    #[test]
    fn each_has_a_line_of_its_own() {
        let (mut plan, mut recording) = testing::specialised_recording(&["gaming", "work"]);
        let guest = recording.specialised.get_mut("gaming").unwrap();
        guest.system_state = "degraded".to_owned();
        guest.set_unit("beta.service", &[("ActiveState", "failed")]);
        recording.specialised.remove("work");
        recording.more.push(Observation::Specialisation {
            name: "work".to_owned(),
            in_menu: false,
        });
        let reason = "its link leads to no store path of the candidate".to_owned();
        plan.specialisations_left_out = vec![("gone".to_owned(), reason)];
        let told = specialisations(&plan, &recording.run(&plan));
        let lines: Vec<&str> = told.iter().map(|told| told.text.as_str()).collect();
        assert_eq!(
            lines,
            [
                "gaming: booted; systemd says degraded, 1 failed unit; http: 3 × 200",
                "work: the boot menu has no entry of it",
                "gone: not booted, because its link leads to no store path of the candidate",
            ]
        );
        let toplevel = plan.specialisations[0].closure.toplevel.as_str();
        assert_eq!(told[0].booted.as_deref(), Some(toplevel));
    }

    #[test]
    fn a_rehearsal_that_boots_none_says_nothing() {
        let (plan, recording) = testing::healthy_recording();
        assert_eq!(specialisations(&plan, &recording.run(&plan)), []);
    }
}
