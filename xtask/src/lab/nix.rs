//! Runs Nix on the lab's expressions, in a store of its own: no daemon, no substituters, the host's store untouched.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, bail};

use super::Layout;
use super::scenario::{Damage, Scenario};
use crate::host_tools;

/// Builds each system of the scenarios, and leaves its link in `closures/` and among the roots of the garbage collector.
///
/// One Nix evaluates them all and one builds them all: most of a mutant's second is Nix's start. The first system of an
/// architecture takes about half a minute.
pub(super) fn build(layout: &Layout, scenarios: &[&Scenario]) -> anyhow::Result<()> {
    let systems: Vec<(&Scenario, &String)> = scenarios
        .iter()
        .flat_map(|scenario| scenario.systems.iter().map(|system| (*scenario, system)))
        .collect();
    eprintln!(
        "lab: building {} systems of {} scenarios with Nix",
        systems.len(),
        scenarios.len()
    );
    let started = Instant::now();
    let derivations = instantiate(layout, &systems)?;
    let toplevels = realise(layout, &derivations)?;
    if toplevels.len() != systems.len() {
        bail!("{} systems were built as {toplevels:?}", systems.len());
    }
    for ((scenario, system), toplevel) in systems.iter().zip(&toplevels) {
        for link in [
            layout.closure_link(scenario, system),
            layout.gc_root(scenario, system),
        ] {
            replace_link(Path::new(toplevel), &link)?;
        }
        eprintln!("lab: {} {system}: {toplevel}", scenario.name);
    }
    eprintln!("lab: built in {} s", started.elapsed().as_secs());
    Ok(())
}

/// The store path of the part that is damaged.
pub(super) fn part(
    layout: &Layout,
    scenario: &Scenario,
    damage: &Damage,
) -> anyhow::Result<String> {
    let mut command = evaluate(layout)?;
    command.args(["--eval", "--strict", "--json", "--attr"]);
    command.arg(format!(
        "\"{}\".\"{}\".parts.\"{}\"",
        scenario.name, damage.system, damage.part
    ));
    let lines = lines_of(layout, command, "part.log")?;
    serde_json::from_str(&lines.concat()).context("nix-instantiate names no store path")
}

/// The derivations of these systems, in their order.
fn instantiate(layout: &Layout, systems: &[(&Scenario, &String)]) -> anyhow::Result<Vec<String>> {
    let mut command = evaluate(layout)?;
    for (scenario, system) in systems {
        command.arg("--attr");
        command.arg(format!("\"{}\".\"{system}\"", scenario.name));
    }
    lines_of(layout, command, "instantiate.log")
}

fn evaluate(layout: &Layout) -> anyhow::Result<Command> {
    let mut command = nix(layout, "nix-instantiate")?;
    command
        .arg(&layout.expressions)
        .args(["--argstr", "scenarios"])
        .arg(&layout.scenarios)
        .args(["--argstr", "lockFile"])
        .arg(&layout.debs_lock)
        .args(["--argstr", "archives"])
        .arg(&layout.archives);
    Ok(command)
}

/// The outputs of these derivations, in their order.
fn realise(layout: &Layout, derivations: &[String]) -> anyhow::Result<Vec<String>> {
    let mut command = nix(layout, "nix-store")?;
    command
        .args(["--realise", "--keep-going"])
        .args(derivations);
    lines_of(layout, command, "build.log")
}

/// What the command prints, line by line; what it says beside that goes to a file of `logs/`.
fn lines_of(layout: &Layout, mut command: Command, log: &str) -> anyhow::Result<Vec<String>> {
    let log_path = layout.root.join("logs").join(log);
    make_parent(&log_path)?;
    let log = File::create(&log_path)
        .with_context(|| format!("failed to create {}", log_path.display()))?;
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stderr(log)
        .output()
        .with_context(|| format!("failed to start {program}"))?;
    if !output.status.success() {
        bail!(
            "{program} ended with {}; the end of {}:\n{}",
            output.status,
            log_path.display(),
            tail(&log_path)
        );
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().map(str::to_owned).collect())
}

fn replace_link(target: &Path, link: &Path) -> anyhow::Result<()> {
    make_parent(link)?;
    let _ = fs::remove_file(link);
    symlink(target, link).with_context(|| format!("failed to make the link {}", link.display()))
}

fn make_parent(path: &Path) -> anyhow::Result<()> {
    let parent = path.parent().expect("it is below the lab's root");
    fs::create_dir_all(parent).with_context(|| format!("failed to create {}", parent.display()))
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

/// The last lines of a log, without those that only say what waits for a failed build.
fn tail(file: &Path) -> String {
    let text = fs::read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("building ") && !line.contains(" dependencies of "))
        .collect();
    lines[lines.len().saturating_sub(25)..].join("\n")
}
