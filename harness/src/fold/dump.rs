//! Puts one dump of the guest into the record of its state, and says what could not be read.
//!
//! Called by `folding` for each dump. It never fails: a dump that makes no sense is an [`Unproven`].

use crate::vocabulary::{Dump, State, Unproven};

use super::{
    BootFacts, Identity, StateRecord, file_systems, journal, listeners, refused, sanitise, units,
};

/// How many queued jobs are worth telling.
const JOB_LIMIT: usize = 20;

/// The words of `systemctl is-system-running` (systemctl(1)).
const SYSTEM_STATES: &[&str] = &[
    "initializing",
    "starting",
    "running",
    "degraded",
    "maintenance",
    "stopping",
    "offline",
];

/// A dump as it was recorded.
pub(super) struct RawDump<'a> {
    pub(super) state: State,
    pub(super) dump: Dump,
    pub(super) exit_code: i32,
    pub(super) output: &'a str,
    pub(super) truncated: bool,
}

/// What a dump is called in an [`Unproven`].
pub fn dump_subject(dump: Dump) -> &'static str {
    match dump {
        Dump::Identity => "identity",
        Dump::SystemState => "system-state",
        Dump::Jobs => "jobs",
        Dump::UnitsFirst => "units-first",
        Dump::UnitsLast => "units-last",
        Dump::Journal => "journal",
        Dump::Ldd => "ldd",
        Dump::Listeners => "listeners",
        Dump::FileSystems => "file-systems",
        Dump::Fingerprint => "fingerprint",
    }
}

/// Reads a dump into `record`, and returns what could not be read.
pub(super) fn read(raw: &RawDump<'_>, record: &mut StateRecord) -> Vec<Unproven> {
    let mut trouble = Vec::new();
    let mut report = |subject: &str, reason: String| {
        trouble.push(Unproven {
            state: Some(raw.state),
            subject: subject.to_owned(),
            reason,
            decisive: raw.dump.is_decisive(),
        });
    };
    record.dumped.insert(raw.dump);
    let subject = dump_subject(raw.dump);
    // `is-system-running` exits with 1 for every word but `running`.
    if raw.exit_code != 0 && raw.dump != Dump::SystemState {
        let last = sanitise::last_lines(raw.output, 1).pop();
        report(
            subject,
            format!(
                "the dump failed with exit code {}: {}",
                raw.exit_code,
                last.as_deref().unwrap_or("it printed nothing"),
            ),
        );
    }
    if raw.truncated {
        report(
            subject,
            "the dump was longer than its bound, and its end is missing".to_owned(),
        );
    }
    let failed = raw.exit_code != 0;
    for (subject, reason) in interpret(raw, record) {
        // A command that failed has been told already; that its output makes no sense either is no news.
        if !failed || raw.dump == Dump::SystemState {
            report(&subject, reason);
        }
    }
    trouble
}

/// Reads what there is to read; returns subjects and reasons of what is not.
fn interpret(raw: &RawDump<'_>, record: &mut StateRecord) -> Vec<(String, String)> {
    match raw.dump {
        Dump::Identity => {
            let identity = Identity::parse(raw.output);
            let missing = identity.missing();
            record.identity = Some(identity);
            missing
                .into_iter()
                .map(|key| {
                    let reason = format!("the guest did not say its `{key}` in a readable form");
                    (format!("identity.{key}"), reason)
                })
                .collect()
        }
        Dump::SystemState => {
            let word = sanitise::last_lines(raw.output, 1)
                .pop()
                .unwrap_or_default();
            if SYSTEM_STATES.contains(&word.as_str()) {
                record.system_state = Some(word);
                return Vec::new();
            }
            let reason = format!("`systemctl is-system-running` said `{word}`");
            vec![("system-state".to_owned(), reason)]
        }
        Dump::Jobs => {
            let lines = raw.output.lines().map(sanitise::line);
            record.jobs = lines.filter(|l| !l.is_empty()).take(JOB_LIMIT).collect();
            Vec::new()
        }
        Dump::Ldd => {
            record.ldd = refused::answers(raw.output);
            Vec::new()
        }
        Dump::UnitsFirst => interpret_units(raw, &mut record.units_first),
        Dump::UnitsLast => interpret_units(raw, &mut record.units_last),
        Dump::Journal => interpret_journal(raw, record),
        Dump::Fingerprint => {
            record.boot_facts = Some(BootFacts::parse(raw.output));
            Vec::new()
        }
        Dump::Listeners => {
            record.listeners = Some(listeners::parse(raw.output));
            Vec::new()
        }
        Dump::FileSystems => {
            record.file_systems = file_systems::parse(raw.output);
            Vec::new()
        }
    }
}

fn interpret_units(
    raw: &RawDump<'_>,
    units: &mut Option<std::collections::BTreeMap<String, units::Unit>>,
) -> Vec<(String, String)> {
    *units = units::parse(raw.output);
    if units.is_some() {
        return Vec::new();
    }
    let reason = "`systemctl show` named no unit".to_owned();
    vec![(dump_subject(raw.dump).to_owned(), reason)]
}

fn interpret_journal(raw: &RawDump<'_>, record: &mut StateRecord) -> Vec<(String, String)> {
    let mut journal = journal::parse(raw.output);
    // The line at which a dump was cut is no JSON, and has been told as truncation.
    if raw.truncated {
        journal.unreadable = journal.unreadable.saturating_sub(1);
    }
    let mut trouble = Vec::new();
    if journal.unreadable > 0 {
        trouble.push(format!(
            "{} of its lines are no JSON objects",
            journal.unreadable
        ));
    }
    if journal.cut {
        trouble.push(format!(
            "only its first {} entries were read",
            journal::ENTRY_LIMIT
        ));
    }
    if journal.entries.is_empty() {
        trouble.push("it has no readable entry, and a boot always writes some".to_owned());
    } else {
        record.journal = Some(journal.entries);
    }
    trouble
        .into_iter()
        .map(|reason| ("journal".to_owned(), reason))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subjects(dump: Dump, exit_code: i32, output: &str, truncated: bool) -> Vec<String> {
        let raw = RawDump {
            state: State::Booted,
            dump,
            exit_code,
            output,
            truncated,
        };
        let trouble = read(&raw, &mut StateRecord::default());
        trouble.into_iter().map(|u| u.subject).collect()
    }

    #[test]
    fn no_unreadable_dump_is_passed_over_in_silence() {
        for dump in [Dump::UnitsFirst, Dump::UnitsLast, Dump::Journal] {
            assert_eq!(subjects(dump, 0, "", false), [dump_subject(dump)]);
            assert_eq!(subjects(dump, 1, "Failed to connect", false).len(), 1);
        }
        assert_eq!(subjects(Dump::Identity, 0, "", false).len(), 7);
        assert_eq!(
            subjects(Dump::SystemState, 1, "unknown\n", false),
            ["system-state"]
        );
        assert_eq!(
            subjects(Dump::UnitsLast, 0, "Id=a.service\n", true),
            ["units-last"]
        );
    }

    #[test]
    fn degraded_is_a_word_and_no_failed_dump() {
        assert!(subjects(Dump::SystemState, 1, "degraded\n", false).is_empty());
    }
}
