//! The tasks of this repository that need more than cargo: `test-boot`, `test`, `lab`, `scenarios`, `remote-builder` and `bench`.

mod bench;
mod host_tools;
mod lab;
mod remote_builder;
mod scenarios;
mod test;
mod test_boot;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A host or user error, as everywhere in this workspace.
const EXIT_HOST_ERROR: u8 = 2;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Tasks of the bootproof workspace")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build the closures of the regression scenarios from Debian's packages, in target/lab
    Lab {
        /// Only these scenarios (default: all)
        #[arg(long = "scenario", value_name = "NAME", num_args = 1..)]
        scenarios: Vec<String>,
    },
    /// Install the host's tools, build the lab and bootproof, and run `bootproof test` on it
    TestBoot {
        /// Passed on to `bootproof test`
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "ARGS"
        )]
        arguments: Vec<String>,
    },
    /// Install the host's tools, build the lab, check format and lints, and run all tests, real boots included
    Test {
        /// Passed on to `cargo test`
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "ARGS"
        )]
        arguments: Vec<String>,
    },
    /// Write the table of all scenarios into scenarios/README.md, from their files
    Scenarios {
        /// Only say whether it is there already
        #[arg(long)]
        check: bool,
    },
    /// Rehearse a scenario on a remote builder of Nix's: this machine, over ssh on the loopback
    RemoteBuilder {
        #[arg(long, value_name = "NAME", default_value = "healthy")]
        scenario: String,
        /// A lab that is built already (default: target/lab, which is built)
        #[arg(long, value_name = "DIR")]
        lab: Option<PathBuf>,
    },
    /// Measure, as ratios within one run
    Bench {
        #[command(subcommand)]
        what: bench::What,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let root = workspace_root();
    let result = match arguments.task {
        Task::Lab { scenarios } => build_lab(&root, &scenarios),
        Task::TestBoot { arguments } => test_boot::run(&root, &arguments),
        Task::Test { arguments } => test::run(&root, &arguments),
        Task::Scenarios { check } => scenarios::run(&root, check),
        Task::RemoteBuilder { scenario, lab } => remote_builder::run(&root, &scenario, lab),
        Task::Bench { what } => bench::run(&root, &what),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(EXIT_HOST_ERROR)
    })
}

fn build_lab(root: &Path, scenarios: &[String]) -> anyhow::Result<ExitCode> {
    host_tools::ensure(host_tools::LAB)?;
    let lab = lab::ensure(root, scenarios)?;
    eprintln!("lab: ready in {}", lab.root.display());
    Ok(ExitCode::SUCCESS)
}

fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is a member of the workspace")
        .to_path_buf()
}
