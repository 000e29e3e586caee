//! A service that is to run on must not be stopped and started again and again.
//!
//! Loops of failures are [`restart_loop`](super::restart_loop)'s; what a timer, a socket or a question over D-Bus starts comes and goes by design.

use crate::vocabulary::{Check, Finding, Stability, State};

use super::{Scene, stability};

pub(super) fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let unstable = stability::unstable(scene.record, scene.state == State::Switched);
    unstable
        .into_iter()
        .flatten()
        .filter(|unit| unit.stability == Stability::Flapping)
        .map(|unit| {
            let summary = format!("{} is stopped and started again and again", unit.unit);
            Finding::new(Check::UnitFlapping, scene.state, unit.unit, summary)
                .as_warning()
                .with_evidence("journal", unit.why)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::testing;
    use crate::vocabulary::State;

    fn ids(cycles: usize) -> Vec<String> {
        let (plan, mut recording) = testing::healthy_recording();
        for n in 0..cycles {
            for word in ["Stopped", "Started"] {
                recording.append_journal(
                    State::Rebooted,
                    &format!(
                        r#"{{"MESSAGE":"{word} beta.service - Beta.","UNIT":"beta.service","SYSLOG_IDENTIFIER":"systemd","__MONOTONIC_TIMESTAMP":"{n}000000"}}"#
                    ),
                );
            }
        }
        testing::finding_ids(&plan, &recording)
    }

    #[test]
    fn a_service_that_flaps_is_told() {
        assert_eq!(ids(2), ["rebooted/unit-flapping/beta.service"]);
    }

    #[test]
    fn one_restart_by_hand_is_silent() {
        assert_eq!(ids(1), [""; 0]);
    }
}
