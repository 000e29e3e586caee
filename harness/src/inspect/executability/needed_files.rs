//! Files that systemd opens for a unit before it executes anything.

use std::collections::BTreeSet;

use super::unit_finding::tell;
use crate::closure::{NeededFile, Unit, View};
use crate::inspect::rules::{Outcome, Subject};
use crate::vocabulary::{Check, Finding, State};

const NEXT: &str = "correct the path, or add the package that holds it to the configuration";
/// Files that are told of one unit.
const TOLD: usize = 5;

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    for (name, unit) in &subject.survey.units {
        let missing = || unit.missing_files.iter().filter(|file| is_seen(unit, file));
        // Certain before what is not.
        let first = missing().max_by_key(|file| is_certain(unit, file));
        let Some(first) = first.filter(|_| !unit.commands.is_empty()) else {
            continue;
        };
        let certain = is_certain(unit, first);
        let will = if certain { "will" } else { "would" };
        let (key, path) = (first.key, &first.path);
        let summary = format!(
            "{will} fail ({}): its {key} names {path}, which is not in the closure",
            result(key)
        );
        let mut finding = Finding::new(Check::Executability, State::Inspected, name, summary);
        if !certain {
            finding = finding.as_warning();
        }
        for file in missing().take(TOLD) {
            let source = format!("{}=", file.key);
            finding = finding.with_evidence(source, format!("{}: not in the closure", file.path));
        }
        tell(outcome, finding, NEXT);
    }
    note_people(subject, outcome);
}

/// What is named within an image or directory of the unit's own may be there.
fn is_seen(unit: &Unit, file: &NeededFile) -> bool {
    file.key != "WorkingDirectory" || unit.view != View::OwnRoot
}

fn is_certain(unit: &Unit, file: &NeededFile) -> bool {
    let is_bound = file.key == "WorkingDirectory" && unit.view == View::Binds;
    unit.at_boot && !unit.conditional && !is_bound
}

/// What systemd.exec(5) calls the failure.
fn result(key: &str) -> &'static str {
    match key {
        "LoadCredential" | "LoadCredentialEncrypted" => "243/CREDENTIALS",
        "BindPaths" | "BindReadOnlyPaths" => "226/NAMESPACE",
        "WorkingDirectory" => "200/CHDIR",
        _ => "systemd cannot load its environment",
    }
}

/// Secrets are put there by hand, and a unit does not start without them.
fn note_people(subject: &Subject, outcome: &mut Outcome) {
    let units = subject.survey.units.values().filter(|unit| unit.at_boot);
    let files: BTreeSet<&String> = units.flat_map(|unit| &unit.files_of_people).collect();
    let Some(first) = files.first() else {
        return;
    };
    let more = match files.len() {
        1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    outcome.notes.push(format!(
        "units read environment files that the closure does not put below /etc ({first}{more}): the machine must have them"
    ));
}

#[cfg(test)]
mod tests {
    use crate::inspect::testing::{ids, inspected, server, unit};
    use crate::vocabulary::{Severity, Verdict};

    const GONE: &str = "/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-gone";

    #[test]
    fn an_environment_file_that_is_not_there_fails() {
        let fake = server();
        let file = fake.store_file("app", "there", "");
        let gone = fake.path_of("app", "gone");
        let text = format!(
            "[Service]\nExecStart=/run/x\nEnvironmentFile={file}\nEnvironmentFile={gone}\n"
        );
        unit(&fake, "a.service", &text);
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), ["inspected/executability/a.service"]);
        assert_eq!(inspection.verdict, Verdict::Fail);
        let said = "a.service will fail (systemd cannot load its environment)";
        assert!(
            inspection.headline.contains(said),
            "{}",
            inspection.headline
        );
    }

    #[test]
    fn only_what_a_boot_is_certain_to_meet_is_an_error() {
        let gone = server().path_of("app", "gone");
        for text in [
            "[Service]\nExecStart=/run/x\nEnvironmentFile=GONE\n[Unit]\nConditionPathExists=/x\n",
            "[Service]\nExecStart=/run/x\nWorkingDirectory=GONE\nBindPaths=/a:GONE\n",
        ] {
            let fake = server();
            fake.store_file("app", "there", "");
            unit(
                &fake,
                "a.service",
                &text.replace("GONE", &fake.path_of("app", "gone")),
            );
            let inspection = inspected(&fake);
            assert_eq!(
                ids(&inspection),
                ["inspected/executability/a.service"],
                "{text} {gone}"
            );
            assert_eq!(inspection.verdict, Verdict::Pass, "{text}");
        }
        let fake = server();
        fake.store_file("app", "there", "");
        let gone = fake.path_of("app", "gone");
        let text =
            format!("[Service]\nExecStart=/run/x\nRootDirectory=/x\nWorkingDirectory={gone}\n");
        unit(&fake, "a.service", &text);
        unit(
            &fake,
            "b.service",
            &format!("[Service]\nExecStart=/run/x\nEnvironmentFile=-{gone}\n"),
        );
        assert_eq!(ids(&inspected(&fake)), [""; 0]);
    }

    #[test]
    fn a_unit_is_told_of_once_and_by_the_worst_of_it() {
        let fake = server();
        let text =
            format!("[Service]\nExecStart=/run/x\nExecStop={GONE}\nEnvironmentFile={GONE}\n");
        unit(&fake, "a.service", &text);
        let inspection = inspected(&fake);
        let of_unit: Vec<_> = inspection
            .findings
            .iter()
            .filter(|finding| finding.id() == "inspected/executability/a.service")
            .collect();
        assert_eq!(of_unit.len(), 1);
        assert_eq!(of_unit[0].severity, Severity::Error);
        assert_eq!(of_unit[0].evidence.len(), 2);
    }

    #[test]
    fn an_environment_file_that_people_put_below_etc_is_noted() {
        let fake = server();
        let text = "[Service]\nExecStart=/run/x\nEnvironmentFile=/etc/secret\n";
        unit(&fake, "a.service", text);
        let inspection = inspected(&fake);
        assert_eq!(ids(&inspection), [""; 0]);
        let notes = &inspection.notes;
        assert!(
            notes.iter().any(|note| note.contains("/etc/secret")),
            "{notes:?}"
        );
        fake.file("etc/secret", "");
        let notes = inspected(&fake).notes;
        assert!(
            !notes.iter().any(|note| note.contains("/etc/secret")),
            "{notes:?}"
        );
    }
}
