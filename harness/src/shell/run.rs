use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;

use super::Destination;
use crate::offspring::die_with_parent;

/// What a script may print: a machine's journal of one boot is the longest that is asked for.
const LONGEST_OUTPUT: u64 = 64 << 20;
/// What is kept of its complaints.
const LONGEST_COMPLAINT: u64 = 64 << 10;
/// Asked of ssh after the user's own options, of which the first value counts: a host that is gone is told within a minute.
const PATIENCE: &[&str] = &[
    "-oConnectTimeout=30",
    "-oServerAliveInterval=10",
    "-oServerAliveCountMax=3",
];
/// `ssh` ends so when it failed itself (ssh(1)); so may the script.
const SSH_FAILED: i32 = 255;

/// What a script left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// What is not UTF-8 is replaced.
    pub stdout: String,
    /// Its last 64 kB at most.
    pub stderr: String,
    /// `None` where a signal ended it.
    pub code: Option<i32>,
}

/// Why a script was not run to its end.
#[derive(Debug, thiserror::Error)]
pub enum ShellError {
    #[error("cannot start `{program}`: {reason}")]
    NotStarted { program: String, reason: io::Error },
    #[error("cannot talk to `{program}`: {reason}")]
    Broken { program: String, reason: io::Error },
    #[error("ssh cannot reach {destination}: {complaint}")]
    Unreachable {
        destination: Destination,
        complaint: String,
    },
    #[error("{0} printed more than {LONGEST_OUTPUT} bytes")]
    TooLong(Destination),
}

/// Runs a script to its end, on the thread that lives as long as the process. Options of ssh are taken from `NIX_SSHOPTS`, as Nix and
/// nixos-rebuild take them; ssh asks for a password at the terminal itself.
///
/// # Errors
/// When no shell could be had; a script that fails is none.
pub fn run(destination: &Destination, script: &str) -> Result<Output, ShellError> {
    run_live(destination, script, |_| {})
}

/// As [`run`], and hands over each line of the script's standard output as it comes, without its end.
///
/// # Errors
/// As [`run`].
pub fn run_live(
    destination: &Destination,
    script: &str,
    told: impl FnMut(&str),
) -> Result<Output, ShellError> {
    let mut command = command(destination);
    let program = command.get_program().to_string_lossy().into_owned();
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    die_with_parent(&mut command);
    let mut child = command.spawn().map_err(|reason| ShellError::NotStarted {
        program: program.clone(),
        reason,
    })?;
    let broken = |reason| ShellError::Broken { program, reason };
    let (status, stdout, stderr) = talk(&mut child, script, told).map_err(broken)?;
    if stdout.len() as u64 > LONGEST_OUTPUT {
        return Err(ShellError::TooLong(destination.clone()));
    }
    let stderr = String::from_utf8_lossy(&stderr).into_owned();
    if status.code() == Some(SSH_FAILED) && *destination != Destination::Local {
        return Err(ShellError::Unreachable {
            destination: destination.clone(),
            complaint: stderr.trim().to_owned(),
        });
    }
    Ok(Output {
        stdout: String::from_utf8_lossy(&stdout).into_owned(),
        stderr,
        code: status.code(),
    })
}

fn command(destination: &Destination) -> Command {
    match destination {
        Destination::Local => {
            let mut command = Command::new("sh");
            command.arg("-s");
            command
        }
        Destination::Ssh(host) => {
            let mut command = Command::new("ssh");
            let options = std::env::var("NIX_SSHOPTS").unwrap_or_default();
            command
                .args(options.split_whitespace())
                .args(PATIENCE)
                .args(["-T", "--", host, "sh -s"]);
            command
        }
    }
}

/// Writes the script while both outputs are read: neither side may wait for the other.
fn talk(
    child: &mut Child,
    script: &str,
    mut told: impl FnMut(&str),
) -> io::Result<(ExitStatus, Vec<u8>, Vec<u8>)> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        let complaints = scope.spawn(|| last_of(stderr, LONGEST_COMPLAINT));
        scope.spawn(move || {
            // Who no longer reads has ended, and its status says how.
            stdin.map(|mut stdin| stdin.write_all(script.as_bytes()))
        });
        let mut read = Vec::new();
        if let Some(stdout) = stdout {
            let mut stdout = BufReader::new(stdout.take(LONGEST_OUTPUT + 1));
            let mut line = 0;
            while stdout.read_until(b'\n', &mut read)? > 0 {
                told(String::from_utf8_lossy(&read[line..]).trim_end_matches('\n'));
                line = read.len();
            }
        }
        let complaints = complaints.join().unwrap_or_else(|_| Ok(Vec::new()))?;
        Ok((child.wait()?, read, complaints))
    })
}

/// Reads to the end, and keeps what came last.
fn last_of(reader: Option<impl Read>, kept: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 8 << 10];
    let Some(mut reader) = reader else {
        return Ok(bytes);
    };
    loop {
        let count = reader.read(&mut buffer)?;
        if count == 0 {
            return Ok(bytes);
        }
        bytes.extend(&buffer[..count]);
        let surplus = bytes.len().saturating_sub(kept as usize);
        bytes.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(script: &str) -> Output {
        run(&Destination::Local, script).unwrap()
    }

    #[test]
    fn a_script_says_how_it_ended() {
        let output = local("echo out; echo err >&2; exit 3");
        assert_eq!(
            (output.stdout.as_str(), output.stderr.as_str()),
            ("out\n", "err\n")
        );
        assert_eq!(output.code, Some(3));
        assert_eq!(local("kill -9 $$").code, None);
        assert_eq!(local("exit 255").code, Some(255));
    }

    #[test]
    fn lines_are_handed_over_as_they_come() {
        let mut lines = Vec::new();
        let script = "echo one; printf 'two\\nthree'";
        let output = run_live(&Destination::Local, script, |line| {
            lines.push(line.to_owned())
        });
        assert_eq!(lines, ["one", "two", "three"]);
        assert_eq!(output.unwrap().stdout, "one\ntwo\nthree");
    }

    #[test]
    fn a_long_script_with_long_answers_does_not_wait_for_ever() {
        let line = "echo 0123456789012345678901234567890123456789012345678901234567890123456789; echo complaint >&2\n";
        let output = local(&line.repeat(20_000));
        assert_eq!(output.stdout.len(), 71 * 20_000);
        assert_eq!(output.stderr.len() as u64, LONGEST_COMPLAINT);
    }

    #[test]
    fn an_absurd_answer_ends_the_shell() {
        let error = run(&Destination::Local, "exec yes").unwrap_err();
        assert!(matches!(error, ShellError::TooLong(_)), "{error}");
    }
}
