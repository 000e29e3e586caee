use super::Inspection;
use crate::fold::sanitise::line;
use crate::fold::sanitised;
use crate::vocabulary::System;

/// The inspection with every text of the closure as one bounded line that shows as it is: whatever its form, its names and messages can
/// neither steer a terminal nor fill it.
pub(super) fn clean(inspection: Inspection) -> Inspection {
    let said = sanitised(&inspection.recorded());
    let text = |text: Option<String>| text.as_deref().map(line);
    let system = |system: System| System::from(line(system.as_str()));
    Inspection {
        nixos_version: text(inspection.nixos_version),
        kernel: inspection.kernel.map(system),
        kernel_version: text(inspection.kernel_version),
        expected: inspection.expected.map(|mut expected| {
            expected.system = system(expected.system);
            expected
        }),
        headline: line(&inspection.headline),
        next: text(inspection.next),
        findings: said.findings,
        causes: said.causes,
        unproven: said.unproven,
        notes: said.notes,
        changes: said.changes,
        ..inspection
    }
}

#[cfg(test)]
mod tests {
    use crate::inspect::testing::{inspected, server, unit};

    #[test]
    fn what_a_closure_says_is_one_bounded_line_in_every_form() {
        let fake = server();
        let evil = "\u{1b}]0;title\u{7}\u{202e}two\nlines";
        let text = format!("[Service]\nExecStart=/gone{}\n", "x".repeat(100_000));
        unit(&fake, &format!("{evil}.service"), &text);
        unit(&fake, "default.target", "[Unit]\nWants=missing.service\n");
        let inspection = inspected(&fake);
        let found = &inspection.findings[0];
        assert_eq!(found.subject, "two lines.service");
        assert!(found.summary.chars().count() < 600);
        let json = serde_json::to_string(&inspection).unwrap();
        assert!(!json.contains("\\u001b") && !json.contains('\u{202e}'));
    }

    #[test]
    fn what_is_clean_stays_as_it_is() {
        let plain = inspected(&server());
        assert_eq!(super::clean(plain.clone()), plain);
    }
}
