//! Links that lead nowhere, units that are links to nothing, and paths that the closure does not contain.

use super::rules::{Outcome, Subject};
use crate::closure::DanglingLink;
use crate::vocabulary::{Check, Finding, State};

const UNITS: &str = "etc/systemd/system/";
/// Packages ship links for what was left out of them: only so many are told one by one.
const TOLD: usize = 10;

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let (units, others): (Vec<_>, Vec<_>) = subject
        .survey
        .dangling
        .iter()
        .partition(|link| is_unit_file(link));
    for link in units {
        let name = &link.place[UNITS.len()..];
        let summary = format!("the unit {name} is a link to nothing: systemd will not find it");
        let finding = Finding::new(Check::Reference, State::Inspected, name, summary.clone());
        outcome.cause(
            summary,
            "build the toplevel again; where the closure was copied, copy all of it",
            [finding.with_evidence(&link.place, &link.target)],
        );
    }
    strangers(subject, outcome);
    for link in others.iter().take(TOLD) {
        let summary = "a link that leads nowhere".to_owned();
        outcome.findings.push(
            Finding::new(Check::Reference, State::Inspected, &link.place, summary)
                .as_warning()
                .with_evidence(&link.place, &link.target),
        );
    }
    if others.len() > TOLD {
        outcome
            .notes
            .push(format!("{} more links lead nowhere", others.len() - TOLD));
    }
}

/// A path in a setting may be one that nothing opens; what is executed is another rule's.
fn strangers(subject: &Subject, outcome: &mut Outcome) {
    for (name, unit) in &subject.survey.units {
        let Some(first) = unit.strangers.first() else {
            continue;
        };
        let summary = format!("it names {first}, which is not in the closure");
        let mut finding =
            Finding::new(Check::Reference, State::Inspected, name, summary).as_warning();
        for path in &unit.strangers {
            finding = finding.with_evidence(name, path);
        }
        outcome.findings.push(finding);
    }
}

/// A link of `.wants` needs no target, since systemd reads its name only; an alias to a unit that is not there is as good as none.
fn is_unit_file(link: &DanglingLink) -> bool {
    link.place
        .strip_prefix(UNITS)
        .is_some_and(|name| !name.contains('/') && link.target.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use crate::inspect::testing::{ids, inspected, server, unit};
    use crate::vocabulary::Verdict;

    const GONE: &str = "/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-gone/x";

    #[test]
    fn a_unit_that_links_to_nothing_fails() {
        let fake = server();
        fake.link("toplevel", "etc/systemd/system/a.service", GONE);
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), ["inspected/reference/a.service"]);
        assert_eq!(inspection.verdict, Verdict::Fail);
    }

    #[test]
    fn other_links_that_lead_nowhere_are_warnings() {
        let fake = server();
        fake.link("toplevel", "etc/a", GONE);
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), ["inspected/reference/etc/a"]);
        assert_eq!(inspection.verdict, Verdict::Pass);
    }

    #[test]
    fn a_unit_that_names_a_path_outside_the_closure_is_a_warning() {
        let of = |path: &str| {
            let fake = server();
            let known = fake.store_file("known", "bin/x", "");
            let text = format!("[Service]\nEnvironment=PATH={known}:{path}\n");
            unit(&fake, "a.service", &text);
            ids(&inspected(&fake))
        };
        assert_eq!(of(GONE), ["inspected/reference/a.service"]);
        let nuked = "/nix/store/eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee-nuked/bin";
        assert_eq!(of(nuked), [""; 0]);
    }

    #[test]
    fn links_to_files_and_to_state_are_silent() {
        let fake = server();
        fake.link("toplevel", "etc/a", "/run/state");
        fake.link("toplevel", "etc/b", "fstab");
        assert_eq!(ids(&inspected(&fake)), [""; 0]);
    }
}
