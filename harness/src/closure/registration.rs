use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use super::ClosureError;
use crate::vocabulary::StorePath;

/// What `nix-store --load-db` reads: for each path its hash, its size, its deriver and its references.
///
/// The format is that of Nix's `decodeValidPathInfo`: one record is the lines path, NAR hash, NAR size, deriver (may be empty),
/// number of references, and one line for each reference. nixpkgs' `closureInfo` writes it to `registration`.
#[derive(Debug, Default)]
pub(super) struct Registration {
    pub(super) references: BTreeMap<StorePath, BTreeSet<StorePath>>,
    pub(super) contents: BTreeMap<StorePath, RecordedContents>,
}

/// What a record says of the NAR of its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RecordedContents {
    /// As written: `sha256:<base 32>`, or hexadecimal digits alone.
    pub(super) hash: String,
    /// In bytes.
    pub(super) size: u64,
}

impl Registration {
    /// Parses the text of `file`, which is named in errors only.
    ///
    /// # Errors
    /// When a record is cut short or a line is not what its place demands.
    pub(super) fn parse(file: &Path, text: &str) -> Result<Self, ClosureError> {
        let mut lines = Lines {
            file,
            line: 0,
            rest: text.lines(),
        };
        let mut registration = Self::default();
        while let Some(line) = lines.rest.next() {
            lines.line += 1;
            let path = lines.path(line)?;
            let hash = lines.next()?.to_owned();
            let size = lines.next()?;
            let size = size
                .parse::<u64>()
                .map_err(|_| lines.error("the NAR size is no number"))?;
            lines.next()?;
            let count = lines.next()?;
            let count: usize = count
                .parse()
                .map_err(|_| lines.error("the number of references is no number"))?;
            let mut references = BTreeSet::new();
            // The count is not trusted with an allocation: a lie ends with the text.
            for _ in 0..count {
                let line = lines.next()?;
                references.insert(lines.path(line)?);
            }
            registration
                .contents
                .insert(path.clone(), RecordedContents { hash, size });
            registration.references.insert(path, references);
        }
        Ok(registration)
    }

    /// The text of the same records, without derivers, which nothing that runs a system needs.
    pub(super) fn render(&self) -> String {
        let none = BTreeSet::new();
        let mut text = String::new();
        for (path, RecordedContents { hash, size }) in &self.contents {
            let references = self.references.get(path).unwrap_or(&none);
            // Writing to a string cannot fail.
            let _ = write!(text, "{path}\n{hash}\n{size}\n\n{}\n", references.len());
            for reference in references {
                let _ = writeln!(text, "{reference}");
            }
        }
        text
    }

    /// Everything reachable from `from`, itself included; `Err` names a reference that has no record.
    pub(super) fn reachable(&self, from: &StorePath) -> Result<BTreeSet<StorePath>, StorePath> {
        let mut reached = BTreeSet::new();
        let mut pending = vec![from];
        while let Some(path) = pending.pop() {
            if reached.insert(path.clone()) {
                pending.extend(self.references.get(path).ok_or_else(|| path.clone())?);
            }
        }
        Ok(reached)
    }

    /// The paths that no other path refers to.
    pub(super) fn roots(&self) -> Vec<StorePath> {
        let referred: BTreeSet<&StorePath> = self
            .references
            .iter()
            .flat_map(|(by, references)| references.iter().filter(move |path| *path != by))
            .collect();
        self.references
            .keys()
            .filter(|path| !referred.contains(path))
            .cloned()
            .collect()
    }
}

struct Lines<'a> {
    file: &'a Path,
    line: usize,
    rest: std::str::Lines<'a>,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Result<&'a str, ClosureError> {
        self.line += 1;
        self.rest
            .next()
            .ok_or_else(|| self.error("the last record is cut short"))
    }

    fn path(&self, line: &str) -> Result<StorePath, ClosureError> {
        StorePath::parse(line).map_err(|_| self.error("a store path was expected"))
    }

    fn error(&self, reason: &'static str) -> ClosureError {
        ClosureError::Registration {
            file: self.file.to_owned(),
            line: self.line,
            reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "/nix/store/0aqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-a";
    const B: &str = "/nix/store/0bqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-b";

    fn parse(text: &str) -> Result<Registration, ClosureError> {
        Registration::parse(Path::new("registration"), text)
    }

    #[test]
    fn records_give_references_and_roots() {
        let text =
            format!("{A}\nsha256:0\n120\n\n2\n{A}\n{B}\n{B}\nsha256:1\n8\n/nix/store/x.drv\n0\n");
        let registration = parse(&text).unwrap();
        let a = StorePath::parse(A).unwrap();
        assert_eq!(registration.reachable(&a).unwrap().len(), 2);
        assert_eq!(registration.roots(), [a]);
    }

    #[test]
    fn a_truncated_record_is_an_error_that_names_its_line() {
        let error = parse(&format!("{A}\nsha256:0\n120\n\n99999999999\n{B}\n")).unwrap_err();
        assert!(
            matches!(error, ClosureError::Registration { line: 7, .. }),
            "{error:?}"
        );
    }

    #[test]
    fn a_reference_without_a_record_is_named() {
        let registration = parse(&format!("{A}\nsha256:0\n1\n\n1\n{B}\n")).unwrap();
        let missing = registration.reachable(&StorePath::parse(A).unwrap());
        assert_eq!(missing.unwrap_err().as_str(), B);
    }
}
