//! The root shell in the guest, seen from the host: a greeting, then one command at a time.
//!
//! The guest's side is a plain `sh` that reads its port. A command is framed by a number that only this request has, so
//! what an older command or an older boot printed can never be taken for its answer. Pure: bytes in, events out.

use crate::vocabulary::BootId;

/// The name of the virtio-serial port, `/dev/virtio-ports/NAME` in the guest.
pub const SHELL_PORT_NAME: &str = "org.bootproof.shell";

/// The line with which the guest's shell opens a connection, before its boot id.
pub const GREETING: &str = "BOOTPROOF HELLO";

/// The two lines on which a shell may speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ShellPort {
    Virtio,
    Serial,
}

impl ShellPort {
    /// The form that reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Virtio => "virtio-serial",
            Self::Serial => "serial",
        }
    }
}

/// What the shell told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShellEvent {
    Greeted(BootId),
    Answered {
        exit_code: i32,
        output: Vec<u8>,
        truncated: bool,
    },
}

/// The host's end of one port.
#[derive(Debug, Default)]
pub struct Shell {
    buffer: Vec<u8>,
    pending: Option<Pending>,
}

#[derive(Debug)]
struct Pending {
    end_mark: Vec<u8>,
    truncated: bool,
}

/// No dump of a healthy guest comes near; the rest is told as truncated.
const OUTPUT_LIMIT: usize = 16 << 20;

impl Shell {
    /// The bytes that make the guest run `script`; its answer comes as [`ShellEvent::Answered`].
    ///
    /// `nonce` must differ from that of every other command of the run.
    pub fn command(&mut self, script: &str, nonce: &str) -> Vec<u8> {
        self.buffer.clear();
        self.pending = Some(Pending {
            end_mark: format!("\nBOOTPROOF END {nonce} ").into_bytes(),
            truncated: false,
        });
        // The mark is put together by the guest's printf: an echoing terminal cannot show it whole.
        format!(
            "(\n{script}\n) </dev/null 2>&1; printf '\\n%s %s %s %d\\n' BOOTPROOF END {nonce} $?\n"
        )
        .into_bytes()
    }

    /// Forgets everything that came so far: the guest was reset.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Takes in what the port delivered.
    pub fn receive(&mut self, bytes: &[u8]) -> Vec<ShellEvent> {
        self.buffer.extend_from_slice(bytes);
        let mut events = Vec::new();
        match &mut self.pending {
            None => {
                while let Some(boot_id) = take_greeting(&mut self.buffer) {
                    events.push(ShellEvent::Greeted(boot_id));
                }
                bound(&mut self.buffer);
            }
            Some(pending) => {
                if let Some((exit_code, output)) = take_answer(&mut self.buffer, &pending.end_mark)
                {
                    let truncated = pending.truncated;
                    self.pending = None;
                    events.push(ShellEvent::Answered {
                        exit_code,
                        output,
                        truncated,
                    });
                } else if let Some(boot_id) = take_greeting(&mut self.buffer) {
                    // A shell that greets in the middle of a command has been restarted.
                    self.pending = None;
                    events.push(ShellEvent::Greeted(boot_id));
                } else {
                    pending.truncated |= bound_keeping_end(&mut self.buffer);
                }
            }
        }
        events
    }
}

/// Takes the first whole greeting out of `buffer`, with all that stands before it; leaves it alone where there is none.
fn take_greeting(buffer: &mut Vec<u8>) -> Option<BootId> {
    let (boot_id, consumed) = memchr::memmem::find_iter(buffer, GREETING).find_map(|start| {
        let rest = &buffer[start + GREETING.len()..];
        let end = rest.iter().position(|&b| b == b'\n')?;
        let boot_id = BootId::parse(std::str::from_utf8(&rest[..end]).ok()?)?;
        Some((boot_id, start + GREETING.len() + end + 1))
    })?;
    buffer.drain(..consumed);
    Some(boot_id)
}

fn take_answer(buffer: &mut Vec<u8>, end_mark: &[u8]) -> Option<(i32, Vec<u8>)> {
    let start = find(buffer, end_mark)?;
    let rest = &buffer[start + end_mark.len()..];
    let end = rest.iter().position(|&b| b == b'\n')?;
    let exit_code = std::str::from_utf8(&rest[..end])
        .ok()?
        .trim()
        .parse()
        .ok()?;
    let output = buffer[..start].to_vec();
    buffer.clear();
    Some((exit_code, output))
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(haystack, needle)
}

/// Before the greeting only its last line can matter.
fn bound(buffer: &mut Vec<u8>) {
    const KEEP: usize = 4096;
    if buffer.len() > KEEP {
        buffer.drain(..buffer.len() - KEEP);
    }
}

/// Drops the middle of an output that is too long, so that the end mark can still be found.
fn bound_keeping_end(buffer: &mut Vec<u8>) -> bool {
    const TAIL: usize = 4096;
    let too_long = buffer.len() > OUTPUT_LIMIT + 2 * TAIL;
    if too_long {
        let tail_start = buffer.len() - TAIL;
        buffer.drain(OUTPUT_LIMIT..tail_start);
    }
    too_long
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOT_ID: &str = "0c6cbd2a-6d4c-4f9e-a5c1-6f6f4d1f0a11";

    fn boot_id() -> BootId {
        BootId::parse(BOOT_ID).unwrap()
    }

    #[test]
    fn a_greeting_may_come_in_pieces() {
        let mut shell = Shell::default();
        assert!(shell.receive(b"noise\r\nBOOTPROOF HEL").is_empty());
        let rest = format!("LO {BOOT_ID}\n");
        assert_eq!(
            shell.receive(rest.as_bytes()),
            [ShellEvent::Greeted(boot_id())]
        );
    }

    #[test]
    fn an_answer_has_output_and_exit_code() {
        let mut shell = Shell::default();
        let sent = String::from_utf8(shell.command("uname -m", "n1")).unwrap();
        assert!(sent.contains("uname -m"));
        assert!(shell.receive(b"x86_64\n\nBOOTPROOF END n1").is_empty());
        assert_eq!(
            shell.receive(b" 0\n"),
            [ShellEvent::Answered {
                exit_code: 0,
                output: b"x86_64\n".to_vec(),
                truncated: false
            }]
        );
    }

    #[test]
    fn the_answer_of_an_older_command_does_not_satisfy_a_newer_one() {
        let mut shell = Shell::default();
        shell.command("sleep 1000", "n1");
        shell.command("uname -m", "n2");
        assert!(shell.receive(b"\nBOOTPROOF END n1 0\n").is_empty());
        assert_eq!(shell.receive(b"x\nBOOTPROOF END n2 1\n").len(), 1);
    }

    #[test]
    fn an_echoed_command_is_no_answer() {
        let mut shell = Shell::default();
        let sent = shell.command("true", "n1");
        assert!(shell.receive(&sent).is_empty());
    }

    #[test]
    fn a_restarted_shell_is_seen_while_a_command_runs() {
        let mut shell = Shell::default();
        shell.command("true", "n1");
        let greeting = format!("BOOTPROOF HELLO {BOOT_ID}\n");
        assert_eq!(
            shell.receive(greeting.as_bytes()),
            [ShellEvent::Greeted(boot_id())]
        );
    }

    #[test]
    fn output_without_end_is_bounded_and_still_ends() {
        let mut shell = Shell::default();
        shell.command("yes", "n1");
        let chunk = vec![b'y'; 1 << 20];
        for _ in 0..40 {
            assert!(shell.receive(&chunk).is_empty());
            assert!(shell.buffer.len() <= OUTPUT_LIMIT + (2 << 20));
        }
        let events = shell.receive(b"\nBOOTPROOF END n1 0\n");
        assert!(matches!(
            &events[..],
            [ShellEvent::Answered {
                truncated: true,
                ..
            }]
        ));
    }
}
