//! After a power cut in a switch the store of what boots must be whole, and what is not whole must not pass for valid.
//!
//! A path of the other generation that is damaged and that Nix does not call valid, or of which nobody knows, is how a copy ends that was cut
//! short: the next deploy copies it again. What Nix calls valid no deploy copies, so that the next switch goes to the damaged one.

use crate::fold::{StoreSeen, sanitise};
use crate::vocabulary::{Check, DamagedPath, Finding};

use super::Scene;

/// How many paths are quoted.
const QUOTED: usize = 4;

pub(super) fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let Some(seen) = &scene.record.store else {
        return Vec::new();
    };
    let candidate_runs = scene.runs_the_candidate();
    let [booted, other] = match candidate_runs {
        true => ["candidate", "baseline"],
        false => ["baseline", "candidate"],
    };
    let (needed, rest): (Vec<&DamagedPath>, Vec<&DamagedPath>) =
        seen.damaged
            .iter()
            .partition(|damaged| match candidate_runs {
                true => damaged.of_candidate,
                false => damaged.of_baseline,
            });
    let stale: Vec<&DamagedPath> = rest
        .into_iter()
        .filter(|damaged| damaged.valid == Some(true))
        .collect();
    let of_booted = (!needed.is_empty()).then(|| {
        let summary = format!(
            "the {booted} boots with {} that the power cut damaged",
            paths(needed.len())
        );
        told(scene, booted, summary, &needed, seen)
    });
    let of_other = (!stale.is_empty()).then(|| {
        let summary = format!(
            "{} of the {other} are damaged by the power cut, and Nix calls them valid: the next deploy does not copy them again",
            paths(stale.len())
        );
        told(scene, other, summary, &stale, seen)
    });
    of_booted.into_iter().chain(of_other).collect()
}

fn paths(count: usize) -> String {
    match count {
        1 => "1 store path".to_owned(),
        many => format!("{many} store paths"),
    }
}

fn told(
    scene: &Scene<'_>,
    subject: &str,
    summary: String,
    damaged: &[&DamagedPath],
    seen: &StoreSeen,
) -> Finding {
    let mut finding = Finding::new(Check::StoreDamaged, scene.state, subject, summary);
    if let Some(occasion) = &scene.record.occasion {
        finding = finding.with_evidence("power cut", occasion);
    }
    let quoted = damaged.iter().take(QUOTED).fold(finding, |finding, path| {
        let more = match path.files {
            0 | 1 => String::new(),
            files => format!(" (and {} more of its files)", files - 1),
        };
        let source = sanitise::line(&format!("/nix/store/{}", path.path));
        let text = sanitise::line(&format!("{}{more}", path.first));
        finding.with_evidence(source, text)
    });
    let more = (damaged.len().saturating_sub(QUOTED) as u64).saturating_add(seen.more);
    match more {
        0 => quoted,
        more => quoted.with_evidence("store", format!("and {more} more damaged store paths")),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{self, Recording};
    use crate::vocabulary::{DamagedPath, Observation, Severity, State, Step};

    fn damaged(of_baseline: bool, of_candidate: bool, valid: Option<bool>) -> DamagedPath {
        DamagedPath {
            path: "0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-alpha".to_owned(),
            of_baseline,
            of_candidate,
            files: 2,
            first: "bin/alpha: 0 bytes, not 812".to_owned(),
            valid,
        }
    }

    fn ids(booted: &str, damaged: Vec<DamagedPath>) -> Vec<String> {
        let (mut plan, _) = testing::healthy_recording();
        plan.steps.insert(1, Step::PowerCutInSwitch);
        let mut recording = Recording::healthy(&plan);
        let identity = &mut recording.guest(State::CutInSwitch).identity;
        for key in ["booted", "current"] {
            identity.insert(key, booted.to_owned());
        }
        recording.more.push(Observation::StoreCompared {
            state: State::CutInSwitch,
            compared: 1792,
            damaged,
            more: 0,
        });
        let findings = testing::findings(&plan, &recording);
        assert!(
            findings
                .iter()
                .all(|f| f.severity == Severity::Error && !f.latent)
        );
        findings.iter().map(|f| f.id()).collect()
    }

    #[test]
    fn what_boots_must_be_whole() {
        let of =
            |booted, baseline, candidate| ids(booted, vec![damaged(baseline, candidate, None)]);
        assert_eq!(
            of(testing::BASELINE, true, true),
            ["cut-in-switch/store-damaged/baseline"]
        );
        assert_eq!(
            of(testing::CANDIDATE, false, true),
            ["cut-in-switch/store-damaged/candidate"]
        );
    }

    #[test]
    fn what_passes_for_valid_is_not_copied_again() {
        assert_eq!(
            ids(testing::BASELINE, vec![damaged(false, true, Some(true))]),
            ["cut-in-switch/store-damaged/candidate"]
        );
    }

    #[test]
    fn a_copy_that_was_cut_short_is_no_fault() {
        for valid in [None, Some(false)] {
            assert_eq!(
                ids(testing::BASELINE, vec![damaged(false, true, valid)]),
                [""; 0]
            );
        }
        assert_eq!(ids(testing::CANDIDATE, Vec::new()), [""; 0]);
        assert_eq!(ids(testing::BASELINE, Vec::new()), [""; 0]);
    }
}
