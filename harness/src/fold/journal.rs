//! Reads `journalctl --output=json`: one object a line (systemd's `JOURNAL_EXPORT_FORMATS`, "Journal JSON Format").
//!
//! Called by `dump`. It keeps every entry in order and judges none.

use serde_json::{Map, Value};

use super::sanitise;

/// More entries than a boot of minutes writes; the rest is not read, and the journal counts as truncated.
pub(super) const ENTRY_LIMIT: usize = 200_000;

/// One message of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JournalEntry {
    /// The unit that the message is about: `UNIT` where systemd speaks of one, else the one that spoke.
    pub unit: Option<String>,
    pub message: String,
    /// `MESSAGE_ID`, by which systemd names what it says of units.
    pub message_id: Option<String>,
    /// 0 (emergency) to 7 (debug), as in syslog(3).
    pub priority: Option<u8>,
    pub identifier: Option<String>,
    /// Whether the kernel wrote it.
    pub from_kernel: bool,
    /// Microseconds since the boot began.
    pub monotonic_us: Option<u64>,
}

/// What became of a dump of the journal.
#[derive(Debug, Default)]
pub(super) struct Journal {
    pub(super) entries: Vec<JournalEntry>,
    /// Lines that are no JSON object.
    pub(super) unreadable: usize,
    /// There were more than [`ENTRY_LIMIT`] entries.
    pub(super) cut: bool,
}

pub(super) fn parse(output: &str) -> Journal {
    let mut journal = Journal::default();
    let lines = output.lines().filter(|line| !line.trim().is_empty());
    for line in lines.filter(|line| !is_of_an_earlier_boot(line)) {
        if journal.entries.len() == ENTRY_LIMIT {
            journal.cut = true;
            break;
        }
        match serde_json::from_str::<Map<String, Value>>(line) {
            Ok(fields) => journal.entries.push(entry(&fields)),
            Err(_) => journal.unreadable += 1,
        }
    }
    journal
}

/// What journalctl says of a file that a power cut damaged: with `~` in its name it is one that journald found not closed when it opened its
/// journal, and set aside for a new one (systemd-journald.service(8)), so that this boot writes to another.
fn is_of_an_earlier_boot(line: &str) -> bool {
    !line.starts_with('{') && line.contains(".journal~") && line.contains("ignoring file")
}

fn entry(fields: &Map<String, Value>) -> JournalEntry {
    let field = |name: &str| {
        fields
            .get(name)
            .and_then(text)
            .map(|t| sanitise::line(&t))
            .filter(|t| !t.is_empty())
    };
    let message = field("MESSAGE").unwrap_or_default();
    // A child of systemd that fails before its exec may still be in systemd's own scope.
    let speaker = field("_SYSTEMD_UNIT").filter(|unit| unit != "init.scope");
    JournalEntry {
        unit: field("UNIT")
            .or_else(|| field("OBJECT_SYSTEMD_UNIT"))
            .or(speaker)
            .or_else(|| prefixed_unit(&message)),
        message_id: field("MESSAGE_ID"),
        priority: field("PRIORITY").and_then(|p| p.parse().ok()),
        identifier: field("SYSLOG_IDENTIFIER").or_else(|| field("_COMM")),
        from_kernel: field("_TRANSPORT").as_deref() == Some("kernel"),
        monotonic_us: field("__MONOTONIC_TIMESTAMP").and_then(|t| t.parse().ok()),
        message,
    }
}

/// The text of a field, which is a string, the bytes of a text that is no UTF-8, several of either where the field occurs
/// more than once (the first counts), or null where it is too long.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(items) => match items.first()? {
            Value::Number(_) => {
                let bytes: Vec<u8> = items
                    .iter()
                    .map_while(Value::as_u64)
                    .map_while(|b| u8::try_from(b).ok())
                    .collect();
                Some(String::from_utf8_lossy(&bytes).into_owned())
            }
            Value::String(text) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// `alpha.service` of `alpha.service: Failed at …`, as systemd begins what it says of a unit.
fn prefixed_unit(message: &str) -> Option<String> {
    let (unit, _) = message.split_once(": ")?;
    let is_unit = unit.ends_with(".service") && !unit.contains(char::is_whitespace);
    is_unit.then(|| unit.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_a_string_or_bytes_or_absent() {
        let journal = parse(concat!(
            r#"{"MESSAGE":"plain","_SYSTEMD_UNIT":"a.service","PRIORITY":"6"}"#,
            "\n",
            r#"{"MESSAGE":[72,105,255,27,91,49,109],"UNIT":"b.service","_SYSTEMD_UNIT":"init.scope"}"#,
            "\n",
            r#"{"MESSAGE":null,"_TRANSPORT":"kernel"}"#,
            "\n",
            r#"{"MESSAGE":["first","second"],"__MONOTONIC_TIMESTAMP":"123"}"#,
            "\n",
        ));
        let messages: Vec<&str> = journal.entries.iter().map(|e| e.message.as_str()).collect();
        assert_eq!(messages, ["plain", "Hi\u{fffd}", "", "first"]);
        assert_eq!(journal.entries[0].priority, Some(6));
        assert_eq!(journal.entries[1].unit.as_deref(), Some("b.service"));
        assert!(journal.entries[2].from_kernel);
        assert_eq!(journal.entries[3].monotonic_us, Some(123));
        assert_eq!(journal.unreadable, 0);
    }

    #[test]
    fn the_unit_of_a_failed_child_comes_from_the_message() {
        let journal = parse(
            r#"{"MESSAGE":"a.service: Failed at step EXEC spawning x: y","_SYSTEMD_UNIT":"init.scope"}"#,
        );
        assert_eq!(journal.entries[0].unit.as_deref(), Some("a.service"));
    }

    #[test]
    fn a_file_that_an_earlier_power_cut_damaged_is_no_gap_and_one_of_this_boot_is() {
        let journal = parse(concat!(
            "Journal file /var/log/journal/3e8a/system@000660eec452bc6f-fa365aa78f85cfc2.journal~ is truncated, ignoring file.\n",
            r#"{"MESSAGE":"x.journal~ is truncated, ignoring file."}"#,
            "\nJournal file /var/log/journal/3e8a/system.journal corrupted, ignoring file.\n",
        ));
        assert_eq!((journal.unreadable, journal.entries.len()), (1, 1));
    }

    #[test]
    fn lines_that_are_no_objects_are_counted() {
        let deep = format!("{{\"MESSAGE\":{}", "[".repeat(100_000));
        let journal = parse(&format!("[1]\nnonsense\n{deep}\n{{\"MESSAGE\":[300]}}\n"));
        assert_eq!((journal.unreadable, journal.entries.len()), (3, 1));
    }
}
