//! `toplevel/system` of the running system must be the expected platform.
//!
//! It is the kernel's platform and no one else's, yet it is what shows first that another system was built than was meant.

use crate::vocabulary::{Check, Finding, System};

use super::Scene;

pub(super) fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let system = scene
        .record
        .identity
        .as_ref()
        .and_then(|i| i.system.clone());
    let expected = &scene.plan.expect_system;
    let Some(system) = system.map(System::from).filter(|s| s != expected) else {
        return Vec::new();
    };
    let summary = format!("the current system is built for {system}, and {expected} is expected");
    let finding = Finding::new(Check::SystemString, scene.state, "system", summary)
        .with_evidence("/run/current-system/system", system.as_str());
    vec![finding]
}

#[cfg(test)]
mod tests {
    use crate::testing;
    use crate::vocabulary::{State, System};

    #[test]
    fn another_system_than_expected_is_found_in_switched() {
        let (plan, mut recording) = testing::healthy_recording();
        let identity = &mut recording.guest(State::Switched).identity;
        identity.insert("system", "i686-linux".to_owned());
        assert_eq!(
            testing::finding_ids(&plan, &recording),
            ["switched/system-string/system"]
        );
    }

    #[test]
    fn the_expected_system_is_silent_even_where_it_is_unknown() {
        let mut plan = testing::without_baseline();
        plan.expect_system = System::Other("aarch64-linux".to_owned());
        let mut recording = testing::Recording::healthy(&plan);
        for state in [State::Booted, State::Rebooted] {
            let identity = &mut recording.guest(state).identity;
            identity.insert("system", "aarch64-linux".to_owned());
            identity.insert("machine", "aarch64".to_owned());
        }
        assert_eq!(testing::finding_ids(&plan, &recording), [""; 0]);
    }
}
