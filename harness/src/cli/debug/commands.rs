//! A session without a terminal: commands from stdin, run by the guest's root shell.

use std::io::{self, Read, Write as _};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::screen::Screen;
use crate::cli::{Exit, Failure, tell};
use crate::fold::sanitise;
use crate::rehearsal::{Happening, Session};

/// What a person writes down for a look at a machine is far shorter.
const LIMIT: u64 = 1 << 20;

/// How long the commands may take; the boot has its own deadline.
const COMMANDS: Duration = Duration::from_secs(1800);

/// How much of the console is told where there is no shell.
const LAST_LINES: usize = 15;

/// More of the console is not kept.
const CONSOLE_LIMIT: usize = 64 << 10;

/// Reads the commands.
pub(super) fn read(input: impl Read) -> Result<String, Failure> {
    let mut text = String::new();
    input
        .take(LIMIT + 1)
        .read_to_string(&mut text)
        .map_err(|error| format!("failed to read the commands on stdin: {error}"))?;
    if text.len() as u64 > LIMIT {
        return Err("the commands on stdin are more than 1 MiB".into());
    }
    if text.trim().is_empty() {
        return Err(
            "no commands on stdin, which is no terminal: pipe some, as in `echo 'systemctl --failed' | bootproof debug RUN_DIR`"
                .into(),
        );
    }
    Ok(text)
}

/// Has the root shell run `script`, and prints what it printed on stdout.
pub(super) async fn run(session: &mut Session, script: &str) -> Result<Exit, Failure> {
    let patience = session.patience();
    tell(&format!(
        "waits for the guest's root shell, at most {} s\n",
        patience.as_secs()
    ));
    let mut until = Instant::now() + patience;
    let mut was_sent = false;
    let mut console = Vec::new();
    let why = loop {
        let Ok(happening) = timeout_at(until, session.next()).await else {
            break match was_sent {
                true => "the commands did not end".to_owned(),
                false => format!("no root shell within {} s", patience.as_secs()),
            };
        };
        match happening {
            Happening::Greeted if !was_sent => {
                was_sent = session.command(script).await?;
                until = Instant::now() + COMMANDS;
            }
            // The shell of the commands was killed, by them or by the guest.
            Happening::Greeted => break "the root shell was restarted meanwhile".to_owned(),
            Happening::Answered { exit_code, output } => {
                io::stdout().write_all(&Screen::plain(&output))?;
                if exit_code == 0 {
                    return Ok(Exit::Pass);
                }
                tell(&format!("the commands ended with {exit_code}\n"));
                return Ok(Exit::Fail);
            }
            Happening::Console(bytes) => {
                console.extend_from_slice(&bytes);
                let excess = console.len().saturating_sub(CONSOLE_LIMIT);
                console.drain(..excess);
            }
            Happening::Reset if was_sent => break "the machine was reset meanwhile".to_owned(),
            Happening::Ended(how) => {
                break format!("the machine went off ({})", sanitise::line(&how));
            }
            Happening::Shell(_) | Happening::Reset | Happening::Nothing => {}
        }
    };
    let text = String::from_utf8_lossy(&console);
    for line in sanitise::last_lines(&text, LAST_LINES) {
        tell(&format!("  > {line}\n"));
    }
    tell(&format!(
        "unproven: {why}; these were the console's last lines\n"
    ));
    Ok(Exit::Unproven)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn commands_are_bounded_and_there_have_to_be_some() {
        assert_eq!(read(&b"uname\n"[..]).unwrap(), "uname\n");
        assert!(
            read(&b" \n"[..])
                .unwrap_err()
                .to_string()
                .contains("no commands")
        );
        let long = vec![b'x'; 2 << 20];
        assert!(read(&long[..]).unwrap_err().to_string().contains("1 MiB"));
        assert!(read(&b"\xff"[..]).is_err());
    }
}
