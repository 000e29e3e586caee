//! `bootproof doctor`: can this machine rehearse?

mod probe;

use std::io::{self, Write as _};

use super::args::{DoctorArgs, DoctorFormat};
use super::{Exit, Failure};
use crate::doctor;

/// Looks at this machine. It makes nothing but what it removes again.
pub(super) fn run(args: &DoctorArgs) -> Result<Exit, Failure> {
    let examination = doctor::examine(&probe::probe(args)?);
    let text = match args.format {
        DoctorFormat::Human => doctor::render(&examination),
        DoctorFormat::Json => serde_json::to_string_pretty(&examination)? + "\n",
    };
    io::stdout().write_all(text.as_bytes())?;
    Ok(match examination.can_rehearse {
        true => Exit::Pass,
        false => Exit::Error,
    })
}
