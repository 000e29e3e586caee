//! What a unit said before it ended.
//!
//! Shared by the checks of units that fail or are restarted.

use crate::fold::{JournalEntry, StateRecord};

/// Warning, as in syslog(3); lower numbers are more urgent.
const URGENT: u8 = 4;
const MESSAGES_SHOWN: usize = 2;

/// The last words of the unit itself; where it said nothing, the first urgent ones about it.
pub(super) fn last_words<'a>(record: &'a StateRecord, unit: &'a str) -> Vec<&'a str> {
    let own = own_words(record, unit);
    if !own.is_empty() {
        return own;
    }
    record
        .messages_of(unit)
        .filter(|e| e.priority.is_some_and(|p| p <= URGENT))
        .map(|e| e.message.as_str())
        .take(MESSAGES_SHOWN)
        .collect()
}

/// The last words of the unit itself, in their order.
pub(super) fn own_words<'a>(record: &'a StateRecord, unit: &'a str) -> Vec<&'a str> {
    // Before its exec a child is `(name)`, and what it says then is systemd's.
    let of_systemd = |name: &str| name == "systemd" || name.starts_with('(');
    let said = |e: &&JournalEntry| {
        e.identifier
            .as_deref()
            .is_some_and(|name| !of_systemd(name))
            && !e.message.is_empty()
    };
    let all: Vec<&JournalEntry> = record.messages_of(unit).filter(said).collect();
    let first = all.len().saturating_sub(MESSAGES_SHOWN);
    all[first..].iter().map(|e| e.message.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::last_words;
    use crate::testing;
    use crate::vocabulary::State;

    #[test]
    fn its_own_words_come_before_what_systemd_says_of_it() {
        let (plan, mut recording) = testing::healthy_recording();
        let of_systemd = r#"{"MESSAGE":"alpha.service: Failed with result","UNIT":"alpha.service","PRIORITY":"4","SYSLOG_IDENTIFIER":"systemd"}"#;
        recording.append_journal(State::Rebooted, of_systemd);
        let said = |recording: &testing::Recording| {
            let run = recording.run(&plan);
            let record = &run.states[&State::Rebooted];
            let words = last_words(record, "alpha.service").into_iter();
            words.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(said(&recording), ["alpha.service: Failed with result"]);
        let own = r#"{"MESSAGE":"no such port","_SYSTEMD_UNIT":"alpha.service","SYSLOG_IDENTIFIER":"alpha"}"#;
        recording.append_journal(State::Rebooted, own);
        assert_eq!(said(&recording), ["no such port"]);
    }
}
