//! Two builds of one system: whether what was built is what was meant, and the first difference that matters.
//!
//! The rule tells it; whoever holds two closures against each other may ask [`first_difference`] without it.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{BuiltBy, Meant, MeantBy};
use super::rules::{Outcome, Subject};
use crate::closure::{self, Closure, Survey, without_hashes};
use crate::vocabulary::{Check, ClosureFacts, Finding, State, StorePath};

/// All that is compared of a build.
#[derive(Debug, Clone, Copy)]
pub struct Build<'a> {
    pub facts: &'a ClosureFacts,
    pub survey: &'a Survey,
    /// What [`closure::etc_digests`] gives.
    pub etc: &'a BTreeMap<String, String>,
    /// Every path of the closure.
    pub paths: &'a [StorePath],
}

/// One thing in which two builds differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// The platform, by kernel image or `system`.
    Platform { meant: String, built: String },
    /// Something that both have, each its own.
    Value {
        what: &'static str,
        meant: String,
        built: String,
    },
    /// What only one of them has, or what says something else in each.
    Named {
        kind: Kind,
        what: &'static str,
        names: Vec<String>,
    },
    /// The same things, built otherwise: the first path of what was built, and how many there are.
    OtherPaths { first: String, count: usize },
    /// Nothing but the toplevel's own files.
    OnlyToplevel,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Missing,
    Additional,
    Other,
}

/// The first difference that matters, in the order: platform, userland, kernel, systemd, version, units, kernel parameters, initrd,
/// files of `etc`, store paths. Where all of these are equal, the toplevels differ in their own files alone.
pub fn first_difference(meant: &Build, built: &Build) -> Difference {
    differences(meant, built)
        .into_iter()
        .next()
        .unwrap_or(Difference::OnlyToplevel)
}

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
    let other = closure::survey(meant.closure);
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

impl Difference {
    /// What differs, as seen from what was built.
    pub fn words(&self) -> String {
        match self {
            Self::Platform { meant, built } => format!("platform: {built} instead of {meant}"),
            Self::Value { what, meant, built } => format!("{what}: {built} instead of {meant}"),
            Self::Named { kind, what, names } => {
                let first = names.first().map_or("", String::as_str);
                let more = match names.len() {
                    0 | 1 => String::new(),
                    count => format!(" (and {} more)", count - 1),
                };
                match kind {
                    Kind::Missing => format!("{what}{first} is missing{more}"),
                    Kind::Additional => format!("{what}{first} is additional{more}"),
                    Kind::Other => format!("{what}{first} is another{more}"),
                }
            }
            Self::OtherPaths { first, count } => {
                format!("{count} store paths are other builds of the same name, first {first}")
            }
            Self::OnlyToplevel => "only the toplevel's own files differ".to_owned(),
        }
    }
}

fn differences(meant: &Build, built: &Build) -> Vec<Difference> {
    let mut found = Vec::new();
    found.extend(platform(meant.facts, built.facts));
    values(meant, built, &mut found);
    let settings = |build: &Build| -> BTreeMap<String, String> {
        let units = build.survey.units.iter();
        units
            .map(|(name, unit)| (name.clone(), without_hashes(&unit.assignments)))
            .collect()
    };
    named("the unit ", &settings(meant), &settings(built), &mut found);
    let parameters = |facts: &ClosureFacts| Some(without_hashes(&facts.kernel_params.join(" ")));
    found.extend(differing(
        "kernel parameters",
        parameters(meant.facts),
        parameters(built.facts),
    ));
    let image = |build: &Build| build.survey.boot.initrd.clone();
    // Another image of the same drivers may differ in nothing but the store paths that it names.
    let initrd = differing("initrd with", drivers(meant.facts), drivers(built.facts))
        .or_else(|| differing("initrd", image(meant), image(built)));
    found.extend(initrd);
    named("the file /etc/", meant.etc, built.etc, &mut found);
    paths(meant, built, &mut found);
    found
}

fn platform(meant: &ClosureFacts, built: &ClosureFacts) -> Option<Difference> {
    let pairs = [
        (&meant.kernel, &built.kernel),
        (&meant.system, &built.system),
    ];
    pairs.into_iter().find_map(|pair| match pair {
        (Some(meant), Some(built)) if meant != built => Some(Difference::Platform {
            meant: meant.to_string(),
            built: built.to_string(),
        }),
        _ => None,
    })
}

fn values(meant: &Build, built: &Build, found: &mut Vec<Difference>) {
    let class = |build: &Build| build.facts.userland.map(|class| class.to_string());
    let kernel = |build: &Build| build.facts.kernel_version.clone();
    let systemd = |build: &Build| Some(name_of(build.survey.systemd.as_deref()?));
    let version = |build: &Build| build.facts.nixos_version.clone();
    found.extend(differing("userland", class(meant), class(built)));
    found.extend(differing("kernel", kernel(meant), kernel(built)));
    found.extend(differing("systemd", systemd(meant), systemd(built)));
    found.extend(differing("NixOS", version(meant), version(built)));
}

/// What could not be read of one of them is no difference.
fn differing(
    what: &'static str,
    meant: Option<String>,
    built: Option<String>,
) -> Option<Difference> {
    let (meant, built) = (meant?, built?);
    (meant != built).then_some(Difference::Value { what, meant, built })
}

fn drivers(facts: &ClosureFacts) -> Option<String> {
    let drivers = facts
        .initrd_drivers
        .iter()
        .map(|driver| format!("{driver:?}"));
    let file_systems = facts.initrd_file_systems.iter().flatten().cloned();
    let all: Vec<String> = drivers.chain(file_systems).collect();
    Some(all.join(" "))
}

/// The name of the store path that a path begins with.
fn name_of(path: &str) -> String {
    StorePath::split(path).map_or(path.to_owned(), |(path, _)| path.name().to_owned())
}

fn named(
    what: &'static str,
    meant: &BTreeMap<String, String>,
    built: &BTreeMap<String, String>,
    found: &mut Vec<Difference>,
) {
    let only = |some: &BTreeMap<String, String>, other: &BTreeMap<String, String>| {
        let names = some.keys().filter(|name| !other.contains_key(*name));
        names.cloned().collect::<Vec<_>>()
    };
    let changed = meant
        .iter()
        .filter(|(name, text)| built.get(*name).is_some_and(|other| other != *text));
    for (kind, names) in [
        (Kind::Missing, only(meant, built)),
        (Kind::Additional, only(built, meant)),
        (Kind::Other, changed.map(|(name, _)| name.clone()).collect()),
    ] {
        if !names.is_empty() {
            found.push(Difference::Named { kind, what, names });
        }
    }
}

/// Store paths by their names, then those of one name by their hashes; the toplevels themselves are known to differ.
fn paths(meant: &Build, built: &Build, found: &mut Vec<Difference>) {
    let tops = [&meant.facts.toplevel, &built.facts.toplevel];
    let of = |build: &Build| -> BTreeSet<StorePath> {
        let paths = build.paths.iter().cloned();
        paths.filter(|path| !tops.contains(&path)).collect()
    };
    let (meant, built) = (of(meant), of(built));
    let names = |paths: &BTreeSet<StorePath>| -> BTreeMap<String, String> {
        let names = paths.iter().map(|path| path.name().to_owned());
        names.map(|name| (name, String::new())).collect()
    };
    named("the store path ", &names(&meant), &names(&built), found);
    let mut others: Vec<&StorePath> = built.difference(&meant).collect();
    others.sort_by_key(|path| path.name());
    if let Some(first) = others.first() {
        found.push(Difference::OtherPaths {
            first: first.to_string(),
            count: others.len(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::read_facts;
    use crate::closure::testing::{FakeClosure, bzimage};
    use crate::inspect::testing::{ids, server, unit};
    use crate::inspect::{Against, Inspection, Options, inspect};
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
        let facts = read_facts(&built).unwrap();
        inspect(&built, &facts, &against, &Options::default()).unwrap()
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
        let inspection = inspect(&closure, &facts, &against, &Options::default()).unwrap();
        assert_eq!(ids(&inspection), [""; 0]);
    }
}
