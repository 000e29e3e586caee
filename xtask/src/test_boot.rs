//! `cargo xtask test-boot`: from a clean clone on a bare machine to real boots, in one command.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};

use crate::{host_tools, lab};

/// Builds what the boots need and becomes `bootproof test`, whose exit code is then that of the task.
pub(crate) fn run(root: &Path, arguments: &[String]) -> anyhow::Result<ExitCode> {
    host_tools::ensure(host_tools::LAB)?;
    host_tools::ensure(host_tools::BOOT)?;
    let bootproof = bootproof(root, Build::Quick)?;
    let mut command = Command::new(&bootproof);
    command
        .arg("test")
        .args(arguments)
        .env("BOOTPROOF_CACHE_DIR", root.join("target/bootproof/cache"))
        .env("BOOTPROOF_RUNS_DIR", root.join("target/bootproof/runs"));
    if !names_a_closure(arguments) {
        let lab = lab::ensure(root, &scenarios_in(arguments))?;
        command
            .arg("--lab")
            .arg(&lab.root)
            .arg("--scenarios")
            .arg(root.join("scenarios"));
    }
    let error = command.exec();
    Err(error).with_context(|| format!("failed to run {}", bootproof.display()))
}

/// A closure of the user's takes no lab.
fn names_a_closure(arguments: &[String]) -> bool {
    arguments.iter().any(|argument| {
        [
            "--toplevel",
            "--closure",
            "--flake",
            "--build-command",
            "--generation",
            "--exported",
        ]
        .iter()
        .any(|option| argument == option || argument.starts_with(&format!("{option}=")))
    })
}

/// How bootproof is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Build {
    /// In a minute. A rehearsal waits for the guest, and not for bootproof.
    Quick,
    /// As users have it, in four.
    Release,
}

/// Builds bootproof, and gives where it is.
pub(crate) fn bootproof(root: &Path, build: Build) -> anyhow::Result<PathBuf> {
    let (options, place): (&[&str], _) = match build {
        Build::Quick => (&[], "target/debug/bootproof"),
        Build::Release => (&["--release"], "target/release/bootproof"),
    };
    build_bootproof(root, options)?;
    Ok(root.join(place))
}

fn build_bootproof(root: &Path, options: &[&str]) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let target = root.join("target");
    let status = Command::new(cargo)
        .current_dir(root)
        .args(["build", "--quiet", "--package", "bootproof", "--target-dir"])
        .arg(target)
        .args(options)
        .status()
        .context("failed to start cargo")?;
    if !status.success() {
        bail!("bootproof could not be built");
    }
    Ok(())
}

/// The scenarios that the arguments of `bootproof test` name: the values of `--scenario`, up to the next option.
fn scenarios_in(arguments: &[String]) -> Vec<String> {
    let mut scenarios = Vec::new();
    let mut in_scenarios = false;
    for argument in arguments {
        if let Some(value) = argument.strip_prefix("--scenario=") {
            scenarios.push(value.to_owned());
            in_scenarios = false;
        } else if argument.starts_with('-') {
            in_scenarios = argument == "--scenario";
        } else if in_scenarios {
            scenarios.push(argument.clone());
        }
    }
    scenarios
}

#[cfg(test)]
mod tests {
    use super::{names_a_closure, scenarios_in};

    #[test]
    fn a_closure_of_the_users_is_recognised_in_both_spellings() {
        for line in ["--toplevel ./result", "--keep --closure=./closure"] {
            let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            assert!(names_a_closure(&arguments), "{line}");
        }
        assert!(!names_a_closure(&[
            "--scenario".to_owned(),
            "healthy".to_owned()
        ]));
    }

    fn scenarios(line: &str) -> Vec<String> {
        scenarios_in(
            &line
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn only_values_of_the_scenario_option_are_scenarios() {
        assert_eq!(
            scenarios("--keep --scenario a b --format json --scenario=c"),
            ["a", "b", "c"]
        );
        assert!(scenarios("--keep --run-dir x").is_empty());
    }
}
