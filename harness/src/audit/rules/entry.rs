//! What the boot entry names is there.

use super::{Outcome, Scene};
use crate::audit::model::{AuditCheck, AuditFinding};
use crate::next_boot::Presence;

pub(super) fn rule(scene: &Scene, outcome: &mut Outcome) {
    let Ok(next) = &scene.machine.next else {
        return;
    };
    let mut findings = Vec::new();
    let named = |what: &str, path: &str, fault: &str| {
        let summary = format!("the boot entry `{}` names {what} that {fault}", next.entry);
        AuditFinding::new(AuditCheck::NextEntry, path, summary)
            .with_evidence(&next.chosen_by, &next.entry)
    };
    let kernel = next.kernel.iter().map(|file| ("a kernel", file));
    let initrds = next.initrds.iter().map(|file| ("an initrd", file));
    for (what, file) in kernel.chain(initrds) {
        let path = file.path.as_deref().unwrap_or(&file.named);
        match file.presence {
            Presence::Gone => findings.push(named(what, path, "is not there")),
            Presence::There(0) => findings.push(named(what, path, "is empty")),
            Presence::There(_) => {}
            Presence::Unknown => {
                let note = format!(
                    "where {} is on this machine cannot be told from {}",
                    file.named, next.chosen_by
                );
                outcome.notes.push(note);
            }
        }
    }
    if let Some(path) = &next.toplevel
        && let Some(toplevel) = scene.machine.of(Some(path))
        && toplevel.is_there == Some(false)
    {
        findings.push(named("a system", path, "is not in the store"));
    }
    if let Some(first) = findings.first() {
        let headline = format!(
            "one reboot away from an outage: {}: {}",
            first.summary, first.subject
        );
        let advice = "install the bootloader again before a reboot (`/run/current-system/bin/switch-to-configuration boot`)";
        outcome.cause(headline, advice, findings);
    }
}
