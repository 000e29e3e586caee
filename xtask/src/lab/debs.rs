//! The Debian packages that the lab is built from: asked for in `scenarios/lab/packages.json`, downloaded by apt, and
//! recorded with their digests in `target/lab/debs.json`, which Nix reads. As long as the record is there, nothing is
//! downloaded, and Debian's updates change nothing; remove it to follow them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Layout;
use super::apt::{ARCHITECTURES, Apt};
use super::stamp::hex;

const FORMAT_VERSION: u32 = 1;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Packages {
    format_version: u32,
    /// Debian's code name of the release.
    suite: String,
    userland: Vec<String>,
    programs: Vec<String>,
    /// The metapackage of the kernel, by architecture.
    kernel: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct Lock {
    format_version: u32,
    /// Digest of the list of packages that this answers.
    requested: String,
    debs: Vec<Deb>,
}

#[derive(Serialize, Deserialize)]
struct Deb {
    arch: String,
    package: String,
    version: String,
    file: String,
    sha256: String,
}

/// True where the record answers the present list of packages. The files themselves matter to a build only.
pub(super) fn lock_is_current(layout: &Layout) -> anyhow::Result<bool> {
    let requested = file_digest(&layout.packages)?;
    Ok(read_lock(layout)
        .is_some_and(|lock| lock.format_version == FORMAT_VERSION && lock.requested == requested))
}

/// Downloads the packages, unless all that the record names are there.
pub(super) fn ensure(layout: &Layout) -> anyhow::Result<()> {
    if lock_is_current(layout)? && archives_are_complete(layout) {
        return Ok(());
    }
    let packages = read_packages(layout)?;
    let apt = Apt::prepare(&layout.apt, &packages.suite)?;
    eprintln!(
        "lab: fetching the package lists of Debian's {} for {}",
        packages.suite,
        ARCHITECTURES.join(" and ")
    );
    apt.update()?;

    let mut debs = Vec::new();
    for architecture in ARCHITECTURES {
        let wanted = packages.wanted(architecture)?;
        let resolved = apt.resolve(architecture, &wanted)?;
        eprintln!(
            "lab: downloading {} packages for {architecture} (about 125 MB where nothing is cached)",
            resolved.len()
        );
        apt.download(architecture, &wanted)?;
        for package in resolved {
            let sha256 = file_digest(&layout.archives.join(&package.file))?;
            let (package, version, file) = (package.package, package.version, package.file);
            debs.push(Deb {
                arch: architecture.to_owned(),
                package,
                version,
                file,
                sha256,
            });
        }
    }
    debs.sort_by(|one, other| (&one.arch, &one.package).cmp(&(&other.arch, &other.package)));

    let lock = Lock {
        format_version: FORMAT_VERSION,
        requested: file_digest(&layout.packages)?,
        debs,
    };
    let temporary = layout.debs_lock.with_extension("json.tmp");
    fs::write(&temporary, serde_json::to_string_pretty(&lock)? + "\n")
        .and_then(|()| fs::rename(&temporary, &layout.debs_lock))
        .with_context(|| format!("failed to write {}", layout.debs_lock.display()))
}

impl Packages {
    fn wanted(&self, architecture: &str) -> anyhow::Result<Vec<String>> {
        let Some(kernel) = self.kernel.get(architecture) else {
            bail!("packages.json names no kernel for {architecture}")
        };
        Ok(self
            .userland
            .iter()
            .chain(&self.programs)
            .chain([kernel])
            .cloned()
            .collect())
    }
}

fn read_packages(layout: &Layout) -> anyhow::Result<Packages> {
    let path = &layout.packages;
    let text =
        fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))?;
    let packages: Packages = serde_json::from_str(&text)
        .with_context(|| format!("failed to parse {}", path.display()))?;
    if packages.format_version != FORMAT_VERSION {
        bail!(
            "{} has format version {}, not {FORMAT_VERSION}",
            path.display(),
            packages.format_version
        );
    }
    Ok(packages)
}

/// `None` where there is no record, or none that can be read: it is made again.
fn read_lock(layout: &Layout) -> Option<Lock> {
    serde_json::from_slice(&fs::read(&layout.debs_lock).ok()?).ok()
}

fn archives_are_complete(layout: &Layout) -> bool {
    read_lock(layout).is_some_and(|lock| {
        lock.debs
            .iter()
            .all(|deb| layout.archives.join(&deb.file).is_file())
    })
}

fn file_digest(path: &Path) -> anyhow::Result<String> {
    let mut file =
        File::open(path).with_context(|| format!("failed to open {}", path.display()))?;
    let mut digest = Sha256::new();
    io::copy(&mut file, &mut DigestWriter(&mut digest))
        .with_context(|| format!("failed to read {}", path.display()))?;
    Ok(hex(&digest.finalize()))
}

struct DigestWriter<'a>(&'a mut Sha256);

impl io::Write for DigestWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
