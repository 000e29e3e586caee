//! The live line: the one line at the end that is drawn over again.

use std::io;
use std::io::IsTerminal as _;
use std::time::Duration;

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

/// How often it is drawn in a second, at most.
const HERTZ: u8 = 10;

/// Whether there can be one: `TERM=dumb` can only write on (term(7)).
pub(super) fn is_live() -> bool {
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    io::stderr().is_terminal() && !is_dumb
}

/// A live line on stderr. It tells the time since [`ProgressBar::reset_elapsed`].
pub(super) fn line() -> ProgressBar {
    let terminal = Narrower(Term::stderr());
    let target = ProgressDrawTarget::term_like_with_hz(Box::new(terminal), HERTZ);
    let bar = ProgressBar::with_draw_target(None, target);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed:>4} {wide_msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// A terminal with room at the end of each line for the `^C` that it shows of a Ctrl-C: in the next line it would keep the live line from being
/// found and taken away.
#[derive(Debug)]
struct Narrower(Term);

const ROOM: u16 = 3;

impl TermLike for Narrower {
    fn width(&self) -> u16 {
        self.0.size().1.saturating_sub(ROOM).max(1)
    }

    fn height(&self) -> u16 {
        self.0.size().0
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_up(n)
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_down(n)
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_right(n)
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_left(n)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.0.write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.0.flush()
    }
}
