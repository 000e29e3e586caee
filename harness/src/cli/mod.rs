//! The command line: arguments in, exit code out. Only this and `report/` print.

mod answer;
mod approval;
mod approve;
mod args;
mod as_approved;
mod audit;
mod build;
mod cache;
mod candidate;
mod configuration;
mod debug;
mod deploy;
mod doctor;
mod estimate;
mod exit;
mod gate;
mod generate;
mod hosts;
mod init;
mod inspect;
mod installable;
mod key;
mod lab;
mod load;
mod memory;
mod nix_copy;
mod overrides;
mod page;
mod partition;
mod progress;
mod provided;
mod receipts;
mod report;
mod run_directory;
mod scenarios;
mod seeds;
mod signals;
mod specialisations;
mod test;
mod verdict_of_scenario;
mod whole_file;

use std::io::Write as _;

use clap::FromArgMatches as _;

pub use exit::Exit;

/// Runs bootproof with the arguments of this process.
pub fn main() -> Exit {
    if std::env::args_os().len() < 2 {
        tell(args::FIRST_SCREEN);
        return Exit::Error;
    }
    let parsed = args::command()
        .try_get_matches()
        .and_then(|matches| args::Cli::from_arg_matches(&matches));
    let arguments = match parsed {
        Ok(arguments) => arguments,
        Err(error) => {
            // clap tells help and version apart from mistakes.
            let _ = error.print();
            return if error.use_stderr() {
                Exit::Error
            } else {
                Exit::Pass
            };
        }
    };
    init_tracing();
    let result = match &arguments.command {
        args::Command::Test(test) => test::run(test),
        args::Command::Inspect(inspect) => inspect::run(inspect),
        args::Command::Report(report) => report::run(report),
        args::Command::Approve(approve) => approve::run(approve),
        args::Command::Gate(gate) => gate::run(gate),
        args::Command::Audit(audit) => audit::run(audit),
        args::Command::Deploy(deploy) => deploy::run(deploy),
        args::Command::Key(key) => key::run(key),
        args::Command::Init(init) => init::run(init),
        args::Command::Hosts(hosts) => hosts::run(hosts),
        args::Command::Doctor(doctor) => doctor::run(doctor),
        args::Command::Debug(debug) => debug::run(debug),
        args::Command::Cache(command) => cache::run(command),
        args::Command::Completions(completions) => generate::completions(completions),
        args::Command::Man(man) => generate::man(man),
    };
    result.unwrap_or_else(|error| {
        tell(&format!("bootproof: {}\n", chain(&*error)));
        Exit::Error
    })
}

/// Writes to stderr. A reader of it that has gone away must not end a run: the recording has all that is told.
fn tell(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// What a command fails with: its own words, and its causes.
type Failure = Box<dyn std::error::Error>;

/// An error and its causes on one line, each told once.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

/// `BOOTPROOF_LOG=debug` shows what the machinery does.
fn init_tracing() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("BOOTPROOF_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}
