//! The guest's root shell: texts of the script in answer to the harness's commands, none of which is run.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;

use super::Answer;
use super::machine::until_heard;

/// Stands in each command before the number that its answer must end with.
const END: &str = "BOOTPROOF END ";

/// Stands in an output for the mark that the command gives the frames of its answer.
pub const MARK: &str = "@mark@";

fn mark(command: &str) -> &str {
    let mut lines = command.lines();
    lines
        .find_map(|line| line.strip_prefix("mark="))
        .unwrap_or_default()
}

/// Answers until a command reboots the machine or powers it off, or an answer is the last.
pub(super) fn serve(port: &mut UnixStream, answers: &[Answer]) -> io::Result<()> {
    let mut received = String::new();
    let mut buffer = [0; 4096];
    loop {
        while let Some((command, nonce)) = take_command(&mut received) {
            let ways_down = ["reboot", "poweroff", "soft-reboot"];
            if ways_down
                .iter()
                .any(|way| command.contains(&format!("systemctl {way}")))
            {
                return Ok(());
            }
            let answer = answers.iter().find(|a| command.contains(&a.to));
            let (output, code) = match answer {
                Some(answer) => (answer.output.as_str(), answer.exit_code),
                None => ("the script has no answer to this\n", 127),
            };
            let output = output.replace(MARK, mark(&command));
            write!(port, "{output}\n{END}{nonce} {code}\n")?;
            until_heard(port)?;
            if answer.is_some_and(|answer| answer.last) {
                return Ok(());
            }
        }
        let length = port.read(&mut buffer)?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        received.push_str(&String::from_utf8_lossy(&buffer[..length]));
    }
}

/// Takes a whole command out of what was received, and the number of its answer.
fn take_command(received: &mut String) -> Option<(String, String)> {
    let mark = received.find(END)?;
    let end = mark + received[mark..].find('\n')?;
    let nonce = received[mark + END.len()..end]
        .split(' ')
        .next()?
        .to_owned();
    let command = received[..mark].to_owned();
    received.drain(..=end);
    Some((command, nonce))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_taken_when_it_is_whole() {
        let mut received = "(\nuname\n) 2>&1; printf '%s' BOOTPROOF END 1.2.3 $?".to_owned();
        assert!(take_command(&mut received).is_none());
        received.push_str("\n(\nnext");
        let (command, nonce) = take_command(&mut received).unwrap();
        assert!(command.contains("uname"));
        assert_eq!((nonce.as_str(), received.as_str()), ("1.2.3", "(\nnext"));
    }
}
