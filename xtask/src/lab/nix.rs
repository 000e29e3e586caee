//! Runs Nix on the lab's expressions, in a store of its own: no daemon, no substituters, the host's store untouched.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, bail};

use super::Layout;
use super::scenario::Scenario;
use crate::host_tools;

/// Builds each system of the scenario, and leaves its link in `closures/`, which is a root of the garbage collector as well.
/// The first system of an architecture takes about half a minute, the next ones a few seconds.
pub(super) fn build(layout: &Layout, scenario: &Scenario) -> anyhow::Result<()> {
    for system in &scenario.systems {
        eprintln!("lab: building {} {system} with Nix", scenario.name);
        let started = Instant::now();
        let toplevel = build_system(layout, scenario, system)?;
        let size = closure_size(layout, &toplevel)?;
        eprintln!(
            "lab: {} {system}: {toplevel} ({} MB, {} s)",
            scenario.name,
            size / 1_000_000,
            started.elapsed().as_secs()
        );
    }
    Ok(())
}

fn build_system(layout: &Layout, scenario: &Scenario, system: &str) -> anyhow::Result<String> {
    let link = layout.closure_link(scenario, system);
    let log_path = layout
        .root
        .join("logs")
        .join(format!("{}-{system}.log", scenario.name));
    for path in [&link, &log_path] {
        let parent = path.parent().expect("both are below the lab's root");
        fs::create_dir_all(parent)
            .with_context(|| format!("failed to create {}", parent.display()))?;
    }
    let log = File::create(&log_path)
        .with_context(|| format!("failed to create {}", log_path.display()))?;

    let status = nix(layout, "nix-build")?
        .arg(&layout.expressions)
        .args(["--attr", system, "--argstr", "name", &scenario.name])
        .args(["--argstr", "scenarioFile"])
        .arg(&scenario.file)
        .args(["--argstr", "lockFile"])
        .arg(&layout.debs_lock)
        .args(["--argstr", "archives"])
        .arg(&layout.archives)
        .arg("--out-link")
        .arg(&link)
        .stdout(log.try_clone()?)
        .stderr(log)
        .status()
        .context("failed to start nix-build")?;
    if !status.success() {
        bail!(
            "nix-build of {} {system} ended with {status}:\n{}",
            scenario.name,
            tail(&log_path)
        );
    }
    let toplevel = fs::read_link(&link)
        .with_context(|| format!("nix-build left no link {}", link.display()))?;
    Ok(toplevel.to_string_lossy().into_owned())
}

/// In bytes, as Nix serialises the paths.
fn closure_size(layout: &Layout, toplevel: &str) -> anyhow::Result<u64> {
    let paths = query(layout, &["--requisites", toplevel])?;
    let mut arguments = vec!["--size"];
    arguments.extend(paths.lines());
    Ok(query(layout, &arguments)?
        .lines()
        .filter_map(|line| line.trim().parse::<u64>().ok())
        .sum())
}

fn query(layout: &Layout, arguments: &[&str]) -> anyhow::Result<String> {
    let output = nix(layout, "nix-store")?
        .arg("--query")
        .args(arguments)
        .output()
        .context("failed to start nix-store")?;
    if !output.status.success() {
        bail!(
            "nix-store --query failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A Nix command for the lab's store that neither a daemon nor anybody's configuration can change.
fn nix(layout: &Layout, program: &str) -> anyhow::Result<Command> {
    let Some(path) = host_tools::find_program(program) else {
        bail!("{program} is missing: install package nix-bin")
    };
    let mut command = Command::new(path);
    command
        .env_remove("NIX_REMOTE")
        .env_remove("NIX_CONFIG")
        .env_remove("NIX_PATH")
        .env("NIX_CONF_DIR", layout.root.join("no-nix-configuration"))
        .env("NIX_USER_CONF_FILES", "")
        .arg("--store")
        .arg(&layout.store)
        .args(["--option", "sandbox", "true"])
        .args(["--option", "build-users-group", ""])
        .args(["--option", "substituters", ""])
        .args(["--option", "max-jobs", "auto"])
        .args(["--option", "sandbox-paths", &sandbox_paths()]);
    Ok(command)
}

/// The builders are the host's shell and tools, seen where the host has them.
fn sandbox_paths() -> String {
    let present = ["/bin", "/sbin", "/usr", "/lib", "/lib64"]
        .into_iter()
        .filter(|path| Path::new(path).exists());
    present.collect::<Vec<_>>().join(" ")
}

fn tail(file: &Path) -> String {
    let text = fs::read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(25)..].join("\n")
}
