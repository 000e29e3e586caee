use std::collections::BTreeMap;
use std::io::{self, Read};
use std::rc::Rc;

use super::services::InitrdService;
use super::{libraries, services};
use crate::closure::cpio_names::Entry;
use crate::closure::execution::elf::{self, ElfNeeds};
use crate::closure::execution::hop::{Fault, Hop, Role};
use crate::closure::execution::script::interpreter;
use crate::vocabulary::ElfClass;

/// What the kernel executes of an initrd.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InitrdFiles {
    /// `/init`, its interpreter and its loader, with paths of the initrd.
    pub hops: Vec<Hop>,
    /// What systemd is asked to start there.
    pub services: Vec<InitrdService>,
    /// Why nothing is known of it, where nothing is.
    pub unreadable: Option<String>,
}

const INIT: &str = "/init";
/// What a look at a file takes: program headers and the loader's name stand at the beginning of a program, and no link leads further
/// than `PATH_MAX`.
pub(super) const FIRST_BYTES: u64 = 4096;
/// The initrd of a desktop has some thousand files.
const MAX_FILES: usize = 100_000;
/// Names and targets of links that are kept.
const MAX_KEPT: usize = 16 << 20;
const MAX_LINKS: usize = 40;
/// A script's interpreter may be a script, so often (the kernel's `fs/exec.c`).
const MAX_SCRIPTS: usize = 5;

/// What is kept of a file.
pub(super) enum Content {
    Link(String),
    Elf {
        class: ElfClass,
        loader: Option<String>,
        /// `None` where it is too long to be read, or damaged.
        needs: Option<Rc<ElfNeeds>>,
        executable: bool,
    },
    Script(String),
    /// The text of a unit of systemd's, or of a drop-in.
    Unit(String),
    /// No file to execute.
    NotExecutable,
    NotAProgram,
    /// A further name of a file whose content comes later.
    Unread,
}

impl Content {
    /// Bytes that it takes beyond its own.
    fn length(&self) -> usize {
        match self {
            Self::Link(text) | Self::Script(text) | Self::Unit(text) => text.len(),
            Self::Elf { loader, needs, .. } => {
                let names = needs.iter().flat_map(|needs| {
                    [&needs.needed, &needs.rpath, &needs.runpath]
                        .into_iter()
                        .flatten()
                });
                names.chain(loader).map(String::len).sum()
            }
            Self::NotExecutable | Self::NotAProgram | Self::Unread => 0,
        }
    }
}

/// Follows `/init` among the files of an initrd as they come by.
pub(super) struct Follower {
    files: BTreeMap<String, Content>,
    /// Bytes that they take.
    kept: usize,
    too_many: bool,
    hops: Vec<Hop>,
    /// The first file on the way that has not come yet.
    wanted: Option<String>,
}

impl Follower {
    pub(super) fn new() -> Self {
        Self {
            files: BTreeMap::new(),
            kept: 0,
            too_many: false,
            hops: Vec::new(),
            wanted: Some("init".to_owned()),
        }
    }

    /// Nothing that still comes is kept.
    pub(super) fn is_done(&self) -> bool {
        self.too_many
    }

    /// Takes a file; `content` is what comes after its `first` [`FIRST_BYTES`].
    pub(super) fn look(
        &mut self,
        entry: &Entry,
        first: &[u8],
        content: &mut dyn Read,
    ) -> io::Result<()> {
        if self.is_done() {
            return Ok(());
        }
        let name = entry.name.trim_start_matches("./").trim_matches('/');
        if let Some(content) = content_of(entry, first, content)? {
            self.kept += name.len() + content.length();
            self.files.insert(name.to_owned(), content);
        }
        if is_on_the_way(name, self.wanted.as_deref()) {
            (self.hops, self.wanted) = followed(&self.files, INIT);
        }
        self.too_many = self.files.len() >= MAX_FILES || self.kept >= MAX_KEPT;
        Ok(())
    }

    /// What was found when the initrd was read, or could be read so far.
    pub(super) fn finish(self, end: &io::Result<()>) -> InitrdFiles {
        let unreadable = match end {
            _ if self.wanted.is_none() => None,
            Err(error) => Some(error.to_string()),
            Ok(()) if self.too_many => Some("it has more files than any".to_owned()),
            Ok(()) => None,
        };
        let mut hops = match &unreadable {
            Some(_) => Vec::new(),
            None if self.wanted.is_none() => self.hops,
            None => followed(&self.files, INIT).0,
        };
        let mut services = Vec::new();
        // What has not come may be in what was not read.
        if end.is_ok() && !self.too_many {
            libraries::look_for(&self.files, &mut hops);
            services = services::read(&self.files);
        }
        InitrdFiles {
            hops,
            services,
            unreadable,
        }
    }
}

/// `None` for directories and devices.
fn content_of(entry: &Entry, first: &[u8], rest: &mut dyn Read) -> io::Result<Option<Content>> {
    let executable = entry.mode & 0o111 != 0;
    match entry.mode & 0o170_000 {
        0o120_000 => {
            let target = String::from_utf8_lossy(first).into_owned();
            return Ok(Some(Content::Link(target)));
        }
        0o100_000 => {}
        _ => return Ok(None),
    }
    if let Some(class) = ElfClass::of_header(first) {
        return Ok(Some(Content::Elf {
            class,
            loader: elf::loader_of(first),
            needs: libraries::needs(first, rest)?,
            executable,
        }));
    }
    if first.is_empty() && entry.links > 1 {
        return Ok(Some(Content::Unread));
    }
    if !executable && services::is_unit(entry.name) {
        return services::text(first, rest).map(|text| Some(Content::Unit(text)));
    }
    if !executable {
        return Ok(Some(Content::NotExecutable));
    }
    let text = String::from_utf8_lossy(first);
    Ok(Some(match interpreter(&text) {
        Some(interpreter) => Content::Script(interpreter.to_owned()),
        None => Content::NotAProgram,
    }))
}

/// Whether what is looked for is this name or may be below it, through a link.
fn is_on_the_way(name: &str, wanted: Option<&str>) -> bool {
    wanted
        .and_then(|wanted| wanted.strip_prefix(name))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What executes a program, as far as files are known; then the name of the one that is not there, or not yet.
pub(super) fn followed(
    files: &BTreeMap<String, Content>,
    program: &str,
) -> (Vec<Hop>, Option<String>) {
    let mut hops = Vec::new();
    let mut next = Some((program.to_owned(), Role::Command));
    let mut wanted = None;
    while let Some((path, role)) = next.take() {
        let mut hop = Hop::new(&path, role);
        match resolve(files, &path) {
            Err(missing) => {
                hop.fault = Some(Fault::Missing);
                wanted = Some(missing);
            }
            Ok(
                Content::NotExecutable
                | Content::Unit(_)
                | Content::Link(_)
                | Content::Elf {
                    executable: false, ..
                },
            ) => {
                hop.fault = Some(Fault::NotExecutable);
            }
            Ok(Content::NotAProgram) => hop.fault = Some(Fault::NotAProgram),
            Ok(Content::Unread) => {}
            Ok(Content::Elf { class, loader, .. }) => {
                hop.class = Some(*class);
                if let Some(loader) = loader
                    && let Err(missing) = resolve(files, loader)
                {
                    hop.fault = Some(Fault::NoLoader(loader.clone()));
                    wanted = Some(missing);
                }
            }
            Ok(Content::Script(_)) if hops.len() >= MAX_SCRIPTS => {
                hop.fault = Some(Fault::Endless);
            }
            Ok(Content::Script(interpreter)) => {
                next = Some((interpreter.clone(), Role::Interpreter));
            }
        }
        hops.push(hop);
    }
    (hops, wanted)
}

/// Follows the links of a path as the kernel does in the root that the initrd makes; an error is the name that is not there.
fn resolve<'a>(files: &'a BTreeMap<String, Content>, path: &str) -> Result<&'a Content, String> {
    real(files, path).map(|(_, content)| content)
}

/// The same with the name that has no links in it.
pub(super) fn real<'a>(
    files: &'a BTreeMap<String, Content>,
    path: &str,
) -> Result<(String, &'a Content), String> {
    let components = |path: &str| -> Vec<String> {
        let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
        parts.rev().map(str::to_owned).collect()
    };
    let mut pending = components(path);
    let mut real: Vec<String> = Vec::new();
    let mut links = 0;
    let mut found = None;
    while let Some(component) = pending.pop() {
        if component == ".." {
            real.pop();
            continue;
        }
        real.push(component);
        found = files.get(&real.join("/"));
        if let Some(Content::Link(target)) = found {
            links += 1;
            if links > MAX_LINKS {
                break;
            }
            real.pop();
            if target.starts_with('/') {
                real.clear();
            }
            pending.extend(components(target));
            found = None;
        }
    }
    match found {
        Some(Content::Link(_)) | None => Err(real.join("/")),
        Some(content) => Ok((real.join("/"), content)),
    }
}

#[cfg(test)]
mod tests;
