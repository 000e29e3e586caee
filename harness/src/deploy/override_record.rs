//! The record of a deploy that no receipt covered.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::vocabulary::StorePath;

const MAGIC: &str = "bootproof override 1\n";
/// A record has about 1 kB; one with many refusals some more.
const SIZE_LIMIT: usize = 1 << 20;

/// A deploy that the gate refused and somebody made all the same. It is signed by nobody and proves nothing: it is kept so that others learn
/// of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    pub made_at: Timestamp,
    /// Who, as far as the environment tells: `alice, as root by sudo, on laptop`.
    pub by: String,
    /// The host of the configuration.
    pub host: String,
    pub candidate: StorePath,
    /// What the host ran.
    pub current: StorePath,
    pub reason: String,
    /// What the gate said.
    pub refused: String,
}

/// Why a file is no record of an override.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is no record of an override that this bootproof reads")]
pub struct NoOverride;

impl Override {
    /// The text of its file.
    ///
    /// # Errors
    /// When it cannot be written as JSON, which does not happen.
    pub fn to_text(&self) -> serde_json::Result<String> {
        Ok(format!("{MAGIC}{}\n", serde_json::to_string_pretty(self)?))
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When it is none, or damaged.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoOverride> {
        let text = std::str::from_utf8(bytes).map_err(|_| NoOverride)?;
        let json = text
            .strip_prefix(MAGIC)
            .filter(|json| json.len() <= SIZE_LIMIT);
        serde_json::from_str(json.ok_or(NoOverride)?).map_err(|_| NoOverride)
    }
}

/// The override by which a host came to run `current`; `None` where it did not, as far as the records tell.
pub fn made<'a>(records: &'a [Override], host: &str, current: &StorePath) -> Option<&'a Override> {
    let of_host = records.iter().filter(|record| record.host == host);
    of_host
        .filter(|record| record.candidate == *current)
        .max_by_key(|record| record.made_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receipt::testing::identity;
    use crate::receipt::{SealError, Sealed};

    fn record(host: &str, candidate: &str, made_at: &str) -> Override {
        Override {
            made_at: made_at.parse().unwrap(),
            by: "alice on laptop".to_owned(),
            host: host.to_owned(),
            candidate: identity(candidate).toplevel,
            current: identity("old").toplevel,
            reason: "the old one is on fire".to_owned(),
            refused: "there is no receipt".to_owned(),
        }
    }

    #[test]
    fn a_record_is_read_again_and_is_no_receipt() {
        let record = record("web", "new", "2026-11-22T10:00:00Z");
        let text = record.to_text().unwrap();
        assert_eq!(Override::parse(text.as_bytes()), Ok(record));
        assert_eq!(Sealed::parse(text.as_bytes()), Err(SealError::NoReceipt));
        for damaged in [
            &text[..text.len() / 2],
            "",
            "bootproof override 2\n{}",
            "\u{0}",
        ] {
            assert_eq!(Override::parse(damaged.as_bytes()), Err(NoOverride));
        }
        assert_eq!(Override::parse(b"\xff\xfe"), Err(NoOverride));
    }

    #[test]
    fn what_runs_now_is_told_from_what_ran_once() {
        let records = [
            record("web", "new", "2026-11-22T10:00:00Z"),
            record("web", "new", "2026-11-22T11:00:00Z"),
            record("db", "new", "2026-11-22T12:00:00Z"),
            record("web", "other", "2026-11-22T13:00:00Z"),
        ];
        let new = identity("new").toplevel;
        assert_eq!(made(&records, "web", &new), Some(&records[1]));
        assert_eq!(made(&records, "web", &identity("old").toplevel), None);
        assert_eq!(made(&records, "mail", &new), None);
    }
}
