//! The lab: NixOS-format closures of the regression scenarios, built by real Nix from Debian's packages in a store of their
//! own under `target/lab`. Called by `cargo xtask lab` and `cargo xtask test-boot`. Never touches the host's package
//! lists, its Nix store, or anything else outside `target/lab`.
//!
//! What a reader of the lab may rely on: `root` is the root of the Nix store, and `closures/<scenario>/<system>` is a link
//! whose target is the logical store path of that system's toplevel (and keeps it from being collected).

mod apt;
mod damage;
mod debs;
mod nix;
mod scenario;
mod sources;
mod stamp;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::Context;

use self::scenario::Scenario;

/// A lab in which the scenarios that were asked for are built.
pub(crate) struct Lab {
    /// `target/lab`.
    pub(crate) root: PathBuf,
}

/// Builds the closures of these scenarios (all, where none is named) unless they are there already.
///
/// # Errors
/// An unknown scenario, no usable package source, and failures of apt and Nix.
pub(crate) fn ensure(workspace_root: &Path, scenarios: &[String]) -> anyhow::Result<Lab> {
    let layout = Layout::new(workspace_root);
    let scenarios = scenario::select(&layout.scenarios, scenarios)?;
    fs::create_dir_all(&layout.root)
        .with_context(|| format!("failed to create {}", layout.root.display()))?;
    let _lock = lock(&layout.root)?;

    let lock_is_current = debs::lock_is_current(&layout)?;
    let mut stale = Vec::new();
    for scenario in &scenarios {
        if !(lock_is_current && stamp::is_current(&layout, scenario)?) {
            stale.push(scenario);
        }
    }
    if stale.is_empty() {
        return Ok(Lab { root: layout.root });
    }

    debs::ensure(&layout)?;
    nix::build(&layout, &stale)?;
    for scenario in stale {
        damage::inflict(&layout, scenario)?;
        stamp::write(&layout, scenario)?;
    }
    Ok(Lab { root: layout.root })
}

/// Where everything is. `target/lab/…`, but for the sources.
struct Layout {
    root: PathBuf,
    scenarios: PathBuf,
    /// The Nix expressions and the scripts that they install.
    expressions: PathBuf,
    /// The list of the packages to ask apt for.
    packages: PathBuf,
    apt: PathBuf,
    archives: PathBuf,
    debs_lock: PathBuf,
    store: PathBuf,
}

impl Layout {
    fn new(workspace_root: &Path) -> Self {
        let root = workspace_root.join("target/lab");
        let scenarios = workspace_root.join("scenarios");
        let expressions = scenarios.join("lab");
        let apt = root.join("apt");
        Self {
            packages: expressions.join("packages.json"),
            archives: apt.join("archives"),
            debs_lock: root.join("debs.json"),
            store: root.join("root"),
            expressions,
            scenarios,
            apt,
            root,
        }
    }

    fn closure_link(&self, scenario: &Scenario, system: &str) -> PathBuf {
        self.root.join("closures").join(&scenario.name).join(system)
    }

    /// The same link where the garbage collector of the lab's store looks for what is in use.
    fn gc_root(&self, scenario: &Scenario, system: &str) -> PathBuf {
        self.store
            .join("nix/var/nix/gcroots/lab")
            .join(&scenario.name)
            .join(system)
    }

    /// A logical store path, as a path of the host.
    fn on_host(&self, store_path: &Path) -> PathBuf {
        self.store
            .join(store_path.strip_prefix("/").unwrap_or(store_path))
    }
}

/// Held for the whole of `ensure`: a second run waits, and then finds everything done.
fn lock(root: &Path) -> anyhow::Result<File> {
    use rustix::fs::{FlockOperation, flock};
    let path = root.join("lock");
    let file =
        File::create(&path).with_context(|| format!("failed to create {}", path.display()))?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        eprintln!(
            "lab: waiting for another run that builds in {}",
            root.display()
        );
        flock(&file, FlockOperation::LockExclusive)
            .with_context(|| format!("failed to lock {}", path.display()))?;
    }
    Ok(file)
}
