//! A deploy by somebody else's command, on the operator's machine.

use std::process::{Command, Stdio};

use crate::cli::Failure;
use crate::cli::args::Verbosity;
use crate::fold::sanitise;

/// Runs a command, with our terminal, and gives the code with which it ended. It is not killed when bootproof is: half a deploy is worse than
/// one that nobody looks at, and a Ctrl-C reaches it by itself.
pub(super) fn run(command: &[String], verbosity: Verbosity) -> Result<i32, Failure> {
    let Some((program, arguments)) = command.split_first() else {
        return Ok(0);
    };
    verbosity.tell(&format!("running {}\n", sanitise::line(&command.join(" "))));
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::inherit())
        .stdout(Stdio::inherit())
        .stderr(Stdio::inherit())
        .status()
        .map_err(|error| format!("cannot start `{program}`: {error}"))?;
    // As a shell tells a signal.
    Ok(status.code().unwrap_or(128))
}
