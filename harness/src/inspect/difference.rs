//! In what two builds of one system differ, the differences that matter most first. Pure: whoever holds two builds may ask.

use std::collections::{BTreeMap, BTreeSet};

use crate::closure::{Survey, without_hashes};
use crate::vocabulary::{ClosureFacts, StorePath};

/// All that is compared of a build.
#[derive(Debug, Clone, Copy)]
pub struct Build<'a> {
    pub facts: &'a ClosureFacts,
    pub survey: &'a Survey,
    /// What [`crate::closure::etc_digests`] gives.
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

/// All differences, the one that matters most first; none where only the toplevels' own files differ.
pub(super) fn differences(meant: &Build, built: &Build) -> Vec<Difference> {
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
