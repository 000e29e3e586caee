//! Asks nginx for each endpoint, from outside as a client would, or by a script inside the guest. Judges nothing.

mod certificate;
mod inside;
mod outside;

pub use certificate::certificate;
pub use inside::{answer_of_script, body_of_script, script};
pub use outside::{Answered, ask, ask_for_body};
