//! The scenario `healthy`, rehearsed by a release build.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bootproof::rehearsal::read_recording;
use bootproof::vocabulary::{Observation, Recorded};

use crate::{host_tools, lab, test_boot};

const SCENARIO: &str = "healthy";

pub(super) struct Healthy {
    root: PathBuf,
    bootproof: PathBuf,
    lab: PathBuf,
    /// Where the recording goes.
    pub(super) work: PathBuf,
}

impl Healthy {
    /// Builds all that it takes, and rehearses once.
    pub(super) fn with_a_warm_cache(root: &Path) -> anyhow::Result<Self> {
        host_tools::ensure(host_tools::LAB)?;
        host_tools::ensure(host_tools::BOOT)?;
        let lab = lab::ensure(root, &[SCENARIO.to_owned()])?;
        let healthy = Self {
            root: root.to_owned(),
            bootproof: test_boot::bootproof(root, test_boot::Build::Release)?,
            lab: lab.root,
            work: root.join("target/bootproof/bench"),
        };
        eprintln!("bench: one rehearsal to warm the cache");
        healthy.rehearse()?;
        Ok(healthy)
    }

    /// One rehearsal: how long it took, and what it observed.
    pub(super) fn rehearse(&self) -> anyhow::Result<(Duration, Vec<Recorded>)> {
        let mut command = Command::new(&self.bootproof);
        command
            .args(["test", "--scenario", SCENARIO, "--lab"])
            .arg(&self.lab)
            .arg("--scenarios")
            .arg(self.root.join("scenarios"));
        self.run(command)
    }

    /// A rehearsal of other steps, with its closures.
    pub(super) fn rehearse_steps(
        &self,
        steps: &str,
        options: &[&str],
    ) -> anyhow::Result<Vec<Recorded>> {
        let built = |system: &str| {
            let link = self.lab.join("closures").join(SCENARIO).join(system);
            std::fs::read_link(&link).with_context(|| format!("no {}", link.display()))
        };
        let mut command = Command::new(&self.bootproof);
        command
            .args(["test", "--cpu", "qemu64,-svm", "--steps", steps])
            .args(options)
            .arg("--store")
            .arg(self.lab.join("root"))
            .arg("--toplevel")
            .arg(built("candidate")?)
            .arg("--baseline")
            .arg(built("baseline")?);
        Ok(self.run(command)?.1)
    }

    fn run(&self, mut command: Command) -> anyhow::Result<(Duration, Vec<Recorded>)> {
        let run_directory = self.work.join("run");
        if run_directory.exists() {
            std::fs::remove_dir_all(&run_directory)?;
        }
        std::fs::create_dir_all(&self.work)?;
        let began = Instant::now();
        let output = command
            .arg("--cache-dir")
            .arg(self.root.join("target/bootproof/cache"))
            .arg("--run-dir")
            .arg(&run_directory)
            .output()?;
        let took = began.elapsed();
        if !output.status.success() {
            bail!(
                "the rehearsal failed: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        let (_, observations) = read_recording(&run_directory)?;
        Ok((took, observations))
    }
}

/// What ran the guests, and why.
pub(super) fn accelerator(observations: &[Recorded]) -> String {
    observations
        .iter()
        .find_map(|r| match &r.observation {
            Observation::Accelerator {
                accelerator,
                reason,
                qemu,
                ..
            } => Some(format!("{} ({reason}), {qemu}", accelerator.as_str())),
            _ => None,
        })
        .unwrap_or_else(|| "unknown".to_owned())
}
