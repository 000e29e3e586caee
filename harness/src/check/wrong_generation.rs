//! What was booted, what is current and what the profile names must be the closures that the state demands.

use crate::vocabulary::{Check, Finding, StorePath};

use super::Scene;

pub(super) fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let Some(identity) = &scene.record.identity else {
        return Vec::new();
    };
    let current = &scene.plan.closure_in(scene.state).toplevel;
    let booted = scene.plan.booted_in(scene.state);
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
            current,
        ),
    ];
    let wrong = rows.into_iter().filter_map(|(subject, link, is, must)| {
        let is = is.filter(|is| is.as_str() != must.as_str())?;
        let summary = format!("{link} is not {}", must.base_name());
        let finding = Finding::new(Check::WrongGeneration, scene.state, subject, summary)
            .with_evidence(link, is.as_str())
            .with_evidence("expected", must.as_str());
        Some(finding)
    });
    wrong.collect()
}

#[cfg(test)]
mod tests {
    use crate::testing;
    use crate::vocabulary::State;

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

    #[test]
    fn the_old_kernel_under_the_new_system_is_how_a_switch_must_be() {
        let (plan, mut recording) = testing::healthy_recording();
        let identity = &recording.guest(State::Switched).identity;
        assert_eq!(identity["booted"], testing::BASELINE);
        assert_eq!(identity["current"], testing::CANDIDATE);
        assert_eq!(testing::finding_ids(&plan, &recording), [""; 0]);
    }
}
