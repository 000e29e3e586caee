//! The closures that are measured.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use bootproof::closure::{Closure, Source, resolve, resolve_directory};

use super::generated;

/// Bumped when the generator makes something else of a size.
const GENERATION: u32 = 3;

/// A closure, and how each of the programs is told of it.
pub(super) struct Subject {
    pub(super) name: String,
    pub(super) is_of_lab: bool,
    /// Regular files.
    pub(super) files: u64,
    pub(super) store_paths: usize,
    /// Of `bootproof inspect`.
    pub(super) arguments: Vec<String>,
    /// A file with the places of the store paths on this host, one a line.
    pub(super) list: PathBuf,
    /// What an operator would ask for the paths; `None` where a file lists them.
    asks_nix: Option<String>,
}

impl Subject {
    /// What an operator would type.
    pub(super) fn by_file(&self) -> Command {
        let mut command = Command::new("sh");
        let paths = match &self.asks_nix {
            Some(query) => query.clone(),
            None => format!("cat '{}'", self.list.display()),
        };
        command.arg("-c").arg(format!(
            "find $({paths}) -type f -print0 | xargs -0 file > /dev/null"
        ));
        command
    }
}

/// The lab's largest closure twice: as it is in its store, of which `nix-store` tells the paths, and as a closure directory.
pub(super) fn of_lab(lab: &Path, work: &Path) -> anyhow::Result<Vec<Subject>> {
    let root = lab.join("root");
    let source = Source::Store { root: root.clone() };
    let mut largest: Option<(u64, Closure)> = None;
    for scenario in entries(&lab.join("closures"))? {
        for link in entries(&scenario)? {
            let toplevel = fs::read_link(&link)?;
            let closure = resolve(&source, &toplevel.to_string_lossy())?;
            let files = regular_files(&places(&closure))?;
            if largest.as_ref().is_none_or(|(most, _)| files > *most) {
                largest = Some((files, closure));
            }
        }
    }
    let (files, closure) = largest.context("the lab has no closure")?;
    let list = write_list(work, "lab", &closure)?;
    let directory = closure_directory(&closure, &root, &work.join("lab"))?;
    let query = format!(
        "nix-store --store '{0}' -qR {1} 2> /dev/null | sed 's|^|{0}|'",
        root.display(),
        closure.toplevel
    );
    let subject = |name: &str, arguments: Vec<String>, asks_nix| Subject {
        name: name.to_owned(),
        is_of_lab: true,
        files,
        store_paths: closure.paths.len(),
        arguments,
        list: list.clone(),
        asks_nix,
    };
    let store = vec![
        closure.toplevel.to_string(),
        "--store".to_owned(),
        root.display().to_string(),
    ];
    let listed = vec!["--closure".to_owned(), directory.display().to_string()];
    Ok(vec![
        subject("lab, through nix-store", store, Some(query)),
        subject("lab, closure directory", listed, None),
    ])
}

/// A closure directory whose store paths are those of the lab, by a link.
fn closure_directory(closure: &Closure, root: &Path, place: &Path) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(place)?;
    let link = place.join("nix");
    let _ = fs::remove_file(&link);
    symlink(fs::canonicalize(root)?.join("nix"), &link)?;
    let output = Command::new("nix-store")
        .arg("--store")
        .arg(root)
        .arg("--dump-db")
        .args(closure.paths.iter().map(|path| path.as_str()))
        .stderr(Stdio::null())
        .output()
        .context("failed to start nix-store")?;
    if !output.status.success() {
        bail!("`nix-store --dump-db` ended with {}", output.status);
    }
    fs::write(place.join("registration"), output.stdout)?;
    Ok(place.to_owned())
}

/// A generated closure; made once, and then found again.
pub(super) fn generated(work: &Path, files: u64) -> anyhow::Result<Subject> {
    let directory = work.join(format!("generated-{GENERATION}-{files}"));
    if !directory.exists() {
        eprintln!("bench: writing a closure of {files} files");
        let unfinished = directory.with_extension("unfinished");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished)?;
        }
        generated::generate(&unfinished, files)?;
        fs::rename(&unfinished, &directory)?;
    }
    let closure = resolve_directory(&directory)?;
    Ok(Subject {
        name: format!("generated, {files} files"),
        is_of_lab: false,
        files,
        store_paths: closure.paths.len(),
        arguments: vec!["--closure".to_owned(), directory.display().to_string()],
        list: write_list(work, &files.to_string(), &closure)?,
        asks_nix: None,
    })
}

fn write_list(work: &Path, name: &str, closure: &Closure) -> anyhow::Result<PathBuf> {
    let list = work.join(format!("paths-{name}"));
    let lines = places(closure)
        .iter()
        .map(|place| format!("{}\n", place.display()))
        .collect::<String>();
    fs::write(&list, lines)?;
    Ok(list)
}

fn places(closure: &Closure) -> Vec<PathBuf> {
    let paths = closure.paths.iter();
    paths.map(|path| closure.host_path(path)).collect()
}

fn regular_files(tops: &[PathBuf]) -> anyhow::Result<u64> {
    let mut pending = tops.to_vec();
    let mut files = 0;
    while let Some(path) = pending.pop() {
        let metadata = path.symlink_metadata()?;
        if metadata.is_dir() {
            pending.extend(entries(&path)?);
        }
        files += u64::from(metadata.is_file());
    }
    Ok(files)
}

fn entries(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(directory)
        .with_context(|| format!("failed to read {}", directory.display()))?;
    Ok(entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?)
}
