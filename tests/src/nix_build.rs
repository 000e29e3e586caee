//! A store of its own in which Nix builds, in its sandbox, a check of `lib.bootTest` for systems of the lab.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::lab::bootproof;

/// The store, with the closures of two toplevels of the lab.
pub struct BuildStore {
    root: TempDir,
    candidate: String,
    baseline: String,
}

impl BuildStore {
    /// Copies the closures out of the lab's store.
    pub fn of(lab: &Path, candidate: &str, baseline: &str) -> Self {
        let store = Self {
            root: tempfile::tempdir().unwrap(),
            candidate: candidate.to_owned(),
            baseline: baseline.to_owned(),
        };
        let from = lab.join("root");
        let query = nix("nix-store", &from)
            .args(["-qR", candidate, baseline])
            .output()
            .unwrap();
        let paths = String::from_utf8(query.stdout).unwrap();
        let mut export = nix("nix-store", &from)
            .arg("--export")
            .args(paths.lines())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let import = nix("nix-store", store.root.path())
            .arg("--import")
            .stdin(export.stdout.take().unwrap())
            .output()
            .unwrap();
        assert!(export.wait().unwrap().success());
        assert!(import.status.success(), "{import:?}");
        store
    }

    /// Builds an attribute of the check (`report`, or the check itself where there is none), and gives its place on the host, or what
    /// Nix says of its failure.
    pub fn build(&self, attribute: Option<&str>) -> Result<PathBuf, String> {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        let output = nix("nix-build", self.root.path())
            .arg(tests.join("nix/boot-test.nix"))
            .arg("--no-out-link")
            .args(attribute.into_iter().flat_map(|name| ["--attr", name]))
            .args(["--argstr", "candidate", &self.candidate])
            .args(["--argstr", "baseline", &self.baseline])
            .args(["--argstr", "bootproof"])
            .arg(bootproof())
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        if !output.status.success() {
            return Err(told);
        }
        let path = String::from_utf8(output.stdout).unwrap();
        Ok(self.root.path().join(path.trim().trim_start_matches('/')))
    }
}

/// A program of Nix on a store, with the sandbox that the lab is built in.
fn nix(program: &str, store: &Path) -> Command {
    let present = ["/bin", "/sbin", "/usr", "/lib", "/lib64"]
        .into_iter()
        .filter(|path| Path::new(path).exists());
    let mut command = Command::new(program);
    command
        .env_remove("NIX_REMOTE")
        .env_remove("NIX_CONFIG")
        .env_remove("NIX_PATH")
        .env("NIX_CONF_DIR", "/no-nix-configuration")
        .env("NIX_USER_CONF_FILES", "")
        .arg("--store")
        .arg(store)
        .args(["--option", "sandbox", "true"])
        .args(["--option", "build-users-group", ""])
        .args(["--option", "substituters", ""])
        .args(["--option", "sandbox-paths"])
        .arg(present.collect::<Vec<_>>().join(" "));
    command
}
