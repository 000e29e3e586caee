//! What the guest prints, on its way to a person's terminal: it may draw, and nothing else.
//!
//! A terminal can be told to answer, to fill the clipboard, to rename its window, or to change what keys do. Of the control
//! sequences of ECMA-48 and xterm, those pass that move the cursor, colour, erase and scroll.

use std::io::{self, Write as _};

/// A filter between the guest and stdout.
#[derive(Debug)]
pub(super) struct Screen {
    /// Whether there is a terminal that can draw.
    draws: bool,
    state: State,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Text,
    /// A character of more than one byte: what came of it, and how many bytes it has.
    Character(Vec<u8>, usize),
    Escape,
    /// One more byte belongs to the escape sequence, as in `ESC ( B`.
    EscapeMore,
    /// A control sequence: its parameters.
    Control(Vec<u8>),
    /// A string for the terminal, which ends with BEL or ESC \.
    String {
        escaped: bool,
    },
}

/// More parameters than anything that draws has.
const PARAMETERS: usize = 64;

/// The final bytes of control sequences that only draw.
const DRAWING: &[u8] = b"@ABCDEFGHJKLMPSTXdfmrsu";

/// The private modes that may be set: cursor keys, wrapping, the cursor, the alternate screen. [`RESET`] takes all of them back.
const MODES: &[&[u8]] = &[b"?1", b"?7", b"?25", b"?1049"];

/// Makes the terminal what it was before the guest drew on it.
pub(super) const RESET: &str = "\x1b[?1049l\x1b[?25h\x1b[?7h\x1b[?1l\x1b[r\x1b[0m";

impl Screen {
    /// For stdout, which is a terminal or not.
    pub(super) fn new(draws: bool) -> Self {
        Self {
            draws,
            state: State::Text,
        }
    }

    /// Prints what the guest printed.
    pub(super) fn show(&mut self, bytes: &[u8]) -> io::Result<()> {
        let fit = self.pass(bytes);
        let mut stdout = io::stdout().lock();
        stdout.write_all(&fit)?;
        stdout.flush()
    }

    /// A whole text without anything that draws.
    pub(super) fn plain(bytes: &[u8]) -> Vec<u8> {
        Self::new(false).pass(bytes)
    }

    fn pass(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        for &byte in bytes {
            self.take(byte, &mut out);
        }
        out
    }

    fn take(&mut self, byte: u8, out: &mut Vec<u8>) {
        self.state = match (std::mem::replace(&mut self.state, State::Text), byte) {
            (State::String { escaped: true }, b'\\') | (State::String { .. }, 0x07) => State::Text,
            (State::String { .. }, byte) => State::String {
                escaped: byte == 0x1b,
            },
            (State::Character(mut begun, length), 0x80..=0xbf) => {
                begun.push(byte);
                if begun.len() < length {
                    State::Character(begun, length)
                } else {
                    if shows(&begun) {
                        out.extend(begun);
                    }
                    State::Text
                }
            }
            (_, 0x1b) => State::Escape,
            (State::Escape, b'[') => State::Control(Vec::new()),
            (State::Escape, b']' | b'P' | b'X' | b'^' | b'_') => State::String { escaped: false },
            (State::Escape, b' '..=b'/') => State::EscapeMore,
            // To keep the cursor's place, to go back to it, and one line up.
            (State::Escape, b'7' | b'8' | b'M') => {
                if self.draws {
                    out.extend([0x1b, byte]);
                }
                State::Text
            }
            (State::Escape | State::EscapeMore, _) => State::Text,
            (State::Control(mut parameters), b' '..=b'?') => {
                if parameters.len() < PARAMETERS {
                    parameters.push(byte);
                }
                State::Control(parameters)
            }
            (State::Control(parameters), b'@'..=b'~') => {
                if self.draws && is_drawing(&parameters, byte) {
                    out.extend(b"\x1b[");
                    out.extend(parameters);
                    out.push(byte);
                }
                State::Text
            }
            (_, b'\n' | b'\t' | b' '..=b'~') => {
                out.push(byte);
                State::Text
            }
            (_, 0x07 | 0x08 | b'\r') if self.draws => {
                out.push(byte);
                State::Text
            }
            (_, 0xc2..=0xdf) => State::Character(vec![byte], 2),
            (_, 0xe0..=0xef) => State::Character(vec![byte], 3),
            (_, 0xf0..=0xf4) => State::Character(vec![byte], 4),
            _ => State::Text,
        };
    }
}

/// Whether a control sequence does no more than draw.
fn is_drawing(parameters: &[u8], last: u8) -> bool {
    match last {
        b'h' | b'l' => parameters
            .split(|byte| *byte == b';')
            .all(|mode| MODES.contains(&mode)),
        _ => {
            DRAWING.contains(&last)
                && parameters.len() < PARAMETERS
                && parameters
                    .iter()
                    .all(|b| matches!(b, b'0'..=b'9' | b';' | b':'))
        }
    }
}

/// Whether the bytes are one character that is seen and changes nothing around it.
fn shows(bytes: &[u8]) -> bool {
    let text = std::str::from_utf8(bytes);
    text.is_ok_and(|text| {
        text.chars().all(|c| {
            !c.is_control()
                && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(text: &[u8]) -> String {
        String::from_utf8(Screen::new(true).pass(text)).unwrap()
    }

    #[test]
    fn what_draws_passes_even_in_pieces() {
        let text = "\x1b[1;32m  OK  \x1b[0m Started é\r\n\x1b[2J\x1b[3;4Hx\x1b[?25l\x1b[?1049h";
        assert_eq!(drawn(text.as_bytes()), text);
        let mut screen = Screen::new(true);
        let pieces: Vec<u8> = text.bytes().flat_map(|b| screen.pass(&[b])).collect();
        assert_eq!(pieces, text.as_bytes());
    }

    #[test]
    fn what_does_more_than_draw_does_not() {
        for (text, left) in [
            (&b"a\x1b]52;c;ZXZpbA==\x07b"[..], "ab"),
            (b"a\x1b]0;title\x1b\\b", "ab"),
            (b"a\x1bP1$tx\x1b\\b", "ab"),
            (b"a\x1b[cb\x1b[6nc\x1b[5id\x1b[21te", "abcde"),
            (
                b"a\x1b[?2004hb\x1b[?1000;25hc\x1b[>4;1md\x1b[0;1;\"pe",
                "abcde",
            ),
            (b"a\x1bcb\x1b(0c\x1b#8d", "abcd"),
            (b"a\xc2\x9b31mb\x9bc\xe2\x80\xaed\xff\xc3", "a31mbcd"),
            (b"a\x00\x05\x0eb\x7f", "ab"),
        ] {
            assert_eq!(drawn(text), left, "{text:?}");
        }
    }

    #[test]
    fn a_string_or_sequence_without_end_takes_no_memory() {
        let mut screen = Screen::new(true);
        screen.pass(b"\x1b[");
        screen.pass(&vec![b'1'; 1 << 20]);
        assert!(matches!(&screen.state, State::Control(p) if p.len() == PARAMETERS));
        assert_eq!(screen.pass(b"mx"), b"x");
        screen.pass(b"\x1b]");
        assert!(screen.pass(&vec![b'1'; 1 << 20]).is_empty());
    }

    #[test]
    fn a_file_gets_text_only() {
        assert_eq!(Screen::plain(b"\x1b[31mred\x1b[0m\r\n\x08\x07"), b"red\n");
    }
}
