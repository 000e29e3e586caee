//! A QEMU that runs no guest: it takes the harness's descriptors as QEMU does, and plays a script on them.
//!
//! Tests write the [`Script`] and read the pids; the binary `fake-qemu` is [`main`]. What the harness sends to the guest
//! is answered by the script's texts and never run: it would power the host off.

mod machine;
mod monitor;
mod network;
mod script;
mod shell;

use std::fs;
use std::path::{Path, PathBuf};

pub use machine::main;
pub use script::{Act, Answer, Role, Script};
pub use shell::MARK;

/// Names the directory of the script, for the fake QEMU that bootproof starts.
pub const DIRECTORY_VARIABLE: &str = "FAKE_QEMU_DIRECTORY";

/// What stands in that directory.
#[derive(Debug, Clone)]
pub struct Directory {
    path: PathBuf,
}

impl Directory {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn script(&self) -> PathBuf {
        self.path.join("script.json")
    }

    /// A file for each fake QEMU that was ever started, called `ROLE-PID`.
    /// A file with a byte for each crash that was played.
    pub fn crashes(&self) -> PathBuf {
        self.path.join("crashes")
    }

    pub fn pids(&self) -> PathBuf {
        self.path.join("pids")
    }

    /// Is there as soon as a fake QEMU hangs.
    pub fn hanging(&self) -> PathBuf {
        self.path.join("hanging")
    }

    /// The roles in which fake QEMUs were started, sorted, each as often as it was.
    pub fn started(&self) -> Vec<String> {
        let mut roles: Vec<String> = self.pid_files().into_iter().map(|(role, _)| role).collect();
        roles.sort();
        roles
    }

    /// The fake QEMUs of this directory that are alive now.
    pub fn alive(&self) -> Vec<u32> {
        self.pid_files()
            .into_iter()
            .map(|(_, pid)| pid)
            .filter(|pid| self.is_alive(*pid))
            .collect()
    }

    /// A zombie has no environment, and a stranger with the same pid another one.
    fn is_alive(&self, pid: u32) -> bool {
        let variable = format!("{DIRECTORY_VARIABLE}={}", self.path.display());
        fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|all| all.split(|b| *b == 0).any(|one| one == variable.as_bytes()))
    }

    fn pid_files(&self) -> Vec<(String, u32)> {
        let Ok(entries) = fs::read_dir(self.pids()) else {
            return Vec::new();
        };
        entries
            .flatten()
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                let (role, pid) = name.split_once('-')?;
                Some((role.to_owned(), pid.parse().ok()?))
            })
            .collect()
    }
}
