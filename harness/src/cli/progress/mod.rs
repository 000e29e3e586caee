//! What a run tells while it works: a live line on a terminal, plain lines elsewhere, on stderr; or JSON lines on stdout.

mod event;
mod json_lines;
mod live;
mod printer;
mod tally;
mod words;

pub(super) use event::Event;
pub(super) use json_lines::JsonLines;
pub(super) use printer::Printer;

#[cfg(test)]
mod tests;
