//! The person's terminal, which hands over every key while this lives and is what it was afterwards.

use std::io::{self, IsTerminal as _, Write as _};

use rustix::termios::{self, OptionalActions, OutputModes, Termios};

use super::screen::RESET;
use crate::rehearsal::TerminalKind;

/// Stdin as a terminal in raw mode (termios(3)).
pub(super) struct Terminal {
    before: Termios,
}

impl Terminal {
    /// Takes the terminal.
    ///
    /// # Errors
    /// When stdin is none.
    pub(super) fn raw() -> io::Result<Self> {
        let before = termios::tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        // Lines of bootproof's own, and a guest's that end in a line feed alone, still begin at the left.
        raw.output_modes |= OutputModes::OPOST | OutputModes::ONLCR;
        termios::tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        Ok(Self { before })
    }

    /// What it is.
    pub(super) fn kind(&self) -> TerminalKind {
        let size = termios::tcgetwinsize(io::stdin()).ok();
        let size = size.filter(|size| size.ws_row > 0 && size.ws_col > 0);
        TerminalKind {
            name: std::env::var("TERM").unwrap_or_else(|_| "vt100".to_owned()),
            rows: size.map_or(24, |size| size.ws_row),
            columns: size.map_or(80, |size| size.ws_col),
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let mut stdout = io::stdout();
        if stdout.is_terminal() {
            let _ = write!(stdout, "{RESET}\r\n");
            let _ = stdout.flush();
        }
        let _ = termios::tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}
