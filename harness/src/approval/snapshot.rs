//! insta's file of a snapshot: a head in YAML between two lines `---`, then the text (the format that insta writes since its version 1).
//!
//! `cargo insta review` finds `NAME.snap.new` beside `NAME.snap`, and makes one of the other. It writes the head anew, so that nothing
//! is read from there.

use sha2::{Digest as _, Sha256};

/// Larger than any report; what is longer is no approved one.
pub const SIZE_LIMIT: usize = 16 << 20;

const FENCE: &str = "---";

/// The text of a snapshot, each line with `\n` at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    text: String,
}

/// Why a file is no approved report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    #[error("it is longer than {} MiB, which no report is", SIZE_LIMIT >> 20)]
    Size,
    #[error("it is no text in UTF-8")]
    NoText,
    #[error("it does not begin as a snapshot of insta's does, with a line `---`")]
    NoSnapshot,
    #[error("the head of the snapshot has no end, a second line `---`")]
    NoEndOfHead,
    #[error("what it holds is no whole JSON text: {0}")]
    NoReport(String),
}

impl Snapshot {
    /// A snapshot of a text. White space at its end is no part of it, as with insta, nor are Windows' ends of lines.
    pub fn of(text: &str) -> Self {
        let lines = text.trim_end().lines();
        Self {
            text: lines.flat_map(|line| [line, "\n"]).collect(),
        }
    }

    /// Reads a file, of whose head nothing is kept.
    ///
    /// # Errors
    /// When it is no snapshot, or one that does not hold a whole JSON text.
    pub fn parse(bytes: &[u8]) -> Result<Self, SnapshotError> {
        if bytes.len() > SIZE_LIMIT {
            return Err(SnapshotError::Size);
        }
        let all = std::str::from_utf8(bytes).map_err(|_| SnapshotError::NoText)?;
        let mut lines = all.split_inclusive('\n');
        let first = lines.next().unwrap_or_default();
        if first.trim_end() != FENCE {
            return Err(SnapshotError::NoSnapshot);
        }
        let mut head = first.len();
        loop {
            let line = lines.next().ok_or(SnapshotError::NoEndOfHead)?;
            head += line.len();
            if line.trim_end() == FENCE {
                break;
            }
        }
        let text = &all[head..];
        // A file that was cut short, or a merge that was left undone, is a mistake and no difference.
        serde_json::from_str::<serde::de::IgnoredAny>(text)
            .map_err(|error| SnapshotError::NoReport(error.to_string()))?;
        Ok(Self::of(text))
    }

    /// The bytes of its file. `source` is where it belongs to, `expression` the command that made it; insta shows both.
    pub fn to_file(&self, source: &str, expression: &str) -> String {
        // A JSON string is one of YAML's double-quoted ones.
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        format!(
            "{FENCE}\nsource: {}\nexpression: {}\n{FENCE}\n{}",
            quoted(source),
            quoted(expression),
            self.text
        )
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// The SHA-256 of the text, in hex.
    pub fn sha256(&self) -> String {
        base16ct::lower::encode_string(&Sha256::digest(&self.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "{\n  \"verdict\": \"pass\"\n}\n";

    #[test]
    fn a_snapshot_survives_its_file() {
        let snapshot = Snapshot::of(TEXT);
        let file = snapshot.to_file("bootproof.toml", "bootproof test --host \"a: b\"");
        assert_eq!(
            file,
            "---\nsource: \"bootproof.toml\"\nexpression: \"bootproof test --host \\\"a: b\\\"\"\n---\n{\n  \"verdict\": \
             \"pass\"\n}\n"
        );
        assert_eq!(Snapshot::parse(file.as_bytes()), Ok(snapshot));
    }

    #[test]
    fn neither_the_head_nor_the_ends_of_lines_are_part_of_it() {
        let other = "---\r\nsource: x\r\ninfo:\r\n  - y\r\nsnapshot_kind: text\r\n---\r\n{\r\n  \"verdict\": \"pass\"\r\n}\r\n\r\n";
        assert_eq!(
            Snapshot::parse(other.as_bytes()),
            Ok(Snapshot::of(TEXT.trim_end()))
        );
    }

    #[test]
    fn what_is_damaged_is_told() {
        let good = Snapshot::of(TEXT).to_file("a", "b");
        let cut = &good[..good.len() - 3];
        let merge = good.replace("  \"verdict", "<<<<<<< ours\n  \"verdict");
        let deep = format!("---\n---\n{}", "[".repeat(100_000));
        for (bytes, words) in [
            (&b""[..], "does not begin"),
            (b"{}", "does not begin"),
            (b"---\nsource: x\n{}", "has no end"),
            (b"---\n---\n", "no whole JSON"),
            (b"---\nsource: \xff\n---\n{}", "UTF-8"),
            (cut.as_bytes(), "no whole JSON"),
            (merge.as_bytes(), "no whole JSON"),
            (&vec![b'-'; SIZE_LIMIT + 1], "longer than 16 MiB"),
            (deep.as_bytes(), "no whole JSON"),
        ] {
            let told = Snapshot::parse(bytes).unwrap_err().to_string();
            assert!(told.contains(words), "{words}: {told}");
        }
    }
}
