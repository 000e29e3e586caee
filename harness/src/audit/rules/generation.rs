//! The next boot starts what was deployed last.

use super::{Outcome, Scene};
use crate::audit::machine::Machine;
use crate::audit::model::{AuditCheck, AuditFinding};

pub(super) fn rule(scene: &Scene, outcome: &mut Outcome) {
    let machine = scene.machine;
    tell_pending(machine, outcome);
    let (Ok(next), Some(current)) = (&machine.next, machine.current.as_deref()) else {
        return;
    };
    let Some(starts) = next.toplevel.as_deref() else {
        return;
    };
    let profile = machine.profile.as_deref();
    if starts == current {
        if let Some(profile) = profile.filter(|profile| *profile != current) {
            // A deploy to a profile of another name leaves the system profile behind.
            let summary = format!(
                "runs now and is what the next boot starts, and the system profile is {profile}"
            );
            outcome.findings.push(warning(current, summary));
        }
        return;
    }
    if let Some((name, _)) = machine
        .specialisations
        .iter()
        .find(|(_, path)| *path == current)
    {
        let note =
            format!("the machine runs the specialisation `{name}` of what the next boot starts");
        outcome.notes.push(note);
        return;
    }
    if Some(starts) == profile {
        if machine.booted.as_deref() == Some(current) {
            let note = format!("{starts} was deployed for the next boot, and is not active yet");
            outcome.notes.push(note);
        } else {
            let summary =
                "was activated for this boot only: the next one starts the system profile"
                    .to_owned();
            outcome.findings.push(warning(current, summary));
        }
        return;
    }
    let summary = format!(
        "is what the next boot starts, and neither what runs now nor the system profile ({})",
        profile.unwrap_or("which is not told")
    );
    if next.on_purpose {
        let summary = format!("{summary}: chosen by {}", next.chosen_by);
        outcome.findings.push(warning(starts, summary));
        return;
    }
    let finding = AuditFinding::new(AuditCheck::NextGeneration, starts, summary)
        .with_evidence(&next.chosen_by, &next.entry)
        .with_evidence("/run/current-system", current);
    let advice = "install the bootloader again (`/run/current-system/bin/switch-to-configuration boot`), and see what it says";
    let headline = format!(
        "the next boot starts another system than what was deployed: {starts}, and {current} runs now"
    );
    outcome.cause(headline, advice, vec![finding]);
}

fn warning(subject: &str, summary: String) -> AuditFinding {
    AuditFinding::new(AuditCheck::NextGeneration, subject, summary).into_warning()
}

/// A kernel waits for its boot: how every update leaves a machine.
fn tell_pending(machine: &Machine, outcome: &mut Outcome) {
    if !machine.reboot_for.is_empty() {
        let note = format!(
            "a reboot is pending: {} of the current system differ from the booted one's",
            machine.reboot_for.join(", ")
        );
        outcome.notes.push(note);
    }
}
