//! Following a logical path through the links of a closure. `files` calls [`walk`]; nothing is opened here, and no link of the
//! host's own is followed.

use std::collections::HashMap;
use std::fmt;
use std::fs::{self, Metadata};
use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};

use super::Closure;
use super::files::{FileError, Resolved};
use crate::vocabulary::{STORE_DIR, StorePath};

/// As many links as Linux follows in one path (path_resolution(7)).
const MAX_LINKS: usize = 40;
/// Together some 50 MB at worst; beyond that a directory is followed anew each time.
const MAX_KNOWN: usize = 32_768;
const MAX_KNOWN_LENGTH: usize = 512;
/// Components of `/nix/store/BASE`.
const STORE_PATH_DEPTH: usize = 3;

/// Follows all links of a logical path, and looks at what is at its end.
pub(super) fn walk(closure: &Closure, path: &str) -> Result<(Resolved, Metadata), FileError> {
    let missing = || FileError::Missing(path.to_owned());
    let mut way = Way::begin(closure, path, path)?;
    // Links of this path, and of these those before the segment that `way` begins.
    let (mut links, mut links_before) = (way.links, 0);
    let mut end = None;
    loop {
        if links > MAX_LINKS {
            return Err(FileError::LinkLoop(path.to_owned()));
        }
        if way.pending.len() == 1 {
            way.remember(closure, links - links_before);
        }
        let Some(component) = way.pending.pop() else {
            break;
        };
        end = None;
        if component == ".." {
            way.place.leave();
            continue;
        }
        way.place.enter(closure, &component, path)?;
        let Some(host) = &way.place.host else {
            continue;
        };
        let metadata = host.symlink_metadata().map_err(|_| missing())?;
        if !metadata.is_symlink() {
            if !metadata.is_dir() && !way.pending.is_empty() {
                return Err(missing());
            }
            end = Some(metadata);
            continue;
        }
        links += 1;
        let target = fs::read_link(host).map_err(|reason| FileError::Io {
            path: path.to_owned(),
            reason,
        })?;
        let target = target.to_str().ok_or_else(missing)?;
        if !target.starts_with('/') {
            way.place.leave();
            way.pending.extend(split(target));
        } else if way.pending.is_empty() {
            links_before = links;
            way = Way::begin(closure, target, path)?;
            links += way.links;
        } else {
            // What follows upon the link is still to be walked, below the place where the link leads.
            way.place = Place::default();
            way.pending.extend(split(&moved(closure, target, path)?));
        }
    }
    let Some(host) = way.place.host else {
        return Err(FileError::Outside(path.to_owned()));
    };
    let metadata = match end {
        Some(metadata) => metadata,
        // The path ends in `..` or in a link to `.`.
        None => host.symlink_metadata().map_err(|_| missing())?,
    };
    let resolved = Resolved {
        logical: way.place.logical,
        host,
    };
    Ok((resolved, metadata))
}

/// Where the walk is, and what it still has to enter.
struct Way {
    place: Place,
    /// Components, last first.
    pending: Vec<String>,
    /// The directory part of the path as it was written, until the walk has reached it.
    directory: Option<String>,
    /// Links that led to `place`.
    links: usize,
}

impl Way {
    /// The way along an absolute path, from its directory where that is known already.
    fn begin(closure: &Closure, path: &str, asked: &str) -> Result<Self, FileError> {
        let path = moved(closure, path, asked)?;
        let named = path
            .rsplit_once('/')
            .filter(|(_, name)| !["", ".", ".."].contains(name));
        if let Some((directory, name)) = named
            && let Some((place, links)) = closure.known.get(directory)
        {
            return Ok(Self {
                place,
                pending: vec![name.to_owned()],
                directory: None,
                links,
            });
        }
        Ok(Self {
            place: Place::default(),
            pending: split(&path).collect(),
            directory: named.map(|(directory, _)| directory.to_owned()),
            links: 0,
        })
    }

    /// Before the last component: the directory is reached.
    fn remember(&mut self, closure: &Closure, links: usize) {
        if let Some(directory) = self.directory.take()
            && self.place.host.is_some()
        {
            closure.known.insert(directory, &self.place, links);
        }
    }
}

/// A path without links. Above the store paths it is nowhere on the host.
#[derive(Debug, Clone, Default)]
struct Place {
    /// Empty for `/`.
    logical: String,
    depth: usize,
    host: Option<PathBuf>,
}

impl Place {
    fn enter(&mut self, closure: &Closure, component: &str, asked: &str) -> Result<(), FileError> {
        self.logical.push('/');
        self.logical.push_str(component);
        self.depth += 1;
        match &mut self.host {
            Some(host) => host.push(component),
            None => self.host = store_path_on_host(closure, &self.logical, asked)?,
        }
        Ok(())
    }

    fn leave(&mut self) {
        self.logical
            .truncate(self.logical.rfind('/').unwrap_or_default());
        self.depth = self.depth.saturating_sub(1);
        if self.depth < STORE_PATH_DEPTH {
            self.host = None;
        } else if let Some(host) = &mut self.host {
            host.pop();
        }
    }
}

/// `None` for `/nix` and `/nix/store`, which no closure contains and every path leads through.
fn store_path_on_host(
    closure: &Closure,
    logical: &str,
    asked: &str,
) -> Result<Option<PathBuf>, FileError> {
    if logical == "/nix" || logical == STORE_DIR {
        return Ok(None);
    }
    match StorePath::parse(logical) {
        Ok(path) if closure.contains(&path) => Ok(Some(closure.host_path(&path))),
        _ => Err(FileError::Outside(asked.to_owned())),
    }
}

/// An absolute path, moved to where the closure has it.
fn moved(closure: &Closure, path: &str, asked: &str) -> Result<String, FileError> {
    let below = |prefix: &str| {
        path.strip_prefix(prefix)
            .filter(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let toplevel = closure.toplevel.as_str();
    if below(STORE_DIR).is_some() {
        Ok(path.to_owned())
    } else if let Some(rest) = below("/etc/static").or_else(|| below("/etc")) {
        Ok(format!("{toplevel}/etc{rest}"))
    } else if let Some(rest) = below("/run/current-system") {
        Ok(format!("{toplevel}{rest}"))
    } else if path == "/dev/null" {
        Err(FileError::NullDevice)
    } else {
        Err(FileError::Outside(asked.to_owned()))
    }
}

fn split(path: &str) -> impl Iterator<Item = String> + '_ {
    path.split('/')
        .rev()
        .filter(|component| !component.is_empty() && *component != ".")
        .map(str::to_owned)
}

/// Directories that a walk has reached, by the path that was asked for. A closure does not change while it is read.
///
/// It is no part of what a closure is: a copy begins empty, and every two are equal.
#[derive(Default)]
pub(super) struct KnownDirectories(RwLock<HashMap<String, (Place, usize)>>);

impl KnownDirectories {
    fn get(&self, directory: &str) -> Option<(Place, usize)> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(directory).cloned()
    }

    fn insert(&self, directory: String, place: &Place, links: usize) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let longest = directory.len().max(place.logical.len());
        if known.len() < MAX_KNOWN && longest <= MAX_KNOWN_LENGTH {
            known.insert(directory, (place.clone(), links));
        }
    }
}

impl Clone for KnownDirectories {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for KnownDirectories {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for KnownDirectories {}

impl fmt::Debug for KnownDirectories {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KnownDirectories")
    }
}

#[cfg(test)]
mod tests;
