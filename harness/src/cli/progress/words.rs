//! Observations in words. Pure.

use crate::fold::sanitise;
use crate::vocabulary::{Accelerator, Observation, Prediction, ProbeRoute, StepOutcome};

/// What everybody is told of an observation; `None` for what only those are told who want all.
pub(super) fn words(observation: &Observation) -> Option<String> {
    let text = match observation {
        Observation::Inspected(inspected) => match inspected.causes.first() {
            Some(cause) => cause.headline.clone(),
            None => "nothing in the files stands against a boot".to_owned(),
        },
        Observation::Accelerator {
            accelerator,
            reason,
            ..
        } => {
            let slow = match accelerator {
                Accelerator::Tcg => " (slow)",
                Accelerator::Kvm => "",
            };
            format!("runs under {}{slow}: {reason}", accelerator.as_str())
        }
        Observation::BegunAgain { reason } => format!("begun again: {reason}"),
        Observation::StepStarted { .. } => "begins".to_owned(),
        Observation::StepFinished { outcome, .. } => match outcome {
            StepOutcome::Done => "done".to_owned(),
            StepOutcome::GuestFailed { reason, .. } => format!("the guest failed: {reason}"),
            StepOutcome::Unobservable { reason } => format!("not observed: {reason}"),
            StepOutcome::NotOffered { reason } => format!("skipped: {reason}"),
            StepOutcome::Skipped => return None,
        },
        Observation::PoweredOn { boot, .. } => format!("power on (boot {boot})"),
        Observation::Specialisation { name, in_menu } => match in_menu {
            true => format!("reboot into the specialisation `{name}`"),
            false => format!("the boot menu has no entry of the specialisation `{name}`"),
        },
        Observation::Stage { stage, .. } => stage.as_str().to_owned(),
        Observation::ChannelOpened {
            boot, transport, ..
        } => format!("root shell over {transport} (boot {boot})"),
        _ => return None,
    };
    Some(sanitise::line(&text))
}

/// What those are told beside who want all.
pub(super) fn details(observation: &Observation) -> Option<String> {
    let route = |route: &ProbeRoute| match route {
        ProbeRoute::Outside => "outside",
        ProbeRoute::Inside => "inside",
    };
    let text = match observation {
        Observation::Console { boot, line } => format!("console {boot}: {line}"),
        Observation::Qemu { boot, event, .. } => format!("QEMU of boot {boot}: {event}"),
        Observation::QemuExited { boot, status, .. } => format!("QEMU of boot {boot}: {status}"),
        Observation::Dumped {
            state,
            dump,
            exit_code,
            output,
            ..
        } => {
            let bytes = output.len();
            format!("dumped {dump:?} in {state}: {bytes} bytes, exit code {exit_code}")
        }
        Observation::CommandRan {
            command, exit_code, ..
        } => format!("ran {command}: exit code {exit_code}"),
        Observation::Http {
            endpoint,
            route: by,
            answer,
            ..
        } => format!(
            "GET {} from {}: {}",
            endpoint.url(),
            route(by),
            answer.word()
        ),
        Observation::Probed {
            endpoint,
            route: by,
            answer,
            probe,
            ..
        } => format!(
            "probe {} from {}: {} (expected: {probe})",
            endpoint.url(),
            route(by),
            answer.word()
        ),
        Observation::Predicted { prediction, .. } => match prediction {
            Prediction::Entry {
                entry, chosen_by, ..
            } => format!("the next boot starts {entry} ({chosen_by})"),
            Prediction::Unknown { reason } => format!("what boots next is not known: {reason}"),
        },
        Observation::Foretold { prediction, .. } => match prediction {
            Prediction::Entry {
                entry, chosen_by, ..
            } => format!("the disk says that {entry} is started ({chosen_by})"),
            Prediction::Unknown { reason } => {
                format!("what is started is not certain: {reason}")
            }
        },
        Observation::Note { text } => format!("note: {text}"),
        Observation::Unproven(unproven) => {
            format!("unproven: {}: {}", unproven.subject, unproven.reason)
        }
        _ => return None,
    };
    Some(sanitise::line(&text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn every_observation_of_a_rehearsal_has_words() {
        let (_, observations) = testing::outage();
        for recorded in observations {
            let told = words(&recorded.observation).or_else(|| details(&recorded.observation));
            assert!(told.is_some(), "{recorded:?}");
        }
    }

    #[test]
    fn what_a_guest_says_cannot_reach_the_terminal_raw() {
        let evil = "\u{1b}]0;owned\u{7}\u{1b}[2J".to_owned();
        let console = Observation::Console {
            boot: 1,
            line: evil.clone(),
        };
        let reason = Observation::BegunAgain { reason: evil };
        assert_eq!(details(&console).unwrap(), "console 1:");
        assert_eq!(words(&reason).unwrap(), "begun again:");
    }
}
