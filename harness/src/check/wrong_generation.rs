//! What was booted, what is current, what the profile names and what the bootloader starts next must be the closures that the state
//! demands.

use crate::vocabulary::{Check, Finding, Plan, Prediction, State, StorePath};

use super::{Scene, prediction};

pub(super) fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let Some(identity) = &scene.record.identity else {
        return Vec::new();
    };
    let current = &scene.closure().toplevel;
    let is_cut = scene.state == State::CutInSwitch;
    let default = &scene.plan.default_in(scene.state).toplevel;
    let [default, booted] = match scene.state {
        State::CutInSwitch => [current; 2],
        State::Specialised => [default, current],
        state => [default, scene.plan.booted_in(state)],
    };
    let rows: [(&str, &str, Option<&String>, &StorePath); 3] = [
        (
            "booted-system",
            "/run/booted-system",
            identity.booted.as_ref(),
            booted,
        ),
        (
            "current-system",
            "/run/current-system",
            identity.current.as_ref(),
            current,
        ),
        (
            "profile",
            "/nix/var/nix/profiles/system",
            identity.profile.as_ref(),
            default,
        ),
    ];
    let wrong = rows.into_iter().filter_map(|(subject, link, is, must)| {
        let is = is.filter(|is| is.as_str() != must.as_str())?;
        // The profile is switched before the boot entry is written, and either may be lost.
        if is_cut && subject == "profile" && is_of_the_plan(scene.plan, is) {
            return None;
        }
        let summary = format!("{link} is not {}", must.base_name());
        let finding = Finding::new(Check::WrongGeneration, scene.state, subject, summary)
            .with_evidence(link, is.as_str())
            .with_evidence("expected", must.as_str());
        Some(finding)
    });
    wrong.chain(default_entry(scene, default)).collect()
}

fn is_of_the_plan(plan: &Plan, toplevel: &str) -> bool {
    let both = plan.baseline.iter().chain([&plan.candidate]);
    both.into_iter()
        .any(|closure| closure.toplevel.as_str() == toplevel)
}

/// A reboot that was seen to start the right one is stronger than what its files seemed to say; that is for [`prediction`].
fn default_entry(scene: &Scene<'_>, must: &StorePath) -> Option<Finding> {
    let Some(Prediction::Entry {
        loader,
        entry,
        chosen_by,
        toplevel: Some(starts),
        ..
    }) = &scene.record.next_boot
    else {
        return None;
    };
    // GRUB reads a file system without its journal, which the kernel replays: the next boot may start the other of the two.
    if scene.state == State::CutInSwitch && is_of_the_plan(scene.plan, starts) {
        return None;
    }
    let came = prediction::booted_after(scene.plan, scene.run, scene.record.boot);
    if starts == must.as_str() || came == Some(must.as_str()) {
        return None;
    }
    let summary = format!(
        "the next boot does not start {}: {loader}'s default entry is another",
        must.base_name()
    );
    let finding = Finding::new(
        Check::WrongGeneration,
        scene.state,
        "default-entry",
        summary,
    )
    .with_evidence(chosen_by.as_str(), format!("{entry}: {starts}"))
    .with_evidence("expected", must.as_str());
    Some(finding)
}

#[cfg(test)]
mod tests {
    use crate::check::coverage;
    use crate::testing;
    use crate::vocabulary::{Observation, Prediction, State, Step};

    #[test]
    fn a_bootloader_that_boots_the_old_generation_is_found() {
        let (plan, mut recording) = testing::healthy_recording();
        let identity = &mut recording.guest(State::Rebooted).identity;
        identity.insert("booted", testing::BASELINE.to_owned());
        identity.insert("current", testing::BASELINE.to_owned());
        let findings = testing::findings(&plan, &recording);
        let ids: Vec<String> = findings.iter().map(|f| f.id()).collect();
        assert_eq!(
            ids,
            [
                "rebooted/wrong-generation/booted-system",
                "rebooted/wrong-generation/current-system"
            ]
        );
        assert!(findings.iter().all(|f| f.latent));
    }

    fn next(toplevel: &str) -> Observation {
        Observation::Predicted {
            state: Some(State::Switched),
            prediction: Prediction::Entry {
                loader: "systemd-boot".to_owned(),
                entry: "nixos-generation-1.conf".to_owned(),
                chosen_by: "default of /boot/loader/loader.conf".to_owned(),
                toplevel: Some(toplevel.to_owned()),
                fallback: None,
                offered: Vec::new(),
            },
        }
    }

    #[test]
    fn a_default_entry_that_is_not_the_candidate_is_found_before_anything_is_rebooted() {
        let (mut plan, mut recording) = testing::healthy_recording();
        recording.more.push(next(testing::BASELINE));
        recording.steps.pop();
        plan.steps.pop();
        let ids = testing::finding_ids(&plan, &recording);
        assert_eq!(ids, ["switched/wrong-generation/default-entry"]);
    }

    #[test]
    fn a_default_entry_that_is_the_candidate_or_that_starts_it_after_all_is_none() {
        for toplevel in [testing::CANDIDATE, testing::BASELINE] {
            let (plan, mut recording) = testing::healthy_recording();
            recording.more.push(next(toplevel));
            assert_eq!(testing::finding_ids(&plan, &recording), [""; 0]);
        }
    }

    #[test]
    fn the_old_kernel_under_the_new_system_is_how_a_switch_must_be() {
        let (plan, mut recording) = testing::healthy_recording();
        let identity = &recording.guest(State::Switched).identity;
        assert_eq!(identity["booted"], testing::BASELINE);
        assert_eq!(identity["current"], testing::CANDIDATE);
        assert_eq!(testing::finding_ids(&plan, &recording), [""; 0]);
    }

    #[test]
    fn a_specialisation_must_be_the_one_that_was_chosen_and_the_candidate_stays_the_default() {
        let found = |booted: &str, profile: &str, starts: &str| {
            let (plan, mut recording) = testing::specialised_recording(&["gaming", "work"]);
            let guest = recording.specialised.get_mut("work").unwrap();
            for (link, is) in [
                ("booted", booted),
                ("current", booted),
                ("profile", profile),
            ] {
                if !is.is_empty() {
                    guest.identity.insert(link, is.to_owned());
                }
            }
            let Observation::Predicted { prediction, .. } = next(starts) else {
                unreachable!("it is one");
            };
            recording.more.push(Observation::Predicted {
                state: Some(State::Specialised),
                prediction,
            });
            assert_eq!(coverage::unproven(&plan, &recording.run(&plan)), []);
            testing::finding_ids(&plan, &recording)
        };
        let of_it = |subject: &str| format!("specialised/wrong-generation/{subject}");
        let candidate = testing::CANDIDATE;
        assert_eq!(found("", candidate, candidate), [""; 0]);
        assert_eq!(
            found(candidate, "", candidate),
            [of_it("booted-system"), of_it("current-system")]
        );
        assert_eq!(
            found("", testing::BASELINE, testing::BASELINE),
            [of_it("default-entry"), of_it("profile")]
        );
    }

    /// After a power cut in the switch, with what booted and what the profile names; and what the bootloader starts next.
    fn after_a_cut(booted: &str, profile: &str, next_boot: &str) -> Vec<String> {
        let (mut plan, _) = testing::healthy_recording();
        plan.steps.insert(1, Step::PowerCutInSwitch);
        let mut recording = testing::Recording::healthy(&plan);
        let identity = &mut recording.guest(State::CutInSwitch).identity;
        for (key, is) in [
            ("booted", booted),
            ("current", booted),
            ("profile", profile),
        ] {
            identity.insert(key, is.to_owned());
        }
        let Observation::Predicted { prediction, .. } = next(next_boot) else {
            unreachable!("it is one");
        };
        recording.more.push(Observation::Predicted {
            state: Some(State::CutInSwitch),
            prediction,
        });
        let gaps = coverage::unproven(&plan, &recording.run(&plan));
        assert_eq!(gaps, []);
        testing::finding_ids(&plan, &recording)
    }

    #[test]
    fn after_a_power_cut_in_a_switch_either_of_the_two_may_boot() {
        let both = [testing::BASELINE, testing::CANDIDATE];
        for booted in both {
            for (profile, next) in both.iter().flat_map(|p| both.map(|next| (*p, next))) {
                assert_eq!(after_a_cut(booted, profile, next), [""; 0]);
            }
        }
    }

    #[test]
    fn after_a_power_cut_in_a_switch_nothing_else_may() {
        let other = "/nix/store/3333333333333333333333333333333d-nixos-system-web-23.05";
        let of_cut = |subject: &str| format!("cut-in-switch/wrong-generation/{subject}");
        assert_eq!(
            after_a_cut(other, testing::BASELINE, testing::BASELINE),
            [of_cut("booted-system"), of_cut("current-system")]
        );
        assert_eq!(
            after_a_cut(testing::BASELINE, other, other),
            [of_cut("default-entry"), of_cut("profile")]
        );
    }
}
