//! Store paths that are not what their store recorded of them.

use super::rules::{Outcome, Subject};
use crate::closure::Damage;
use crate::vocabulary::{Check, Finding, State};

/// Store paths of which nothing can be said are told one by one up to here.
const TOLD: usize = 3;

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let Some(contents) = subject.contents else {
        return;
    };
    if let [first, more @ ..] = contents.damaged.as_slice() {
        let more = match more.len() {
            0 => String::new(),
            count => format!(" (and {count} more)"),
        };
        outcome.cause(
            format!(
                "{} is not what its store recorded{}{more}",
                first.path.base_name(),
                likely(first)
            ),
            "repair the store (`nix-store --verify --check-contents --repair`) or copy the closure again, and look for what \
             damaged it: a power cut, a full disk, memory",
            contents.damaged.iter().map(finding),
        );
    }
    for (path, reason) in contents.unknown.iter().take(TOLD) {
        outcome.unproven(path.name(), format!("{path}: {reason}"), true);
    }
    if contents.unknown.len() > TOLD {
        let reason = format!(
            "the contents of {} more store paths could not be verified",
            contents.unknown.len() - TOLD
        );
        outcome.unproven("store contents", reason, true);
    }
    if contents.damaged.is_empty() && contents.unknown.is_empty() {
        outcome.notes.push(format!(
            "the files of all {} store paths are what their store recorded",
            contents.whole
        ));
    }
}

/// The id is the same in the next build's store, whose paths have other hashes.
fn finding(damage: &Damage) -> Finding {
    let summary = format!("it is not what its store recorded{}", likely(damage));
    let mut finding = Finding::new(
        Check::StoreContents,
        State::Inspected,
        damage.path.name(),
        summary,
    )
    .with_evidence("store path", damage.path.as_str())
    .with_evidence("recorded", &damage.recorded)
    .with_evidence("found", &damage.found);
    for (name, what) in &damage.suspects {
        finding = finding.with_evidence(name, *what);
    }
    finding
}

/// `: bin/x is empty`; nothing where no file looks damaged.
fn likely(damage: &Damage) -> String {
    match damage.suspects.first() {
        Some((name, what)) if name.is_empty() => format!(": it {what}"),
        Some((name, what)) => format!(": {name} {what}"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::closure::Closure;
    use crate::closure::testing::FakeClosure;
    use crate::inspect::testing::{ids, inspected_against, server};
    use crate::inspect::{Against, Inspection, Options};
    use crate::vocabulary::Verdict;

    fn verified(closure: &Closure) -> Inspection {
        let options = Options {
            verify_contents: true,
            ..Options::default()
        };
        inspected_against(closure, &Against::default(), &options)
    }

    /// Registers the closure as it is now.
    fn registered(fake: &FakeClosure) -> Closure {
        let mut closure = fake.closure();
        let file = fake.root().join("registration");
        fs::write(&file, crate::closure::testing::registration(&closure)).unwrap();
        closure.registration = Some(file);
        closure
    }

    #[test]
    fn a_file_that_lost_its_bytes_fails_and_is_named() {
        let fake = server();
        let closure = registered(&fake);
        fake.file("etc/fstab", "");
        let inspection = verified(&closure);
        let path = fake.store_path("toplevel");
        let id = "inspected/store-contents/toplevel".to_owned();
        assert!(ids(&inspection).contains(&id), "{:?}", ids(&inspection));
        assert_eq!(inspection.verdict, Verdict::Fail);
        let finding = &inspection.findings[0];
        assert_eq!(finding.evidence[0].text, path.as_str());
        assert!(finding.evidence.len() >= 4, "{finding:?}");
    }

    #[test]
    fn a_store_that_is_whole_is_silent() {
        let inspection = verified(&registered(&server()));
        assert_eq!(ids(&inspection), [""; 0]);
        assert_eq!(inspection.verdict, Verdict::Pass);
        assert!(
            inspection
                .notes
                .iter()
                .any(|note| note.contains("recorded"))
        );
    }

    #[test]
    fn a_store_without_records_proves_nothing() {
        let inspection = verified(&server().closure());
        assert_eq!(ids(&inspection), [""; 0]);
        assert_eq!(inspection.verdict, Verdict::Unproven);
    }
}
