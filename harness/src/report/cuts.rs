//! What came of each power cut in a switch: which generation boots, and whether the store is whole. One line each.

use super::model::CutReport;
use crate::fold::{Run, StateRecord, sanitise};
use crate::vocabulary::{Plan, Prediction, State};

/// In the order of the cuts.
pub(super) fn cuts(plan: &Plan, run: &Run) -> Vec<CutReport> {
    let mut looks: Vec<_> = run
        .looks()
        .into_iter()
        .filter(|(state, _)| *state == State::CutInSwitch)
        .map(|(_, record)| record)
        .collect();
    looks.sort_by_key(|record| record.boot);
    looks
        .into_iter()
        .filter_map(|record| {
            let cut = record.occasion.clone()?;
            let booted = record.booted();
            let told = [
                boots(plan, run, record, booted),
                store(plan, record, booted),
            ];
            Some(CutReport {
                text: format!("{cut}: {}", told.join("; ")),
                cut,
                booted: booted.map(sanitise::line),
            })
        })
        .collect()
}

fn boots(plan: &Plan, run: &Run, record: &StateRecord, booted: Option<&str>) -> String {
    let Some(booted) = booted else {
        return "what boots was not seen".to_owned();
    };
    let next = record.next_boot.as_ref().and_then(|next| next.toplevel());
    let then = match next.filter(|next| *next != booted) {
        Some(next) => format!(", and the time after that {}", role(plan, next)),
        None => String::new(),
    };
    let foretold = record
        .boot
        .and_then(|number| run.boot(number)?.foretold.as_ref());
    let as_told = match foretold.and_then(Prediction::toplevel) == Some(booted) {
        true => " as its disk says",
        false => "",
    };
    format!("{} boots{as_told}{then}", role(plan, booted))
}

fn store(plan: &Plan, record: &StateRecord, booted: Option<&str>) -> String {
    let Some(seen) = &record.store else {
        return "its store was not compared".to_owned();
    };
    let is_candidate = booted == Some(plan.candidate.toplevel.as_str());
    let [of_booted, of_other] = [is_candidate, !is_candidate].map(|candidate| {
        let of_it = seen.damaged.iter().filter(|damaged| match candidate {
            true => damaged.of_candidate,
            false => damaged.of_baseline,
        });
        of_it.count()
    });
    let other = if is_candidate {
        "baseline"
    } else {
        "candidate"
    };
    match (of_booted, of_other) {
        (0, 0) => format!("the store is whole ({} files)", seen.compared),
        (0, other_paths) => {
            format!("its store is whole, {other_paths} store paths of the {other} are not")
        }
        (damaged, _) => format!("{damaged} of its store paths are damaged"),
    }
}

fn role(plan: &Plan, toplevel: &str) -> String {
    let is = |of: &crate::vocabulary::ClosureFacts| of.toplevel.as_str() == toplevel;
    if is(&plan.candidate) {
        "the candidate".to_owned()
    } else if plan.baseline.as_ref().is_some_and(is) {
        "the baseline".to_owned()
    } else {
        sanitise::line(toplevel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, Recording};
    use crate::vocabulary::{DamagedPath, Observation, Step};

    fn told(booted: &str, damaged: Vec<DamagedPath>) -> String {
        let (mut plan, _) = testing::healthy_recording();
        plan.steps.insert(1, Step::PowerCutInSwitch);
        let mut recording = Recording::healthy(&plan);
        let guest = recording.guest(State::CutInSwitch);
        guest.identity.insert("booted", booted.to_owned());
        recording.more.push(Observation::StoreCompared {
            state: State::CutInSwitch,
            compared: 7,
            damaged,
            more: 0,
        });
        let mut run = recording.run(&plan);
        let record = run.states.get_mut(&State::CutInSwitch).unwrap();
        record.occasion = Some("cut in the activation".to_owned());
        let cuts = cuts(&plan, &run);
        assert_eq!(cuts.len(), 1);
        cuts[0].text.clone()
    }

    #[test]
    fn a_cut_is_told_by_what_boots_and_what_is_whole() {
        assert_eq!(
            told(testing::CANDIDATE, Vec::new()),
            "cut in the activation: the candidate boots; the store is whole (7 files)"
        );
        let damaged = DamagedPath {
            path: "0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-alpha".to_owned(),
            of_baseline: false,
            of_candidate: true,
            files: 1,
            first: "0 bytes, not 1".to_owned(),
            valid: None,
        };
        assert!(
            told(testing::CANDIDATE, vec![damaged.clone()])
                .ends_with("; 1 of its store paths are damaged")
        );
        assert!(told(testing::BASELINE, vec![damaged]).ends_with(
            "the baseline boots; its store is whole, 1 store paths of the candidate are not"
        ));
    }
}
