//! Two builds of one system: whether what was built is what was meant, and the first difference that matters.

use super::difference::differences;
pub use super::difference::{Build, Difference, Kind, first_difference};
use super::model::{BuiltBy, Candidate, Meant, MeantBy};
use super::rules::{Outcome, Subject};
use crate::closure::{self, Closure, Survey};
use crate::vocabulary::{Check, ClosureFacts, Finding, State, StorePath};

/// A candidate that is not what was meant.
#[derive(Debug)]
pub(super) struct BuildDifference {
    meant: StorePath,
    by: MeantBy,
    built_by: BuiltBy,
    /// At least one, the one that matters most first.
    differences: Vec<Difference>,
}

/// `None` where nothing else was meant, or exactly this was.
pub(super) fn difference(
    closure: &Closure,
    facts: &ClosureFacts,
    survey: &Survey,
    meant: Option<Meant>,
) -> Option<BuildDifference> {
    let meant = meant.filter(|meant| meant.facts.toplevel != facts.toplevel)?;
    let other = closure::outline(meant.closure);
    let mut differences = differences(
        &Build {
            facts: meant.facts,
            survey: &other,
            etc: &closure::etc_digests(meant.closure),
            paths: &meant.closure.paths,
        },
        &Build {
            facts,
            survey,
            etc: &closure::etc_digests(closure),
            paths: &closure.paths,
        },
    );
    if differences.is_empty() {
        differences.push(Difference::OnlyToplevel);
    }
    Some(BuildDifference {
        meant: meant.facts.toplevel.clone(),
        by: meant.by,
        built_by: meant.built_by,
        differences,
    })
}

/// The difference that matters most between a candidate and what was meant, as a sentence; `None` where there is none.
pub fn first_of(candidate: &Candidate<'_>, meant: Meant<'_>) -> Option<String> {
    let found = difference(
        candidate.closure,
        candidate.facts,
        candidate.survey,
        Some(meant),
    );
    found.map(|difference| difference.sentence())
}

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let Some(difference) = &subject.difference else {
        return;
    };
    let summary = difference.sentence();
    let mut finding = Finding::new(
        Check::BuildDifference,
        State::Inspected,
        "toplevel",
        &summary,
    )
    .with_evidence("built", subject.facts.toplevel.as_str())
    .with_evidence("meant", difference.meant.as_str());
    for other in &difference.differences {
        finding = finding.with_evidence("differs", other.words());
    }
    let next = format!(
        "find out from which inputs and for which `system` the candidate is built; deploy only what {}",
        difference.by.clause()
    );
    outcome.cause(summary, next, [finding]);
}

impl BuildDifference {
    fn sentence(&self) -> String {
        let clause = self.by.clause();
        let (is, is_not) = match self.built_by {
            BuiltBy::DeployTool => ("the deploy tool builds", "the deploy tool does not build"),
            BuiltBy::Unknown => ("the candidate is", "the candidate is not"),
        };
        match &self.differences[0] {
            Difference::Platform { meant, built } => format!("{is} {built}, and {clause} {meant}"),
            Difference::OtherPaths { first, count } => {
                format!(
                    "{is_not} what {clause}: only store paths differ, {count} of them, first {first}"
                )
            }
            other => format!("{is_not} what {clause}: {}", other.words()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::read_facts;
    use crate::closure::testing::{FakeClosure, bzimage};
    use crate::inspect::testing::{ids, inspected_against, server, unit};
    use crate::inspect::{Against, Inspection, Options};
    use crate::vocabulary::Verdict;

    fn held_against(built: &FakeClosure, meant: &FakeClosure) -> Inspection {
        let (built, meant) = (built.closure(), meant.closure());
        let mut facts = read_facts(&meant).unwrap();
        // Fakes are called by their order, and a real toplevel by what is in it.
        facts.toplevel =
            StorePath::parse("/nix/store/1fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-meant").unwrap();
        let against = Against {
            meant: Some(Meant {
                closure: &meant,
                facts: &facts,
                by: MeantBy::Flake,
                built_by: BuiltBy::DeployTool,
            }),
            ..Against::default()
        };
        inspected_against(&built, &against, &Options::default())
    }

    fn first(change: impl Fn(&FakeClosure)) -> String {
        let (meant, built) = (server(), server());
        change(&built);
        let inspection = held_against(&built, &meant);
        assert_eq!(inspection.verdict, Verdict::Fail);
        assert_eq!(ids(&inspection)[0], "inspected/build-difference/toplevel");
        inspection.findings[0].summary.clone()
    }

    #[test]
    fn the_first_difference_that_matters_is_told() {
        let not =
            |what: &str| format!("the deploy tool does not build what the flake means: {what}");
        let of_32_bits = first(|built| {
            built.file("kernel", bzimage(false));
            built.file("system", "i686-linux");
            built.file("nixos-version", "25.05");
        });
        assert_eq!(
            of_32_bits,
            "the deploy tool builds i686-linux, and the flake means x86_64-linux"
        );
        assert_eq!(
            first(|built| built.file("nixos-version", "25.05")),
            not("NixOS: 25.05 instead of 24.11")
        );
        assert_eq!(
            first(|built| unit(built, "a.service", "[Service]\nExecStart=/run/x\n")),
            not("the unit a.service is additional")
        );
        assert_eq!(
            first(|built| built.file("kernel-params", "quiet")),
            not("kernel parameters: quiet instead of console=ttyS0 loglevel=4")
        );
        assert_eq!(
            first(|built| built.file("etc/fstab", "/dev/vda2 / ext4 defaults 0 1\n")),
            not("the file /etc/fstab is another")
        );
        assert_eq!(
            first(|built| drop(built.store_file("library", "x", ""))),
            not("the store path library is additional")
        );
        assert_eq!(first(|_| {}), not("only the toplevel's own files differ"));
    }

    #[test]
    fn hashes_of_store_paths_alone_are_told_as_such() {
        let of = |before: &str| {
            let fake = server();
            // What is made first has the lower number for its hash.
            fake.store_file(before, "x", "");
            let tool = fake.store_file("tool", "bin/x", "");
            fake.store_file("a", "x", "");
            fake.store_file("b", "x", "");
            unit(
                &fake,
                "x.service",
                &format!("[Service]\nEnvironment=X={tool}\n"),
            );
            fake
        };
        let inspection = held_against(&of("a"), &of("b"));
        let summary = &inspection.findings[0].summary;
        assert!(
            summary.contains("only store paths differ, 2 of them"),
            "{summary}"
        );
    }

    #[test]
    fn a_wrong_platform_stands_before_what_dies_of_it() {
        let built = server();
        built.file("kernel", bzimage(false));
        built.file("system", "i686-linux");
        let inspection = held_against(&built, &server());
        let begin = "fail: the deploy tool builds i686-linux, and the flake means x86_64-linux: ";
        assert!(
            inspection.headline.starts_with(begin),
            "{}",
            inspection.headline
        );
        assert_eq!(inspection.expected.unwrap().by, "the flake");
    }

    #[test]
    fn what_was_meant_is_silent() {
        let fake = server();
        let closure = fake.closure();
        let facts = read_facts(&closure).unwrap();
        let against = Against {
            meant: Some(Meant {
                closure: &closure,
                facts: &facts,
                by: MeantBy::Path,
                built_by: BuiltBy::Unknown,
            }),
            ..Against::default()
        };
        let inspection = inspected_against(&closure, &against, &Options::default());
        assert_eq!(ids(&inspection), [""; 0]);
    }
}
