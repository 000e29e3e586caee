//! What came out as expected before, so that a long run of scenarios can go on where it was left.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::super::{Failure, whole_file};
use super::case::Case;

/// The records, a file for each scenario.
pub(super) struct Passed {
    directory: PathBuf,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Record {
    /// Of what it depended on, see [`Case::identity`].
    identity: String,
    /// How often in a row it came out as expected.
    times: u32,
    /// How long it took last.
    seconds: u32,
}

impl Passed {
    /// Beside the directories of the runs.
    pub(super) fn below(runs: &Path) -> Self {
        Self {
            directory: runs.join("passed"),
        }
    }

    /// How often in a row this case came out as expected, since anything that it depends on changed.
    pub(super) fn times(&self, case: &Case) -> u32 {
        let record = self.record(case);
        let same = record.filter(|record| record.identity == case.identity);
        same.map_or(0, |record| record.times)
    }

    /// How long it took last, whatever came of it.
    pub(super) fn seconds(&self, case: &Case) -> Option<u32> {
        Some(self.record(case)?.seconds)
    }

    pub(super) fn keep(&self, case: &Case, passed: bool, seconds: u32) -> Result<(), Failure> {
        let times = if passed { self.times(case) + 1 } else { 0 };
        let record = Record {
            identity: case.identity.clone(),
            times,
            seconds,
        };
        fs::create_dir_all(&self.directory)?;
        let text = serde_json::to_string(&record)? + "\n";
        Ok(whole_file::write(&self.place(case), text.as_bytes())?)
    }

    fn place(&self, case: &Case) -> PathBuf {
        self.directory.join(format!("{}.json", case.name))
    }

    /// A record that cannot be read is none: the case is run again.
    fn record(&self, case: &Case) -> Option<Record> {
        serde_json::from_slice(&fs::read(self.place(case)).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(identity: &str) -> Case {
        Case {
            name: "x".to_owned(),
            group: None,
            summary: String::new(),
            tags: Vec::new(),
            memory: None,
            seconds: 1,
            identity: identity.to_owned(),
        }
    }

    #[test]
    fn passes_in_a_row_count_until_one_fails_or_something_changes() {
        let directory = tempfile::tempdir().unwrap();
        let passed = Passed::below(directory.path());
        assert_eq!(
            (passed.times(&case("a")), passed.seconds(&case("a"))),
            (0, None)
        );
        for times in 1..=3 {
            passed.keep(&case("a"), true, 7).unwrap();
            assert_eq!(passed.times(&case("a")), times);
        }
        assert_eq!(
            (passed.times(&case("b")), passed.seconds(&case("b"))),
            (0, Some(7))
        );
        passed.keep(&case("b"), true, 8).unwrap();
        assert_eq!((passed.times(&case("b")), passed.times(&case("a"))), (1, 0));
        passed.keep(&case("b"), false, 9).unwrap();
        assert_eq!(
            (passed.times(&case("b")), passed.seconds(&case("b"))),
            (0, Some(9))
        );
    }
}
