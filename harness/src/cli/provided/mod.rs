//! What a command works on: closures that are named, built, fetched from a cache or a host, or imported from a file.
//!
//! Whatever is fetched, Nix fetches: signatures, references and hashes are checked by it.

mod cache;
mod exported;
mod from_host;
mod specialisation;

use std::path::{Path, PathBuf};

use super::Failure;
use super::args::{BuildArgs, InputArgs, SourceArgs};
use super::build::{Built, build};
use crate::closure::{self, Closure, Source};
use crate::vocabulary::StorePath;

/// What the arguments of a command say of its closures.
pub(super) struct Wanted<'a> {
    /// The candidate, where one is named.
    pub(super) candidate: Option<&'a str>,
    pub(super) baseline: Option<&'a str>,
    pub(super) build: &'a BuildArgs,
    pub(super) input: &'a InputArgs,
    pub(super) source: &'a SourceArgs,
    /// The host that a flake without an attribute stands for.
    pub(super) host: Option<&'a str>,
    /// Where imported closures are kept.
    pub(super) cache_directory: Option<&'a Path>,
    /// Whether the baseline's files are needed, or its path only.
    pub(super) with_baseline: bool,
}

/// What it works on, all of which is there.
pub(super) struct Provided {
    pub(super) source: Source,
    /// `None` where nothing is named or built.
    candidate: Option<String>,
    pub(super) baseline: Option<String>,
    /// What the flake builds; where nothing else is named it is the candidate, too.
    pub(super) meant: Option<String>,
}

impl Provided {
    /// Builds, fetches and imports what is asked for.
    ///
    /// # Errors
    /// When a build, Nix or the host fails, or something is named that is not there.
    pub(super) fn get(wanted: &Wanted<'_>) -> Result<Self, Failure> {
        let Wanted {
            build: by, input, ..
        } = *wanted;
        let source = match input.exported.as_slice() {
            [] => wanted.source.source(),
            files => Source::Store {
                root: exported::import(files, wanted.cache_directory)?,
            },
        };
        let root = match &source {
            Source::Store { root } => root.clone(),
            Source::Directory { .. } => PathBuf::from("/"),
        };
        let Built {
            by_command,
            of_flake,
        } = build(by, wanted.host, &root)?;
        let generation = input.generation.map(generation);
        let named = wanted.candidate.map(str::to_owned).or(generation);
        let mut candidate = by_command.or(named).or_else(|| of_flake.clone());
        let fetched = wanted.baseline.filter(|_| wanted.with_baseline);
        if !input.from_cache.is_empty() {
            let paths = candidate.as_deref().into_iter().chain(fetched);
            cache::fetch(paths, &root, &input.from_cache, &input.cache_key)?;
        }
        if candidate.is_none() && !input.exported.is_empty() {
            candidate = Some(closure::only_toplevel(&root)?.to_string());
        }
        if let Some(name) = &input.specialisation {
            let of = toplevel(&source, candidate.as_deref())?;
            candidate = Some(specialisation::of(&source, &of, name)?.to_string());
        }
        let baseline = match &input.from_host {
            None => wanted.baseline.map(str::to_owned),
            Some(host) => {
                let runs = from_host::current_system(host)?;
                if wanted.with_baseline {
                    from_host::copy(host, &runs, &root)?;
                }
                Some(runs.to_string())
            }
        };
        Ok(Self {
            source,
            candidate,
            baseline,
            meant: of_flake,
        })
    }

    /// Whether a candidate is named or built.
    pub(super) fn is_named(&self) -> bool {
        self.candidate.is_some()
    }

    /// The candidate's closure; its initrd is being read from then on.
    ///
    /// # Errors
    /// When nothing is named, or what is named is no toplevel.
    pub(super) fn candidate(&self) -> Result<Closure, Failure> {
        Ok(match (&self.candidate, &self.source) {
            (Some(named), source) => closure::resolve_ahead(source, named)?,
            (None, Source::Directory { dir }) => closure::resolve_directory(dir)?,
            (None, Source::Store { .. }) => {
                return Err("what is it about? Name the candidate, or what builds it".into());
            }
        })
    }
}

/// Where Nix keeps a generation of the system (nix-env(1), "profiles").
fn generation(number: u32) -> String {
    format!("/nix/var/nix/profiles/system-{number}-link")
}

fn toplevel(source: &Source, named: Option<&str>) -> Result<StorePath, Failure> {
    Ok(match (named, source) {
        (Some(named), _) => closure::resolve(source, named)?.toplevel,
        (None, Source::Directory { dir }) => closure::resolve_directory(dir)?.toplevel,
        (None, Source::Store { .. }) => {
            return Err("--specialisation of what? Name the candidate, or what builds it".into());
        }
    })
}
