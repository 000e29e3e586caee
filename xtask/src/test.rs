//! `cargo xtask test`: format, lints, and every test, real boots included. What CI runs.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};

use crate::{host_tools, lab, scenarios};

/// Runs everything, or stops at the first that fails.
pub(crate) fn run(root: &Path, arguments: &[String]) -> anyhow::Result<ExitCode> {
    host_tools::ensure(host_tools::LAB)?;
    host_tools::ensure(host_tools::BOOT)?;
    host_tools::ensure(host_tools::SSH)?;
    host_tools::ensure(host_tools::PAGE)?;
    host_tools::ensure(host_tools::NIX)?;
    host_tools::ensure(host_tools::FORMS)?;
    host_tools::ensure(host_tools::READERS)?;
    cargo(root, &["fmt", "--all", "--check"])?;
    cargo(
        root,
        &[
            "clippy",
            "--quiet",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ],
    )?;
    scenarios::run(root, true)?;
    let lab = lab::ensure(root, &[])?;
    // The tests of the command line run the program that this builds.
    cargo(root, &["build", "--quiet", "--workspace"])?;
    cargo(
        root,
        &[
            "test",
            "--quiet",
            "--no-run",
            "--workspace",
            "--all-targets",
        ],
    )?;
    let tests = |of: &[&str], skipped: &[&str]| {
        let mut command = cargo_command(root);
        command
            .arg("test")
            .args(of)
            .args(arguments)
            .args(skipped)
            .env("BOOTPROOF_LAB", &lab.root)
            .env("BOOTPROOF_CACHE_DIR", root.join("target/bootproof/cache"))
            .env("RUST_TEST_THREADS", threads())
            // A snapshot that differs fails; nothing is accepted on the way.
            .env("INSTA_UPDATE", "no");
        command
    };
    // The boots take longest, and the others wait more than they work. Of them all but the tests in documentation, of which there are none.
    let mut boots = tests(&["--package", "bootproof-tests", "--test", "boots"], &[])
        .spawn()
        .context("failed to start cargo")?;
    let others = ["--workspace", "--all-targets", "--no-fail-fast"];
    let skipped: &[&str] = match arguments.iter().any(|argument| argument == "--") {
        true => &["--skip", BOOTS],
        false => &["--", "--skip", BOOTS],
    };
    let others = tests(&others, skipped).status();
    let booted = boots.wait().context("failed to wait for the boots")?;
    let others = others.context("failed to start cargo")?;
    Ok(if booted.success() && others.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The module of all tests that boot a machine for real.
const BOOTS: &str = "for_real::";

/// Most tests wait for a QEMU that plays a script, and not for a processor; real boots take turns by themselves.
fn threads() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (8 * cores).to_string()
}

fn cargo(root: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    eprintln!("test: cargo {}", arguments.join(" "));
    let status = cargo_command(root)
        .args(arguments)
        .status()
        .context("failed to start cargo")?;
    if !status.success() {
        bail!("`cargo {}` failed", arguments.join(" "));
    }
    Ok(())
}

fn cargo_command(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}
