//! What sockets, timers and paths of a boot start.

use crate::closure::{Survey, Unit};
use crate::inspect::rules::{Outcome, Subject};
use crate::vocabulary::{Check, Finding, State};

const KINDS: &[(&str, &str, &str)] = &[
    (".socket", "Socket", "Service"),
    (".timer", "Timer", "Unit"),
    (".path", "Path", "Unit"),
];

/// A warning: systemd refuses to start such a unit, and the boot goes on; the other may be made at run time.
pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    for (name, unit) in &subject.survey.units {
        if !unit.at_boot {
            continue;
        }
        let Some(started) = started_by(name, unit) else {
            continue;
        };
        if !is_known(subject, &started) {
            let text = format!(
                "would not start: {started}, which it is for, is masked or not in the closure"
            );
            let finding = Finding::new(Check::Executability, State::Inspected, name, text);
            outcome.findings.push(finding.as_warning());
        }
    }
}

/// The unit that another of these kinds starts: that of its name, unless it says otherwise.
fn started_by(name: &str, unit: &Unit) -> Option<String> {
    let (kind, section, key) = KINDS.iter().find(|(kind, ..)| name.ends_with(kind))?;
    if let Some(other) = unit.setting(section, key) {
        return (!other.contains('%')).then(|| other.to_owned());
    }
    let stem = name.strip_suffix(kind)?;
    let is_yes = |value: &str| {
        let value = value.to_ascii_lowercase();
        ["1", "yes", "y", "true", "t", "on"].contains(&value.as_str())
    };
    if unit.setting(section, "Accept").is_some_and(is_yes) {
        let prefix = stem.split_once('@').map_or(stem, |(prefix, _)| prefix);
        return Some(format!("{prefix}@.service"));
    }
    Some(format!("{stem}.service"))
}

fn is_known(subject: &Subject, name: &str) -> bool {
    let survey: &Survey = subject.survey;
    let template = name.split_once('@').and_then(|(prefix, rest)| {
        let (_, kind) = rest.rsplit_once('.')?;
        Some(format!("{prefix}@.{kind}"))
    });
    let is_there = |name: &str| {
        survey.units.contains_key(name)
            || survey.units_of_systemd.contains(name)
            || survey.unreadable.iter().any(|(subject, _)| subject == name)
    };
    let unlisted = survey
        .unreadable
        .iter()
        .any(|(subject, _)| subject == "systemd units");
    unlisted || is_there(name) || template.is_some_and(|template| is_there(&template))
}

#[cfg(test)]
mod tests {
    use crate::inspect::testing::{ids, inspected, server, unit};
    use crate::vocabulary::Verdict;

    #[test]
    fn what_starts_nothing_is_found() {
        for (name, text) in [
            ("a.timer", "[Timer]\nOnCalendar=daily\n"),
            ("a.path", "[Path]\nUnit=b.service\n"),
            ("a.socket", "[Socket]\nAccept=yes\n"),
        ] {
            let fake = server();
            unit(&fake, name, text);
            fake.link("toplevel", "etc/systemd/system/a.service", "/dev/null");
            let inspection = inspected(&fake);
            assert_eq!(
                ids(&inspection),
                [format!("inspected/executability/{name}")]
            );
            assert_eq!(inspection.verdict, Verdict::Pass);
        }
    }

    #[test]
    fn what_starts_a_unit_of_the_closure_is_silent() {
        let fake = server();
        unit(&fake, "a.timer", "");
        unit(&fake, "b.socket", "[Socket]\nAccept=yes\n");
        unit(&fake, "c@x.socket", "");
        unit(&fake, "d.path", "[Path]\nUnit=a.service\n");
        unit(&fake, "e.socket", "[Socket]\nService=of-systemd.service\n");
        for name in ["a.service", "b@.service", "c@.service"] {
            fake.file(&format!("etc/systemd/system/{name}"), "[Service]\n");
        }
        fake.file("systemd/lib/systemd/system/of-systemd.service", "");
        fake.file("etc/systemd/system/idle.timer", "");
        assert_eq!(ids(&inspected(&fake)), [""; 0]);
    }
}
