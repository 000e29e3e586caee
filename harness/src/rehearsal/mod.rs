//! The rehearsal.

mod console;
mod dumps;
mod guest;
mod ladder;
mod recorder;

pub use recorder::{Progress, Recorder, RecordingError, read_recording};
